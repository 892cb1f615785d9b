"""What a message was, so that another under its id is noticed."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Null for what came before, of which nobody knows.
    op.add_column("inbox", sa.Column("content", sa.String(64)))
