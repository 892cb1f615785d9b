"""Many revisions of events in one transaction: what a site brings after days without a link.

Each message has its own outcome; one that will never be taken harms no other. What is applied is noted
for the rules in the same transaction.
"""

import hashlib
from collections.abc import Sequence

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from camera_hub.model import Event
from camera_hub.store import alerts, events, inbox
from camera_hub.store.dating import Dating
from camera_hub.store.inbox import UnacceptableError
from camera_hub.store.records import Delivery, Outcome

Told = Sequence[tuple[str, Event]]
"""Messages: each one's id and what it tells."""


async def deliver(
    connection: AsyncConnection, site: str, told: Told, now_us: int, dating: Dating | None = None
) -> list[Delivery | UnacceptableError]:
    """What became of each. The caller holds the transaction."""
    ids = {event.id for _, event in told}
    known = await events.owners(connection, ids)
    refused: dict[int, UnacceptableError] = {}
    first: dict[str, int] = {}  # message → where it stands first
    contents: dict[str, str] = {}
    for number, (message_id, event) in enumerate(told):
        content = hashlib.sha256(msgspec.msgpack.encode(event)).hexdigest()
        try:
            inbox.check_event(message_id, event)
            events.refuse_foreign(known, site, event.id)
            inbox.refuse_other(message_id, contents.setdefault(message_id, content), content)
        except UnacceptableError as exc:
            refused[number] = exc
        else:
            first.setdefault(message_id, number)
    notes = await inbox.take(connection, site, {id_: contents[id_] for id_ in first}, now_us)
    new = [number for id_, number in first.items() if notes[id_] is True]
    applied = await events.put(connection, site, [told[number][1] for number in new], dating)
    kept = dict(zip(new, applied, strict=True))
    await alerts.to_judge(
        connection, site, {told[number][1].id for number, is_applied in kept.items() if is_applied}
    )
    stored = {one.event.id: one for one in await events.some(connection, list(ids))}

    def outcome(number: int, message_id: str, event: Event) -> Delivery | UnacceptableError:
        note = refused.get(number) or notes[message_id]
        if isinstance(note, UnacceptableError):
            return note
        if number in kept:
            return Delivery(Outcome.APPLIED if kept[number] else Outcome.STALE, stored.get(event.id))
        return Delivery(Outcome.DUPLICATE, stored.get(event.id))

    return [outcome(number, *one) for number, one in enumerate(told)]
