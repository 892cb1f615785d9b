"""Alerts: their rules, what belongs to them, their history, whom they were told to."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rules",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("from_config", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_rules"),
    )
    op.create_table(
        "troubles",
        sa.Column("id", sa.String(26), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("site", sa.String(64), nullable=False),
        sa.Column("camera", sa.String(64), nullable=False),
        sa.Column("start_us", sa.BigInteger(), nullable=False),
        sa.Column("end_us", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_troubles"),
    )
    op.create_index("ix_troubles_start_us", "troubles", ["start_us"])
    op.create_table(
        "unjudged",
        sa.Column("event_id", sa.String(26), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name="pk_unjudged"),
    )
    _create_alerts()
    _create_telling()


def _create_alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", sa.String(26), nullable=False),
        sa.Column("rule", sa.String(64), nullable=False),
        sa.Column("rule_name", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("site", sa.String(64), nullable=False),
        sa.Column("urgency", sa.String(16), nullable=False),
        sa.Column("opened_us", sa.BigInteger(), nullable=False),
        sa.Column("known_us", sa.BigInteger(), nullable=False),
        sa.Column("last_us", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("owner", sa.String(64)),
        sa.Column("owner_name", sa.Text()),
        sa.Column("verdict", sa.String(16)),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("told_steps", sa.Integer(), nullable=False),
        sa.Column("due_us", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_alerts"),
    )
    op.create_index("ix_alerts_opened_us_id", "alerts", ["opened_us", "id"])
    op.create_index("ix_alerts_state_opened_us", "alerts", ["state", "opened_us"])
    op.create_index("ix_alerts_due_us", "alerts", ["due_us"])
    op.create_table(
        "alert_occurrences",
        sa.Column("rule", sa.String(64), nullable=False),
        sa.Column("occurrence", sa.String(26), nullable=False),
        sa.Column("alert", sa.String(26), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("rule", "occurrence", name="pk_alert_occurrences"),
        sa.ForeignKeyConstraint(
            ["alert"], ["alerts.id"], name="fk_alert_occurrences_alert", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_alert_occurrences_alert", "alert_occurrences", ["alert", "position"])
    op.create_index("ix_alert_occurrences_occurrence", "alert_occurrences", ["occurrence"])
    op.create_table(
        "alert_steps",
        sa.Column("alert", sa.String(26), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("act", sa.String(16), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(64)),
        sa.Column("by_name", sa.Text()),
        sa.Column("to", sa.String(64)),
        sa.Column("to_name", sa.Text()),
        sa.Column("verdict", sa.String(16)),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("alert", "version", name="pk_alert_steps"),
        sa.ForeignKeyConstraint(["alert"], ["alerts.id"], name="fk_alert_steps_alert", ondelete="CASCADE"),
    )


def _create_telling() -> None:
    op.create_table(
        "channels",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("from_config", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_channels"),
    )
    op.create_table(
        "texts",
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("language", name="pk_texts"),
    )
    op.create_table(
        "subscriptions",
        sa.Column("id", sa.String(26), nullable=False),
        sa.Column("user", sa.String(64), nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("p256dh", sa.Text(), nullable=False),
        sa.Column("auth", sa.Text(), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_subscriptions"),
        sa.ForeignKeyConstraint(["user"], ["users.name"], name="fk_subscriptions_user", ondelete="CASCADE"),
        sa.UniqueConstraint("endpoint", name="uq_subscriptions_endpoint"),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.String(26), nullable=False),
        sa.Column("alert", sa.String(26), nullable=False),
        sa.Column("channel", sa.String(64), nullable=False),
        sa.Column("target", sa.String(64), nullable=False),
        sa.Column("what", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("due_us", sa.BigInteger()),
        sa.Column("ended_us", sa.BigInteger()),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.ForeignKeyConstraint(["alert"], ["alerts.id"], name="fk_deliveries_alert", ondelete="CASCADE"),
        sa.UniqueConstraint("alert", "channel", "target", "what", name="uq_deliveries_alert"),
    )
    op.create_index("ix_deliveries_due_us", "deliveries", ["due_us"])
    op.create_index("ix_deliveries_channel_created_us", "deliveries", ["channel", "created_us"])
