"""Which lines were crossed, how long in which zone, how fast, from where to where; and the cameras' lines."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("cameras", sa.Column("lines", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("events", sa.Column("stays", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("events", sa.Column("crossings", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("events", sa.Column("entry", sa.String(16)))
    op.add_column("events", sa.Column("exit", sa.String(16)))
    op.add_column("events", sa.Column("mean_speed", sa.Float(), nullable=False, server_default="0"))
    op.add_column("events", sa.Column("peak_speed", sa.Float(), nullable=False, server_default="0"))
