"""What people said of an event: real, false, a test."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "verdicts",
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=True),
        sa.Column("event_id", sa.String(26), nullable=False),
        sa.Column("verdict", sa.String(16)),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("said_by", sa.String(64), nullable=False),
        sa.Column("said_by_name", sa.Text(), nullable=False),
        sa.Column("said_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_verdicts"),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name="fk_verdicts_event_id", ondelete="CASCADE"),
    )
    op.create_index("ix_verdicts_event_id_number", "verdicts", ["event_id", "number"])
