"""The outbox: nothing lost, nothing twice, the urgent first, bounded, and true over a restart."""

import contextlib
import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from camera_hub.ingest.outbox import ClipJob, Due, Outbox
from camera_hub.link.messages import Durable, EventClip, EventNews, EventPicture, Lane, Shed, ShedCause
from camera_hub.model import Event, EventKind, HubError
from tests.support import needs
from tests.support.clocks import START_US, HandClock

DAY_S = 86_400


def event(number: int, revision: int = 1, end_us: int | None = None, camera: str = "a") -> Event:
    return Event(
        id=f"E{number:04}",
        camera=camera,
        kind=EventKind.MOTION,
        start_us=number * 1_000_000,
        end_us=end_us,
        revision=revision,
    )


def clip_of(of: Event, size: int = 10, short: bool = False) -> EventClip:
    id_ = f"{'S' if short else 'C'}{of.id}"
    return EventClip(id_, of.id, of.camera, start_us=0, duration_us=1, mp4=b"m" * size, short=short)


def job_of(of: Event, short: bool = False) -> ClipJob:
    return ClipJob(of, short, 0)


def waiting(box: Outbox, server: str = "s", limit: int = 1000) -> list[Durable]:
    """All that a server has not acknowledged, lane by lane."""
    return [one.message for lane in Lane for one in box.unacknowledged(server, lane, 0, None, limit)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "worker.db"


def test_facts_go_before_pictures_and_pictures_before_clips(path: Path) -> None:
    box = Outbox(path, ["s"])
    first, second = event(1), event(2)
    box.put_event(first, b"jpeg", 5)
    box.put_clip(clip_of(first), job_of(first))
    box.put_event(second, b"jpeg", 6)
    kinds = [type(m) for m in waiting(box, "s")]
    assert kinds == [EventNews, EventNews, EventPicture, EventPicture, EventClip]
    assert box.depth == 5


def test_each_server_has_its_own_place(path: Path) -> None:
    box = Outbox(path, ["hamlet", "commune"])
    box.put_event(event(1), None, 0)
    (message,) = waiting(box, "hamlet")
    box.acknowledge("hamlet", [message.id])
    box.acknowledge("hamlet", [message.id])
    assert waiting(box, "hamlet") == []
    assert waiting(box, "commune") == [message]
    assert box.depth == 1
    box.acknowledge("commune", [message.id])
    assert box.depth == 0


def test_what_was_put_in_later_has_a_greater_number_and_none_comes_twice(path: Path) -> None:
    box = Outbox(path, ["s"])
    assert box.newest() == 0
    for number in range(3):
        box.put_event(event(number), None, 0)
    newest = box.newest()
    box.acknowledge("s", [message.id for message in waiting(box)])
    assert box.newest() == newest
    box.put_event(event(4), None, 0)
    assert box.unacknowledged("s", Lane.EVENT, 0, newest, 10) == []
    ((number, message),) = box.unacknowledged("s", Lane.EVENT, newest, None, 10)
    assert number > newest
    assert box.unacknowledged("s", Lane.EVENT, number, None, 10) == []
    assert isinstance(message, EventNews)
    assert message.event == event(4)


def test_all_is_there_after_a_restart(path: Path) -> None:
    box = Outbox(path, ["s"])
    box.put_event(event(1), b"jpeg", 5, [Due(False, 7)])
    before = waiting(box, "s")
    box.close()
    again = Outbox(path, ["s"])
    assert waiting(again, "s") == before
    assert again.open_events() == [event(1)]
    assert again.clip_jobs(7) == [ClipJob(event(1), False, 5)]
    assert again.depth == 2


def test_a_server_that_left_the_config_keeps_nothing(path: Path) -> None:
    box = Outbox(path, ["old", "new"])
    box.put_event(event(1), None, 0)
    box.close()
    assert Outbox(path, ["new"]).depth == 1
    assert Outbox(path, ["other"]).depth == 0


def test_an_event_is_open_until_it_is_closed(path: Path) -> None:
    box = Outbox(path, ["s"])
    box.put_event(event(1), None, 0)
    box.put_event(event(1, revision=2), None, 0)
    assert box.open_events() == [event(1, revision=2)]
    box.put_event(event(1, revision=3, end_us=9), None, 0)
    assert box.open_events() == []


def test_a_clip_job_outlives_a_clip_of_an_older_revision(path: Path) -> None:
    box = Outbox(path, ["s"])
    opened, closed = event(1), event(1, revision=2, end_us=9)
    box.put_event(opened, None, 0, [Due(False, 10)])
    box.put_event(closed, None, 0, [Due(False, 20)])
    box.put_clip(clip_of(opened), job_of(opened))
    assert box.clip_jobs(19) == []
    assert box.clip_jobs(20) == [job_of(closed)]
    box.postpone_clip_job(job_of(closed), 30)
    assert box.clip_jobs(29) == []
    box.drop_clip_job(job_of(closed))
    assert box.clip_jobs(99) == []


def test_over_its_bound_long_clips_go_first_then_short_ones_and_facts_never(path: Path) -> None:
    box = Outbox(path, ["s", "t"], max_bytes=9700)
    box.put_event(event(1), b"p" * 2000, 5)
    box.put_clip(clip_of(event(1), 2000, short=True), job_of(event(1), short=True))
    box.put_clip(clip_of(event(1), 2000), job_of(event(1)))
    box.put_clip(clip_of(event(2), 2000), job_of(event(2)))
    box.acknowledge("t", ["CE0001"])
    box.put_event(event(2), b"p" * 2000, 5)
    assert "CE0001" not in [message.id for message in waiting(box)]  # the oldest of the least
    box.put_event(event(3), b"p" * 2000, 5)
    kinds = [type(m) for m in waiting(box)]
    assert kinds == [EventNews] * 3 + [EventPicture] * 3 + [EventClip]
    box.put_event(event(4), b"p" * 2000, 5)
    assert [type(m) for m in waiting(box)] == [EventNews] * 4 + [EventPicture] * 4
    for number in range(5, 12):
        box.put_event(event(number), None, 0)
    kinds = [type(m) for m in waiting(box)]
    assert kinds.count(EventNews) == 11
    assert 0 < kinds.count(EventPicture) < 4
    told = {(shed.lane, shed.cause): shed.count for shed in box.shed["s"]}
    assert told[Lane.VIDEO, ShedCause.FULL] == 2
    assert told[Lane.CLIP, ShedCause.FULL] == 1
    # The other server has one of them, and is not told of it.
    assert {shed.lane: shed.count for shed in box.shed["t"]}[Lane.VIDEO] == 1
    box.close()
    again = Outbox(path, ["s"])
    assert {(shed.lane, shed.cause): shed.count for shed in again.shed["s"]} == told
    assert "t" not in again.shed


def test_what_waited_too_long_goes_facts_too_and_is_told_of_for_a_time(path: Path) -> None:
    clock = HandClock()
    box = Outbox(path, ["s"], keep_days=10, clock=clock)
    box.put_event(event(1), b"p", 5)
    clock.go(5 * DAY_S)
    box.put_event(event(2), None, 0)
    clock.go(5 * DAY_S + 1)
    box.shed_old()
    assert box.depth == 3  # the clock may be wrong, and mended soon
    box.shed_old()
    assert [message.event for message in waiting(box) if isinstance(message, EventNews)] == [event(2)]
    assert box.shed["s"] == (
        Shed(Lane.EVENT, ShedCause.OLD, 1, box.shed["s"][0].bytes, START_US, START_US),
        Shed(Lane.PICTURE, ShedCause.OLD, 1, box.shed["s"][1].bytes, START_US, START_US),
    )
    assert box.waiting == {"s": 1}
    clock.go(60 * DAY_S)
    box.close()
    assert Outbox(path, ["s"], clock=clock).shed == {}


def test_a_clock_that_was_not_set_costs_nothing(path: Path) -> None:
    box = Outbox(path, ["s"], clock=HandClock(start_us=5))  # 1970
    box.put_event(event(1), None, 0)
    box.close()
    again = Outbox(path, ["s"], keep_days=1, clock=HandClock())
    again.shed_old()
    again.shed_old()
    assert again.depth == 1


def test_a_short_clip_is_cut_once_and_a_long_one_when_the_event_is_over(path: Path) -> None:
    box = Outbox(path, ["s"])
    opened, changed, closed = event(1), event(1, revision=2), event(1, revision=3, end_us=9)
    box.put_event(opened, b"p", 3, [Due(True, 10)])
    box.put_event(changed, b"p", 7, [Due(True, 10, only_sooner=True)])
    assert box.clip_jobs(9) == []
    job = ClipJob(changed, True, 7)
    assert box.clip_jobs(10) == [job]
    box.put_clip(clip_of(changed, short=True), job)
    box.put_event(closed, None, 0, [Due(True, 8, only_sooner=True), Due(False, 8)])
    assert box.clip_jobs(99) == [job_of(closed)]


def test_of_a_short_event_there_is_one_clip(path: Path) -> None:
    box = Outbox(path, ["s"])
    box.put_event(event(1), None, 0, [Due(True, 10)])
    closed = event(1, revision=2, end_us=2)
    box.put_event(closed, None, 0, [Due(True, 8, only_sooner=True), Due(False, 8)])
    short, whole = box.clip_jobs(8, limit=9)
    assert (short.short, whole.short) == (True, False)
    box.put_clip(clip_of(closed, short=True), short, is_all=True)
    assert box.clip_jobs(99) == []


def test_the_first_releases_file_is_taken_over_whole(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.executescript(FIRST_RELEASE)
        told: list[tuple[int, Durable]] = [
            (0, EventNews("m1", event(1))),
            (1, EventPicture("p1", event(1).id, "a", 5, b"jpeg")),
            (2, clip_of(event(1))),
            (0, EventNews("m2", event(2))),
        ]
        for number, (lane, message) in enumerate(told, start=7):
            body = msgspec.msgpack.encode(message)
            db.execute(
                "INSERT INTO message VALUES (?, ?, ?, ?, ?)", (number, message.id, lane, len(body), body)
            )
            db.execute("INSERT INTO delivery VALUES ('s', ?)", (message.id,))
        db.execute("INSERT INTO delivery VALUES ('t', 'm2')")
        body = msgspec.msgpack.encode(event(2))
        db.execute("INSERT INTO open_event VALUES (?, ?)", (event(2).id, body))
        db.execute("INSERT INTO clip_job VALUES (?, 20, ?)", (event(2).id, body))
        db.commit()
    box = Outbox(path, ["s", "t"])
    assert [message.id for message in waiting(box)] == ["m1", "m2", "p1", clip_of(event(1)).id]
    assert [message.id for message in waiting(box, "t")] == ["m2"]
    assert len(box.unacknowledged("s", Lane.VIDEO, 0, None, 9)) == 1
    assert (box.depth, box.newest(), box.waiting) == (4, 10, {"s": 4, "t": 1})
    assert box.open_events() == [event(2)]
    assert box.clip_jobs(20) == [job_of(event(2))]
    box.acknowledge("s", ["m1", "m2", "p1", clip_of(event(1)).id])
    box.acknowledge("t", ["m2"])
    assert box.depth == 0
    box.put_event(event(3), None, 0)
    assert box.newest() == 11


FIRST_RELEASE = """
CREATE TABLE message (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    lane INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX message_by_lane ON message (lane, seq);
CREATE TABLE delivery (
    server TEXT NOT NULL,
    message_id TEXT NOT NULL REFERENCES message (id) ON DELETE CASCADE,
    PRIMARY KEY (server, message_id)
) WITHOUT ROWID;
CREATE INDEX delivery_by_message ON delivery (message_id);
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
    event_id TEXT PRIMARY KEY,
    due_us INTEGER NOT NULL,
    body BLOB NOT NULL
) WITHOUT ROWID;
PRAGMA user_version = 1;
"""


def test_the_days_volume_is_there_after_a_restart(path: Path) -> None:
    box = Outbox(path, ["s"])
    assert box.spent() == ("", 0)
    box.spend("2026-11-25", 77)
    box.close()
    assert Outbox(path, ["s"]).spent() == ("2026-11-25", 77)


def test_a_newer_file_is_refused_in_words(path: Path) -> None:
    Outbox(path, ["s"]).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(HubError, match="newer camera-hub"):
        Outbox(path, ["s"])


def test_a_file_that_is_no_database_is_refused_in_words(path: Path) -> None:
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(HubError, match="move the file away"):
        Outbox(path, ["s"])


def fill(box: Outbox) -> None:
    for number in range(20, 400):
        box.put_event(event(number), b"p" * 10_000, 5)


def test_a_disk_that_fills_up_in_the_middle_loses_nothing(tmp_path: Path) -> None:
    with needs.small_disk(tmp_path / "disk", 2_000_000) as disk:
        box = Outbox(disk / "worker.db", ["s"])
        for number in range(20):
            box.put_event(event(number), b"p" * 10_000, 5)
        kept = waiting(box, "s")
        with (disk / "filler").open("wb", buffering=0) as filler, contextlib.suppress(OSError):
            while True:
                filler.write(b"x" * 4096)
        with pytest.raises(sqlite3.OperationalError, match="full"):
            fill(box)
        depth = box.depth
        assert depth == len(waiting(box, "s"))
        (disk / "filler").unlink()
        box.put_event(event(500), None, 0)
        box.acknowledge("s", [message.id for message in kept])
        assert box.depth == depth + 1 - len(kept)
        box.close()
        assert Outbox(disk / "worker.db", ["s"]).depth == depth + 1 - len(kept)
