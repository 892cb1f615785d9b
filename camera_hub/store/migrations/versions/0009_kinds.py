"""The wall asks for the last tampers: with this it need not read all events for them."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_events_kind_start_us_id", "events", ["kind", "start_us", "id"])
