"""What is told of alerts: the facts from the store, the words from the templates, and where it goes.

`Messages.write` and `Messages.send` are what the deliverer works with.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import structlog
from ulid import ULID

from camera_hub.alerts.life import AlertState
from camera_hub.alerts.occurrence import AlertKind
from camera_hub.alerts.rule import Urgency
from camera_hub.alerts.telling import people, push, webhook
from camera_hub.alerts.telling.message import NotDeliveredError, Told
from camera_hub.alerts.telling.push import PushKey, Receiver
from camera_hub.alerts.telling.templates import Templates
from camera_hub.alerts.telling.texts import (
    ACKNOWLEDGE,
    BROKEN,
    DEFAULT,
    TEST,
    WHAT,
    Facts,
    Language,
    TemplateError,
    Texts,
)
from camera_hub.clock import Clock
from camera_hub.config.alerts import ChannelConfig
from camera_hub.model import CameraInfo
from camera_hub.server.alert_shapes import alert_shape
from camera_hub.server.shapes import global_id
from camera_hub.store import MediaKind, Store
from camera_hub.store.alert_records import StoredAlert, StoredDelivery, Subscription, Telling

log = structlog.get_logger(__name__)

LATE_US = 120 * 1_000_000
MAX_PICTURE_BYTES = 5_000_000

SERVER_NAME = {"vi": "máy chủ", "en": "the server"}

Places = Callable[[str], tuple[CameraInfo, str] | None]
"""A camera's global id → what its site told of it, and what the site is called."""


