"""The sites that an administrator made, with their workers' keys and one-time codes."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "enrolments",
        sa.Column("site", sa.String(64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key", sa.String(64)),
        sa.Column("key_us", sa.BigInteger()),
        sa.Column("revoked_us", sa.BigInteger()),
        sa.Column("code_public", sa.String(64)),
        sa.Column("code_secret", sa.String(64)),
        sa.Column("code_expires_us", sa.BigInteger()),
        sa.Column("code_used_key", sa.String(64)),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site", name="pk_enrolments"),
    )
    op.create_index("ix_enrolments_code_public", "enrolments", ["code_public"], unique=True)
