"""Channels: ways to tell people and machines; what became of telling.

No answer has a channel's secrets, but that which makes a webhook: its signing secret, once.
"""

import base64
import secrets
from typing import Annotated, Literal
from urllib.parse import urlsplit

import structlog
from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field, SecretStr, ValidationError

from camera_hub.alerts.telling.message import NotDeliveredError
from camera_hub.config.alerts import ChannelConfig
from camera_hub.model import Refusal
from camera_hub.server.alert_shapes import DeliveryShape, delivery_shape
from camera_hub.server.channels import StoredChannel
from camera_hub.server.parts import Parts, parts_of
from camera_hub.server.problems import Problem, problems
from camera_hub.server.rights import Right, needs
from camera_hub.store import ULID_PATTERN, SessionRecord
from camera_hub.store.alert_records import DeliveryState

log = structlog.get_logger(__name__)

router = APIRouter(tags=["alerts"])

MOST_CHANNELS = 100

Tools = Annotated[Parts, Depends(parts_of)]
ChannelId = Annotated[str, Path(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=63)]
DeliveryId = Annotated[str, Path(pattern=f"^{ULID_PATTERN}$")]
Admin = Annotated[SessionRecord, needs(Right.CHANNELS)]
Short = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]


class ChannelShape(BaseModel):
    """A channel, without its secrets."""

    id: str
    name: str
    kind: Literal["push", "apprise", "webhook"]
    to: str = Field(description="Where it goes, without what is secret of it; empty for push")
    users: list[str] = Field(description="Of push: the accounts whose phones are told; none: all")
    language: Literal["vi", "en"]
    inside: bool = Field(description="Of a webhook: it may be an address of the own network")
    enabled: bool
    from_config: bool = Field(description="Changed in the configuration alone")


class ChannelsShape(BaseModel):
    channels: list[ChannelShape]


class NewChannel(BaseModel):
    """A channel; without `url`, the one that it has stays."""

    name: Short
    kind: Literal["push", "apprise", "webhook"]
    url: Annotated[SecretStr, Field(max_length=2000)] | None = None
    users: Annotated[list[Short], Field(max_length=100)] = []
    language: Literal["vi", "en"] = "vi"
    inside: bool = Field(strict=True, default=False)
    enabled: bool = Field(strict=True, default=True)


class MadeChannel(BaseModel):
    channel: ChannelShape
    secret: str | None = Field(description="What a new webhook's calls are signed with; told this once")


class TestOutcome(BaseModel):
    """What came of a test."""

    sent: int = Field(description="So many receivers took it")
    errors: list[str] = Field(description="What went wrong, in words")


class Deliveries(BaseModel):
    deliveries: list[DeliveryShape] = Field(description="Newest first")


@router.get("/api/channels", dependencies=[needs(Right.RULES)])
async def list_channels(parts: Tools) -> ChannelsShape:
    return ChannelsShape(channels=[_shape(stored) for stored in await parts.channels.all()])


@router.put("/api/channels/{id}", responses=problems(409))
async def put_channel(id: ChannelId, given: NewChannel, session: Admin, parts: Tools) -> MadeChannel:  # noqa: A002
    """Make a channel, or change it."""
    there = await parts.channels.find(id)
    _ours(there, id)
    if there is None and len(await parts.channels.all()) >= MOST_CHANNELS:
        raise Problem(409, f"There are {MOST_CHANNELS} channels already; remove one first.")
    kept = there.channel if there is not None and there.channel.kind == given.kind else None
    url = given.url or (None if kept is None else kept.url)
    secret = None if kept is None else kept.secret
    made = None
    if given.kind == "webhook" and secret is None:
        made = f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
        secret = SecretStr(made)
    try:
        channel = ChannelConfig.model_validate(
            {
                "id": id,
                "name": given.name,
                "kind": given.kind,
                "url": None if url is None else url.get_secret_value(),
                "secret": None if secret is None else secret.get_secret_value(),
                "users": tuple(given.users),
                "language": given.language,
                "inside": given.inside,
                "enabled": given.enabled,
            }
        )
    except ValidationError as exc:
        words = "; ".join(f"{'.'.join(map(str, one['loc']))} {one['msg']}" for one in exc.errors())
        raise Problem(409, f"The channel cannot be so: {words}.") from None
    await parts.channels.put(channel)
    log.info("channel changed", channel=id, kind=given.kind, user=session.user.name)
    return MadeChannel(channel=_shape(StoredChannel(channel, False)), secret=made)


