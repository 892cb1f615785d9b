"""Verdicts: what those who looked at an event say that it was. They are the labels of the replay lab.

The newest one counts and reaches every browser at once; what was said before is kept.
"""

from typing import Annotated

import structlog
from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from camera_hub.model import Refusal, Verdict
from camera_hub.server.events import EventId
from camera_hub.server.parts import Parts, parts_of
from camera_hub.server.problems import Problem, problems
from camera_hub.server.rights import Right, needs
from camera_hub.server.shapes import Event, event_shape
from camera_hub.store import SessionRecord

log = structlog.get_logger(__name__)

router = APIRouter(tags=["events"])

MAX_NOTE = 500

Tools = Annotated[Parts, Depends(parts_of)]
Officer = Annotated[SessionRecord, needs(Right.VERDICTS)]


class NewVerdict(BaseModel):
    """What the event was, with a note where there is more to say."""

    verdict: Verdict
    note: str = Field(default="", max_length=MAX_NOTE, pattern=r"^[^\x00]*$")


@router.put("/api/events/{id}/verdict", responses=problems(404))
async def put_verdict(id: EventId, given: NewVerdict, session: Officer, parts: Tools) -> Event:  # noqa: A002
    """Say what an event was. It takes the place of what was said before; said twice, it counts once."""
    return await _judge(parts, session, id, given.verdict, given.note.strip())


@router.delete("/api/events/{id}/verdict", responses=problems(404))
async def delete_verdict(id: EventId, session: Officer, parts: Tools) -> Event:  # noqa: A002
    """Take back what was said of an event; where nothing was, nothing changes."""
    return await _judge(parts, session, id, None, "")


async def _judge(
    parts: Parts, session: SessionRecord, event_id: str, verdict: Verdict | None, note: str
) -> Event:
    judged = await parts.store.judge(event_id, verdict, note, session.user)
    if judged is None:
        raise Problem(
            404,
            f"There is no event {event_id}; it may have been removed after its time.",
            code=Refusal.NO_EVENT,
        )
    stored, changed = judged
    shape = event_shape(stored)
    if changed:
        log.info("verdict", event_id=event_id, verdict=verdict and verdict.value, user=session.user.name)
        parts.updates.publish("event", shape)
    return shape
