"""What is wanted of cameras, by whom, and what became of it."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "wishes",
        sa.Column("site", sa.String(64), nullable=False),
        sa.Column("camera", sa.String(64), nullable=False),
        sa.Column("key", sa.String(16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("by", sa.String(64), nullable=False),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.Column("said_us", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(16)),
        sa.Column("why", sa.String(32)),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("answered_us", sa.BigInteger()),
        sa.PrimaryKeyConstraint("site", "camera", "key", "version", name="pk_wishes"),
    )