@router.delete("/api/channels/{id}", status_code=204, responses=problems(404, 409))
async def delete_channel(id: ChannelId, session: Admin, parts: Tools) -> None:  # noqa: A002
    """Remove a channel; what waited for it is told to nobody."""
    _ours(await parts.channels.find(id), id)
    for stored in await parts.store.alerts.rules():
        if any(id in step.to for step in stored.rule.steps):
            raise Problem(409, f"The rule {stored.rule.name} tells by this channel; change the rule first.")
    if not await parts.channels.remove(id):
        raise Problem(404, f"There is no channel {id}.")
    log.info("channel removed", channel=id, user=session.user.name)


@router.post("/api/channels/{id}/test", responses=problems(404))
async def test_channel(id: ChannelId, session: Admin, parts: Tools) -> TestOutcome:  # noqa: A002
    """Send a message that says it is a test, now."""
    stored = await parts.channels.find(id)
    if stored is None:
        raise Problem(404, f"There is no channel {id}.")
    channel = stored.channel
    targets = (await parts.channels.targets_of(channel))[:20]
    errors = [] if targets else ["no phone has asked to be told yet"]
    sent = 0
    for target in targets:
        try:
            await parts.messages.test(channel, target)
            sent += 1
        except NotDeliveredError as exc:
            errors.append(str(exc))
            if exc.gone and target:
                await parts.messages.gone(target)
    log.info("channel tested", channel=id, sent=sent, errors=len(errors), user=session.user.name)
    return TestOutcome(sent=sent, errors=errors)


@router.get("/api/channels/{id}/deliveries", dependencies=[needs(Right.CHANNELS)])
async def list_deliveries(
    id: ChannelId,  # noqa: A002
    parts: Tools,
    state: Annotated[list[DeliveryState] | None, Query(max_length=10, description="Any of these")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Deliveries:
    """What became of telling by this channel; `?state=given-up` is what never arrived."""
    found = await parts.store.alerts.newest_deliveries(id, state, limit)
    return Deliveries(deliveries=[delivery_shape(one) for one in found])


@router.post("/api/deliveries/{id}/again", responses=problems(404))
async def send_again(id: DeliveryId, session: Admin, parts: Tools) -> DeliveryShape:  # noqa: A002
    """Try anew what was given up."""
    stored = await parts.store.alerts.send_again(id)
    if stored is None:
        raise Problem(404, "There is no such delivery that was given up.")
    parts.deliverer.wake()
    log.info("delivery tried anew", delivery=id, user=session.user.name)
    return delivery_shape(stored)


def _ours(there: StoredChannel | None, channel_id: str) -> None:
    if there is not None and there.from_config:
        raise Problem(
            409,
            f"The channel {channel_id} stands in the server's configuration, and is changed there.",
            code=Refusal.OF_CONFIG,
        )


def _shape(stored: StoredChannel) -> ChannelShape:
    channel = stored.channel
    return ChannelShape(
        id=channel.id,
        name=channel.name,
        kind=channel.kind,
        to=_without_secrets(channel),
        users=list(channel.users),
        language=channel.language,
        inside=channel.inside,
        enabled=channel.enabled,
        from_config=stored.from_config,
    )


def _without_secrets(channel: ChannelConfig) -> str:
    """Scheme and host of a webhook; of Apprise the scheme alone, since what follows is often a token."""
    if channel.url is None:
        return ""
    parts = urlsplit(channel.url.get_secret_value())
    return f"{parts.scheme}://{parts.hostname or '…'}" if channel.kind == "webhook" else f"{parts.scheme}://…"
