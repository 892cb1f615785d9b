"""The tables as they are after the newest migration. A test holds the two together."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
    }
)

meta = Table(
    "meta",
    metadata,
    Column("key", String(32), primary_key=True),
    Column("value", Text, nullable=False),
)
"""`written_by`: the newest release that wrote here, for the message to an older one."""

sites = Table(
    "sites",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("software", Text, nullable=False),
    Column("linked_us", BigInteger),
    Column("last_contact_us", BigInteger),
)

enrolments = Table(
    "enrolments",
    metadata,
    Column("site", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    # The worker's public key in base64; null until its code has been used.
    Column("key", String(64)),
    Column("key_us", BigInteger),
    Column("revoked_us", BigInteger),
    # What is kept of a one-time code: enough to check it, not enough to use it. In hexadecimal.
    Column("code_public", String(64)),
    Column("code_secret", String(64)),
    Column("code_expires_us", BigInteger),
    # The key that it was used for: the same worker may ask again when the answer was lost.
    Column("code_used_key", String(64)),
    # Who changed this last, as people called them then.
    Column("changed_by", Text, nullable=False),
    Column("changed_us", BigInteger, nullable=False),
    Index(None, "code_public", unique=True),
)
"""The sites that an administrator made; those of the config are in the config."""

cameras = Table(
    "cameras",
    metadata,
    Column("site", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("zones", JSON, nullable=False),
    Column("streams", JSON, nullable=False),
    Column("lines", JSON, nullable=False, server_default="[]"),
    Column("position", Integer, nullable=False),
    # A camera that its site no longer has keeps its name for its old events.
    Column("present", Boolean, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("site", String(64), nullable=False),
    Column("camera", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("start_us", BigInteger, nullable=False),
    Column("end_us", BigInteger),
    Column("revision", Integer, nullable=False),
    Column("score", Float, nullable=False),
    Column("zones", JSON, nullable=False),
    Column("box", JSON(none_as_null=True)),
    Column("path", JSON, nullable=False),
    Column("stays", JSON, nullable=False, server_default="[]"),
    Column("crossings", JSON, nullable=False, server_default="[]"),
    Column("entry", String(16)),
    Column("exit", String(16)),
    Column("mean_speed", Float, nullable=False, server_default="0"),
    Column("peak_speed", Float, nullable=False, server_default="0"),
    Column("cause", String(16)),
    Index(None, "start_us", "id"),
    Index(None, "site", "camera", "start_us", "id"),
    Index(None, "kind", "start_us", "id"),
)

event_zones = Table(
    "event_zones",
    metadata,
    Column("zone", String(200), primary_key=True),
    Column("event_id", String(26), ForeignKey("events.id", ondelete="CASCADE"), primary_key=True),
    Index(None, "event_id"),
)

media = Table(
    "media",
    metadata,
    # No foreign key: a picture may arrive before its event.
    Column("event_id", String(26), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("site", String(64), nullable=False),
    Column("path", Text, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Index(None, "at_us"),
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("event_id", String(26), ForeignKey("events.id", ondelete="CASCADE"), nullable=False),
    # Null where the verdict before was taken back.
    Column("verdict", String(16)),
    Column("note", Text, nullable=False),
    # The account, and what people called it then: an account may be renamed or go.
    Column("said_by", String(64), nullable=False),
    Column("said_by_name", Text, nullable=False),
    Column("said_us", BigInteger, nullable=False),
    Index(None, "event_id", "number"),
)

inbox = Table(
    "inbox",
    metadata,
    Column("site", String(64), primary_key=True),
    Column("message_id", String(64), primary_key=True),
    Column("received_us", BigInteger, nullable=False),
    # SHA-256 of what the message holds; null for what came before this was kept.
    Column("content", String(64)),
    Index(None, "received_us"),
)

users = Table(
    "users",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("display_name", Text, nullable=False),
    Column("role", String(16), nullable=False),
    Column("password_hash", Text, nullable=False),
    # Of the password that the config gave last; null for a user who is not of the config.
    Column("config_hash", Text),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("user", String(64), ForeignKey("users.name", ondelete="CASCADE"), nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
    Column("seen_us", BigInteger, nullable=False),
    Index(None, "user"),
)

rules = Table(
    "rules",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("body", JSON, nullable=False),
    # Those of the config are changed there.
    Column("from_config", Boolean, nullable=False),
    Column("position", Integer, nullable=False),
)

troubles = Table(
    "troubles",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("site", String(64), nullable=False),
    # Empty where it is of the whole site.
    Column("camera", String(64), nullable=False),
    Column("start_us", BigInteger, nullable=False),
    Column("end_us", BigInteger),
    Index(None, "start_us"),
)

unjudged = Table(
    "unjudged",
    metadata,
    # Events of which the rules have not heard yet; no foreign key: an event may go before they do.
    Column("event_id", String(26), primary_key=True),
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", String(26), primary_key=True),
    # The rule, and what people called it then: a rule may be renamed or go.
    Column("rule", String(64), nullable=False),
    Column("rule_name", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("site", String(64), nullable=False),
    Column("urgency", String(16), nullable=False),
    Column("opened_us", BigInteger, nullable=False),
    Column("known_us", BigInteger, nullable=False),
    Column("last_us", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("owner", String(64)),
    Column("owner_name", Text),
    Column("verdict", String(16)),
    Column("version", Integer, nullable=False),
    Column("told_steps", Integer, nullable=False),
    # When the next are to be told; null where nobody is.
    Column("due_us", BigInteger),
    Index(None, "opened_us", "id"),
    Index(None, "state", "opened_us"),
    Index(None, "due_us"),
)

alert_occurrences = Table(
    "alert_occurrences",
    metadata,
    # This key is what makes an occurrence part of one alert of a rule, and no second one.
    Column("rule", String(64), primary_key=True),
    Column("occurrence", String(26), primary_key=True),
    Column("alert", String(26), ForeignKey("alerts.id", ondelete="CASCADE"), nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("position", Integer, nullable=False),
    Index("ix_alert_occurrences_alert", "alert", "position"),
    Index(None, "occurrence"),
)

alert_steps = Table(
    "alert_steps",
    metadata,
    Column("alert", String(26), ForeignKey("alerts.id", ondelete="CASCADE"), primary_key=True),
    # The alert's version after it; two who act on the same version cannot both be kept.
    Column("version", Integer, primary_key=True),
    Column("act", String(16), nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("by", String(64)),
    Column("by_name", Text),
    Column("to", String(64)),
    Column("to_name", Text),
    Column("verdict", String(16)),
    Column("note", Text, nullable=False),
)

channels = Table(
    "channels",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("body", JSON, nullable=False),
    Column("from_config", Boolean, nullable=False),
    Column("position", Integer, nullable=False),
)

texts = Table(
    "texts",
    metadata,
    # The templates of messages in a language, where an administrator has changed them.
    Column("language", String(8), primary_key=True),
    Column("body", JSON, nullable=False),
)

subscriptions = Table(
    "subscriptions",
    metadata,
    # A browser that is told by Web Push (RFC 8030).
    Column("id", String(26), primary_key=True),
    Column("user", String(64), ForeignKey("users.name", ondelete="CASCADE"), nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("p256dh", Text, nullable=False),
    Column("auth", Text, nullable=False),
    Column("language", String(8), nullable=False),
    Column("device", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    UniqueConstraint("endpoint"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("alert", String(26), ForeignKey("alerts.id", ondelete="CASCADE"), nullable=False),
    Column("channel", String(64), nullable=False),
    # Of a channel that reaches many: which of them; empty otherwise.
    Column("target", String(64), nullable=False),
    Column("what", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("due_us", BigInteger),
    Column("ended_us", BigInteger),
    Column("error", Text, nullable=False),
    UniqueConstraint("alert", "channel", "target", "what"),
    Index(None, "due_us"),
    Index(None, "channel", "created_us"),
)

wishes = Table(
    "wishes",
    metadata,
    # What was wanted of a setting of a camera: the greatest version holds, the others are its history.
    Column("site", String(64), primary_key=True),
    Column("camera", String(64), primary_key=True),
    Column("key", String(16), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("value", Text, nullable=False),  # JSON; null: as the hamlet has it
    Column("by", String(64), nullable=False),
    Column("by_name", Text, nullable=False),  # as people called them then
    Column("said_us", BigInteger, nullable=False),
    # What the worker answered; null while it has not.
    Column("outcome", String(16)),
    Column("why", String(32)),
    Column("detail", Text, nullable=False),
    Column("answered_us", BigInteger),
)
