"""Keep why a run failed as a word and figures, so that people read it in their own language."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '10s'")
    op.execute("set local role huxian_owner")
    # Nullable and without a default: no row is rewritten, and older code goes on writing `error` alone.
    op.add_column("run", sa.Column("error_code", sa.String(), nullable=True), schema="huxian")
    op.add_column("run", sa.Column("error_values", postgresql.JSONB(), nullable=True), schema="huxian")
    op.execute("reset role")


def downgrade() -> None:
    op.execute("set local lock_timeout = '10s'")
    op.drop_column("run", "error_values", schema="huxian")
    op.drop_column("run", "error_code", schema="huxian")
