"""Find runs by their kind: lists of one kind, newest first."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '10s'")
    op.execute("set local role huxian_owner")
    # Runs are counted in thousands: building this index takes no time worth a concurrent build.
    op.create_index("ix_run_kind", "run", ["kind", "id"], unique=False, schema="huxian")
    op.execute("reset role")


def downgrade() -> None:
    op.execute("set local lock_timeout = '10s'")
    op.drop_index("ix_run_kind", table_name="run", schema="huxian")
