"""Browsers that ask to be told by Web Push: each person's own, and nobody else's."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field
from ulid import ULID

from camera_hub.alerts.telling.message import NotDeliveredError
from camera_hub.config.alerts import ChannelConfig
from camera_hub.server.parts import Parts, parts_of
from camera_hub.server.problems import Problem, problems
from camera_hub.server.rights import Right, needs
from camera_hub.server.shapes import instant
from camera_hub.store import ULID_PATTERN, SessionRecord
from camera_hub.store.alert_records import Subscription

router = APIRouter(tags=["alerts"])

MOST_SUBSCRIPTIONS = 10  # of one account

_THIS = ChannelConfig(id="test", name="test", kind="push")

Tools = Annotated[Parts, Depends(parts_of)]
SubscriptionId = Annotated[str, Path(pattern=f"^{ULID_PATTERN}$", description="A ULID")]
Account = Annotated[SessionRecord, needs(Right.ALERTS)]
Endpoint = Annotated[str, Field(max_length=2000, pattern=r"^https://[!-~]+$")]


class PushKeyShape(BaseModel):
    key: str = Field(description="The `applicationServerKey` of a browser's subscription")


class NewSubscription(BaseModel):
    """A browser's PushSubscription. What is left out stays as it was."""

    endpoint: Endpoint
    p256dh: Annotated[str, Field(max_length=200, pattern=r"^[A-Za-z0-9_=-]{80,}$")]
    auth: Annotated[str, Field(max_length=100, pattern=r"^[A-Za-z0-9_=-]{20,}$")]
    language: Literal["vi", "en"] | None = None
    device: Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")] | None = None
    replaces: Endpoint | None = Field(default=None, description="The browser's endpoint until now")


class SubscriptionShape(BaseModel):
    id: str
    device: str = Field(description="What the browser calls itself (its User-Agent)")
    language: Literal["vi", "en"]
    since: datetime


class Subscriptions(BaseModel):
    devices: list[SubscriptionShape] = Field(description="Oldest first")


@router.get("/api/push", dependencies=[needs(Right.ALERTS)])
async def get_push_key(parts: Tools) -> PushKeyShape:
    """What a browser needs to subscribe."""
    return PushKeyShape(key=parts.push_key.public_text())


@router.get("/api/push/devices")
async def list_subscriptions(session: Account, parts: Tools) -> Subscriptions:
    """The browsers in which you are told."""
    mine = await parts.store.alerts.subscriptions(session.user.name)
    return Subscriptions(devices=[_shape(one) for one in mine])


@router.post("/api/push", status_code=201, responses=problems(409))
async def subscribe(given: NewSubscription, session: Account, parts: Tools) -> SubscriptionShape:
    """Have this browser told of alerts. Asked again, it is still the same browser."""
    mine = await parts.store.alerts.subscriptions(session.user.name)
    before = next((one for one in mine if one.endpoint in (given.endpoint, given.replaces)), None)
    if before is None and len(mine) >= MOST_SUBSCRIPTIONS:
        raise Problem(
            409, f"{MOST_SUBSCRIPTIONS} browsers of yours are told already; switch one of them off."
        )
    made = Subscription(
        id=before.id if before else str(ULID()),
        user=session.user.name,
        endpoint=given.endpoint,
        p256dh=given.p256dh,
        auth=given.auth,
        language=given.language or (before.language if before else "vi"),
        device=given.device or (before.device if before else ""),
        created_us=before.created_us if before else parts.clock.wall_us(),
    )
    await parts.store.alerts.put_subscription(made)
    return _shape(made)


@router.post("/api/push/{id}/test", status_code=204, responses=problems(404, 502))
async def test_subscription(id: SubscriptionId, session: Account, parts: Tools) -> None:  # noqa: A002
    """Send a message to this browser that says it is a test, now."""
    if all(one.id != id for one in await parts.store.alerts.subscriptions(session.user.name)):
        raise _none()
    try:
        await parts.messages.test(_THIS, id)
    except NotDeliveredError as exc:
        if exc.gone:
            await parts.messages.gone(id)
        raise Problem(502, f"It was not delivered: {exc}.") from exc


@router.delete("/api/push/{id}", status_code=204, responses=problems(404))
async def unsubscribe(id: SubscriptionId, session: Account, parts: Tools) -> None:  # noqa: A002
    """Have this browser told no more."""
    if not await parts.store.alerts.remove_subscription(id, session.user.name):
        raise _none()


def _shape(stored: Subscription) -> SubscriptionShape:
    return SubscriptionShape(
        id=stored.id,
        device=stored.device,
        language="en" if stored.language == "en" else "vi",
        since=instant(stored.created_us),
    )


def _none() -> Problem:
    return Problem(404, "There is no such browser of yours that is told.")
