"""How much was taken out of an event's times, where its site's clock cannot have been right."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("events", sa.Column("clock_off_us", sa.BigInteger(), nullable=False, server_default="0"))
