"""The outbox's tables, and how a file of an earlier release becomes one of this. See `outbox`."""

import sqlite3

SCHEMA_VERSION = 2

_SCHEMA = """
CREATE TABLE message (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    lane INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    put_us INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX message_by_lane ON message (lane, seq);
CREATE TABLE delivery (
    server TEXT NOT NULL,
    lane INTEGER NOT NULL,
    seq INTEGER NOT NULL REFERENCES message (seq) ON DELETE CASCADE,
    PRIMARY KEY (server, lane, seq)
) WITHOUT ROWID;
CREATE INDEX delivery_by_message ON delivery (seq);
CREATE TABLE total (messages INTEGER NOT NULL, bytes INTEGER NOT NULL);
INSERT INTO total VALUES (0, 0);
CREATE TRIGGER message_in AFTER INSERT ON message BEGIN
    UPDATE total SET messages = messages + 1, bytes = bytes + new.bytes;
END;
CREATE TRIGGER message_out AFTER DELETE ON message BEGIN
    UPDATE total SET messages = messages - 1, bytes = bytes - old.bytes;
END;
CREATE TABLE open_event (id TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE clip_job (
    event_id TEXT NOT NULL,
    short INTEGER NOT NULL,
    due_us INTEGER NOT NULL,
    best_us INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (event_id, short)
) WITHOUT ROWID;
CREATE TABLE shed (
    server TEXT NOT NULL,
    lane INTEGER NOT NULL,
    cause TEXT NOT NULL,
    count INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    first_us INTEGER NOT NULL,
    last_us INTEGER NOT NULL,
    PRIMARY KEY (server, lane, cause)
) WITHOUT ROWID;
CREATE TABLE day (day TEXT NOT NULL, bytes INTEGER NOT NULL);
INSERT INTO day VALUES ('', 0);
"""

# Of the first release's file nothing is lost; its clips were of whole events: long video now.
_FROM_1 = """
ALTER TABLE message RENAME TO message_1;
ALTER TABLE delivery RENAME TO delivery_1;
ALTER TABLE clip_job RENAME TO clip_job_1;
ALTER TABLE open_event RENAME TO open_event_1;
DROP TRIGGER message_in;
DROP TRIGGER message_out;
DROP INDEX message_by_lane;
DROP INDEX delivery_by_message;
DROP TABLE total;
{schema}
INSERT INTO message
    SELECT seq, id, iif(lane = 2, 4, lane), bytes, {now_us}, body FROM message_1 ORDER BY seq;
INSERT INTO delivery
    SELECT d.server, m.lane, m.seq FROM delivery_1 d JOIN message_1 o ON o.id = d.message_id
    JOIN message m ON m.seq = o.seq;
INSERT INTO clip_job SELECT event_id, 0, due_us, 0, body FROM clip_job_1;
INSERT INTO open_event SELECT id, body FROM open_event_1;
DROP TABLE delivery_1;
DROP TABLE message_1;
DROP TABLE clip_job_1;
DROP TABLE open_event_1;
"""


class NewerError(Exception):
    """A newer release wrote the file."""


def prepare(db: sqlite3.Connection, now_us: int) -> None:
    """Makes or migrates the tables. Raises NewerError and sqlite3.DatabaseError."""
    db.execute("PRAGMA journal_mode = WAL")
    # What has been written over is given back soon: on a small disk the log must not be what fills it.
    db.execute("PRAGMA wal_autocheckpoint = 64")
    db.execute("PRAGMA journal_size_limit = 262144")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise NewerError
    if version < SCHEMA_VERSION:
        steps = _SCHEMA if version == 0 else _FROM_1.format(schema=_SCHEMA, now_us=now_us)
        # Else a table that is renamed takes the references to it along.
        db.execute("PRAGMA legacy_alter_table = ON")
        db.executescript(f"BEGIN; {steps} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")
        db.execute("PRAGMA legacy_alter_table = OFF")
    db.execute("PRAGMA foreign_keys = ON")
