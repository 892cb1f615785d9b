"""Which durable messages have taken effect, and what a message must be to be taken. See invariant 1.

A message is known by its id, and by the hash of what it holds: an id that comes again with something else is
nobody's repetition, and is refused.
"""

import math
import re
from collections.abc import Mapping

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from camera_hub.model import Event
from camera_hub.store.database import StoreError
from camera_hub.store.records import is_ulid
from camera_hub.store.tables import inbox

MAX_INSTANT_US = 253_402_300_799_999_999  # the end of the year 9999
MAX_ZONES = 100
MAX_PATH = 20_000
MAX_CROSSINGS = 1000
_MESSAGE_ID = re.compile(r"[\x21-\x7e]{1,64}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CAMERA_ID = re.compile(r"[a-z0-9-]{1,64}")


class UnacceptableError(StoreError):
    """A message that will never be taken, however often it is sent."""


async def take(
    connection: AsyncConnection, site: str, contents: Mapping[str, str], now_us: int
) -> dict[str, bool | UnacceptableError]:
    """Notes messages, by id with the hash of what each holds.

    Of each: True where it is new, False where it was here before, an error where another was.
    """
    if not contents:
        return {}
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    rows = [
        {"site": site, "message_id": id_, "received_us": now_us, "content": content}
        for id_, content in contents.items()
    ]
    statement = insert(inbox).on_conflict_do_nothing().returning(inbox.c.message_id)
    new = set((await connection.scalars(statement, rows)).all())
    found: dict[str, bool | UnacceptableError] = dict.fromkeys(new, True)
    if len(new) < len(contents):
        there = [id_ for id_ in contents if id_ not in new]
        found.update(await _compared(connection, site, {id_: contents[id_] for id_ in there}))
    return found


async def taken(connection: AsyncConnection, site: str, message_id: str, content: str | None) -> bool:
    """Whether the message was here before; `content` None: whatever it held.

    Raises UnacceptableError where another was.
    """
    outcome = (await _compared(connection, site, {message_id: content})).get(message_id, True)
    if isinstance(outcome, UnacceptableError):
        raise outcome
    return not outcome


async def _compared(
    connection: AsyncConnection, site: str, contents: Mapping[str, str | None]
) -> dict[str, bool | UnacceptableError]:
    """Of those messages that were here before: False, or an error where it was another."""
    query = select(inbox.c.message_id, inbox.c.content)
    query = query.where(inbox.c.site == site, inbox.c.message_id.in_(contents))
    found: dict[str, bool | UnacceptableError] = {}
    for id_, before in (await connection.execute(query)).all():
        found[id_] = False
        try:
            refuse_other(id_, before, contents[id_])
        except UnacceptableError as exc:
            found[id_] = exc
    return found


def refuse_other(message_id: str, before: str | None, content: str | None) -> None:
    """Raises UnacceptableError where a message held one thing before and now another; None is not known."""
    if None not in (before, content) and before != content:
        raise UnacceptableError(
            f"message {message_id} was here before and held something else; it is not taken"
        )


async def forget_before(connection: AsyncConnection, before_us: int) -> None:
    await connection.execute(delete(inbox).where(inbox.c.received_us < before_us))


def check_message(message_id: str, event_id: str, camera: str, *instants_us: int) -> None:
    """Raises UnacceptableError. Ids become parts of paths, so nothing else may pass."""
    if not _MESSAGE_ID.fullmatch(message_id):
        raise UnacceptableError("a message's id must be 1 to 64 printable ASCII characters")
    if not is_ulid(event_id):
        raise UnacceptableError(f"message {message_id}: the event's id is no ULID")
    if not _CAMERA_ID.fullmatch(camera):
        raise UnacceptableError(f"message {message_id}: a camera's id is of a-z, 0-9 and -")
    if not all(0 <= instant_us <= MAX_INSTANT_US for instant_us in instants_us):
        raise UnacceptableError(f"message {message_id}: its time is out of range; check the worker's clock")


def check_clip(message_id: str, sha256: str) -> None:
    """Raises UnacceptableError. The rest is checked when it is delivered."""
    if not _MESSAGE_ID.fullmatch(message_id):
        raise UnacceptableError("a message's id must be 1 to 64 printable ASCII characters")
    if not _SHA256.fullmatch(sha256):
        raise UnacceptableError(f"message {message_id}: its hash is no SHA-256 in hexadecimal")


def check_event(message_id: str, event: Event) -> None:
    """Raises UnacceptableError."""
    check_message(message_id, event.id, event.camera, event.start_us, event.end_us or event.start_us)
    if event.end_us is not None and event.end_us < event.start_us:
        raise UnacceptableError(f"message {message_id}: the event ends before it starts")
    if not 0 < event.revision < 2**31:
        raise UnacceptableError(f"message {message_id}: the event's revision is out of range")
    if len(event.zones) > MAX_ZONES or any(not 0 < len(zone) <= 200 for zone in event.zones):
        raise UnacceptableError(f"message {message_id}: too many zones, or a name over 200 characters")
    if len(event.path) > MAX_PATH or any(abs(t_us) > MAX_INSTANT_US for t_us, _, _ in event.path):
        raise UnacceptableError(f"message {message_id}: the event's path is too long")
    _check_journeys(message_id, event)
    numbers = [event.score, event.mean_speed, event.peak_speed, *(event.box or ())]
    numbers += [number for _, x, y in event.path for number in (x, y)]
    if not all(math.isfinite(number) for number in numbers):
        raise UnacceptableError(f"message {message_id}: a number of the event is not finite")


def _check_journeys(message_id: str, event: Event) -> None:
    if len(event.stays) > MAX_ZONES or len(event.crossings) > MAX_CROSSINGS:
        raise UnacceptableError(f"message {message_id}: too many times in zones, or crossings of lines")
    names = [name for name, _ in event.stays]
    names += [name for crossing in event.crossings for name in (crossing.line, crossing.to_is)]
    if any(len(name) > 200 for name in names):
        raise UnacceptableError(f"message {message_id}: the name of a zone or line has over 200 characters")
    times = [time_us for _, time_us in event.stays] + [crossing.at_us for crossing in event.crossings]
    if any(abs(time_us) > MAX_INSTANT_US for time_us in times):
        raise UnacceptableError(f"message {message_id}: a time in a zone or at a line is out of range")