class Messages:
    """`public_url` is where people's browsers reach the hub; empty where that is not known. `proxy` stands on
    the way to webhooks and push services.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        zone: ZoneInfo,
        site_name: Callable[[str], str],
        camera: Callable[[str], CameraInfo | None],
        push_key: PushKey,
        public_url: str = "",
        *,
        push_inside: bool = False,
        proxy: str | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._zone = zone
        self._site_name = site_name
        self._camera = camera
        self._push_key = push_key
        self._public_url = public_url.rstrip("/")
        self._push_inside = push_inside
        self._proxy = proxy
        self.templates = Templates()

    async def write(
        self, alerts: Sequence[StoredAlert], deliveries: Sequence[StoredDelivery], channel: ChannelConfig
    ) -> Told:
        """One message; of several alerts their count and a line each."""
        language = await self._language(channel, deliveries[-1].target)
        newest = alerts[-1]
        facts = [
            self.facts(alert, language, escalated=delivery.what is Telling.ESCALATED)
            for alert, delivery in zip(alerts, deliveries, strict=False)
        ]
        title, body = await self.words(language, facts)
        path, tag = "/alerts", "many"
        if len(alerts) == 1:
            path, tag = f"/alerts/{newest.alert.id}", newest.alert.id
        return Told(
            title=title,
            body=body,
            link=f"{self._public_url}{path}" if self._public_url or channel.kind == "push" else "",
            tag=tag,
            urgent=any(alert.alert.urgency is Urgency.URGENT for alert in alerts),
            jpeg=await self._picture(newest) if channel.kind == "apprise" and len(alerts) == 1 else None,
            picture=_picture_path(newest) if len(alerts) == 1 else "",
            offer=ACKNOWLEDGE[language] if len(alerts) == 1 and newest.alert.state is AlertState.NEW else "",
            machine=self._for_machines(newest, deliveries[-1]),
        )

    async def words(self, language: Language, facts: list[Facts]) -> tuple[str, str]:
        """Title and body; where a template cannot be used, the words that came with the hub, saying so."""
        texts = await self.texts(language)
        try:
            return await self._made(texts, facts)
        except TemplateError as exc:
            log.error(
                "a template cannot be used; its message goes without it", language=language, why=str(exc)
            )
            title, body = await self._made(DEFAULT[language], facts)
            return title, f"{body}\n({BROKEN[language]}: {str(exc)[:200]})"

    async def _made(self, texts: Texts, facts: list[Facts]) -> tuple[str, str]:
        if len(facts) > 1:
            return await self.templates.of_many(texts, facts)
        return await self.templates.title_and_body(texts, facts[0])

    async def texts(self, language: Language) -> Texts:
        """The templates of a language: an administrator's, or as they came."""
        changed = (await self._store.alerts.texts()).get(language)
        return DEFAULT[language] if changed is None else msgspec.convert(changed, Texts)

    def facts(self, stored: StoredAlert, language: Language, *, escalated: bool = False) -> Facts:
        alert = stored.alert
        at = datetime.fromtimestamp(alert.opened_us / 1e6, self._zone)
        ids = [global_id(one.site, one.event.camera) for one in stored.events]
        ids += [global_id(one.site, one.camera) for one in stored.troubles if one.camera]
        cameras = [self._camera(one) for one in dict.fromkeys(ids)]
        names = {global_id(one.site, one.event.camera): one.camera_name for one in stored.events}
        first = next((camera for camera in cameras if camera is not None), None)
        return Facts(
            rule=stored.rule_name,
            what=WHAT[language][stored.kind],
            site=self._site_name(stored.site) if stored.site else SERVER_NAME[language],
            cameras=", ".join(
                names.get(one) or (camera.name if camera else one)
                for one, camera in zip(dict.fromkeys(ids), cameras, strict=True)
            ),
            place=first.place if first else "",
            zones=", ".join(dict.fromkeys(zone for one in stored.events for zone in one.event.zones)),
            day=at.strftime("%d/%m/%Y"),
            time=at.strftime("%H:%M:%S"),
            events=len(stored.events) + len(stored.troubles),
            late=stored.kind is not AlertKind.SITE_AWAY and alert.known_us - alert.opened_us > LATE_US,
            urgent=alert.urgency is Urgency.URGENT,
            escalated=escalated,
            link=f"{self._public_url}/alerts/{alert.id}" if self._public_url else "",
        )

    async def send(self, channel: ChannelConfig, target: str, message: Told, message_id: str) -> None:
        """Raises NotDeliveredError."""
        match channel.kind:
            case "webhook":
                await webhook.send(channel, message, message_id, self._clock.wall_us(), self._proxy)
            case "apprise":
                await people.send(channel, message)
            case "push":
                await self._push(target, message)

    async def test(self, channel: ChannelConfig, target: str) -> None:
        """Sends a message that says it is a test. Raises NotDeliveredError."""
        title, body = TEST[await self._language(channel, target)]
        link = "/alerts" if channel.kind == "push" else ""
        machine = {"type": "test", "timestamp": self._now(), "data": {}}
        await self.send(
            channel, target, Told(title, body, link, "test", urgent=False, machine=machine), str(ULID())
        )

    async def _language(self, channel: ChannelConfig, target: str) -> Language:
        """A browser's is the one that its reader chose; all others have the channel's."""
        found = await self._browser(target) if channel.kind == "push" else None
        return channel.language if found is None else "en" if found.language == "en" else "vi"

    async def _browser(self, target: str) -> Subscription | None:
        return next((one for one in await self._store.alerts.subscriptions() if one.id == target), None)

    async def _push(self, target: str, message: Told) -> None:
        found = await self._browser(target)
        if found is None:
            raise NotDeliveredError("the browser does not want to be told any more", again=False, gone=True)
        receiver = Receiver(found.endpoint, found.p256dh, found.auth)
        contact = self._public_url if self._public_url.startswith("https:") else "mailto:hub@localhost"
        await push.send(
            receiver, message, self._push_key, contact, inside=self._push_inside, proxy=self._proxy
        )

    async def gone(self, target: str) -> None:
        await self._store.alerts.remove_subscription(target)

    async def _picture(self, stored: StoredAlert) -> bytes | None:
        for one in reversed(stored.events):
            item = await self._store.event_media(one.event.id, MediaKind.PICTURE)
            if item is not None and item.bytes <= MAX_PICTURE_BYTES:
                return await asyncio.to_thread(_read, self._store.folder / item.path)
        return None

    def _for_machines(self, stored: StoredAlert, delivery: StoredDelivery) -> dict[str, Any]:
        """The body of a webhook, with the type and time that Standard Webhooks wants."""
        shape = alert_shape(stored).model_dump(mode="json")
        data = {"alert": shape, "link": self.facts(stored, "en").link}
        return {"type": f"alert.{delivery.what.value}", "timestamp": self._now(), "data": data}

    def _now(self) -> str:
        return datetime.fromtimestamp(self._clock.wall_us() / 1e6, self._zone).isoformat()


def _picture_path(stored: StoredAlert) -> str:
    shown = next((one for one in reversed(stored.events) if one.snapshot), None)
    return "" if shown is None else f"/api/events/{shown.event.id}/snapshot.jpg"


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None  # removed between the question and now


def example(language: Language) -> Facts:
    """For trying a template."""
    return Facts(
        rule="Người qua lại ban đêm",
        what=WHAT[language][AlertKind.MOTION],
        site="Xóm Khe Cốc",
        cameras="Cổng xóm",
        place="Đầu đường vào xóm",
        zones="Lòng đường",
        day="16/02/2026",
        time="23:41:07",
        events=2,
        late=False,
        urgent=True,
        escalated=False,
        link="https://camera.example/alerts/1",
    )
