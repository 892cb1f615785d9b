"""What was taken out of an event's times, since they cannot be right; what is to be judged, by its site."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("unjudged", sa.Column("site", sa.String(64), nullable=False, server_default=""))
    op.execute(
        "UPDATE unjudged SET site = "
        "COALESCE((SELECT events.site FROM events WHERE events.id = unjudged.event_id), '')"
    )
    op.create_index("ix_unjudged_site_event_id", "unjudged", ["site", "event_id"])
    op.add_column("events", sa.Column("clock_off_us", sa.BigInteger(), nullable=False, server_default="0"))
