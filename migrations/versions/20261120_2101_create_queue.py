"""Create the tables of the job queue, procrastinate, in a schema of their own."""

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The schema belongs to the pinned release of procrastinate; moving that pin needs a revision
    # that runs the migration files which come with it.
    op.execute("set local lock_timeout = '10s'")
    op.execute("set local role huxian_owner")
    op.execute("set local search_path = jobs, public")
    # The script holds percent signs and colons, which the text() of op.execute would read as binds.
    op.get_bind().connection.driver_connection.execute(SchemaManager.get_schema())
    op.execute("grant select, insert, update, delete on all tables in schema jobs to huxian_app")
    op.execute("grant usage on all sequences in schema jobs to huxian_app")
    op.execute("reset role")
    op.execute("set search_path = public")


def downgrade() -> None:
    op.execute("drop schema jobs cascade")
    op.execute("create schema jobs authorization huxian_owner")
    op.execute("grant usage on schema jobs to huxian_app")
