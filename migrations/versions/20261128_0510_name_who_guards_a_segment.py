"""Keep which unit is responsible for a segment, where a file says so."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '10s'")
    op.execute("set local role huxian_owner")
    # Nullable and without a default: no row is rewritten; the check holds for every row that has none.
    op.add_column("segment", sa.Column("responsible_unit", sa.String(), nullable=True), schema="huxian")
    op.create_check_constraint(
        op.f("ck_segment_responsible_unit"), "segment", "responsible_unit <> ''", schema="huxian"
    )
    op.execute("reset role")


def downgrade() -> None:
    op.execute("set local lock_timeout = '10s'")
    op.drop_column("segment", "responsible_unit", schema="huxian")
