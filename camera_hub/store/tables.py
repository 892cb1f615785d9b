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
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
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
