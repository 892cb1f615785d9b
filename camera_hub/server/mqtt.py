"""Tells an MQTT 5 broker what happens, in topics as users of Frigate know them, and Home Assistant finds.

Under `<prefix>/`: `available` (online; offline by the last will), `events` (new, update, end), `alerts`, and
for each camera `status`, `motion`, `snapshot` and what `mqtt_switches` says. States are retained. A broker
that is away is tried again for ever; states are told anew then, and what happened meanwhile up to a bound,
the oldest lost first.
"""

import asyncio
import contextlib
import random
from collections import deque
from typing import Any, NamedTuple

import aiomqtt
import msgspec
import structlog
from pydantic import BaseModel

from camera_hub import __version__
from camera_hub.clock import Clock
from camera_hub.config.alerts import MqttConfig
from camera_hub.first_to_end import first_to_end
from camera_hub.model import CameraState
from camera_hub.server.alert_shapes import AlertShape
from camera_hub.server.mqtt_switches import SwitchOrders
from camera_hub.server.mqtt_switches import entities as switch_entities
from camera_hub.server.mqtt_switches import states as switch_states
from camera_hub.server.shapes import Camera, Event
from camera_hub.server.sites_state import SitesState
from camera_hub.store import MediaKind, Store

log = structlog.get_logger(__name__)

MOST_WAITING = 5000
FIRST_RETRY_S, LAST_RETRY_S = 1.0, 60.0
ASK_S, ANSWER_S = 15.0, 10.0
MAX_PICTURE_BYTES = 1_000_000
PAST_US = 120 * 1_000_000


class _Message(NamedTuple):
    topic: str
    payload: bytes
    retain: bool


class Mqtt:
    """`heard` is called with all that is published to browsers; `run` is the task that tells the broker."""

    def __init__(self, config: MqttConfig, state: SitesState, store: Store, clock: Clock) -> None:
        self.lost = 0
        self.connected = False
        self._config = config
        self._state = state
        self._store = store
        self._clock = clock
        self._orders = SwitchOrders(state, config.prefix)
        self._waiting: deque[_Message] = deque()
        self._news = asyncio.Event()
        self._events: dict[str, Event] = {}  # those that go on, as they were told last
        self._alerts: set[str] = set()
        self._moving: dict[str, set[str]] = {}  # camera → its events that go on
        self._known: dict[str, str] = {}  # cameras that the broker has been told of, by what name
        self._told: dict[tuple[str, str], bytes] = {}  # (camera, topic) → state that was told last
        self._reading: set[asyncio.Task[None]] = set()

    def heard(self, kind: str, shape: BaseModel) -> None:
        match shape:
            case Event():
                self._event(shape)
            case AlertShape():
                self._alert(shape)
            case Camera():
                self._camera(shape)

    async def run(self) -> None:
        """Until cancelled."""
        wait_s = FIRST_RETRY_S
        task = asyncio.current_task()
        # The client may hide that we were cancelled, behind an error or behind what it waited for.
        while task is None or not task.cancelling():
            try:
                async with self._client() as client:
                    if task is not None and task.cancelling():
                        return
                    self.connected, wait_s = True, FIRST_RETRY_S
                    log.info("linked to the MQTT broker", host=self._config.host, port=self._config.port)
                    await self._tell_states(client)
                    if self._config.switches:
                        await self._orders.subscribe(client)
                    await first_to_end(self._tell(client), self._listen(client), self._ask(client))
            except aiomqtt.MqttError as exc:
                if task is not None and task.cancelling():
                    return
                log.warning("the MQTT broker is away; trying again", host=self._config.host, error=str(exc))
            finally:
                self.connected = False
            await asyncio.sleep(wait_s * random.uniform(0.8, 1.2))  # noqa: S311 - jitter, no secret
            wait_s = min(wait_s * 2, LAST_RETRY_S)

    def _client(self) -> aiomqtt.Client:
        config = self._config
        return aiomqtt.Client(
            config.host,
            config.port,
            username=config.username or None,
            password=None if config.password is None else config.password.get_secret_value(),
            identifier=f"camera-hub-{config.prefix}",
            protocol=aiomqtt.ProtocolVersion.V5,
            will=aiomqtt.Will(f"{config.prefix}/available", b"offline", qos=1, retain=True),
            tls_params=aiomqtt.TLSParameters(ca_certs=str(config.ca_file) if config.ca_file else None)
            if config.tls
            else None,
            keepalive=20,
            timeout=ANSWER_S,
        )

    async def _tell_states(self, client: aiomqtt.Client) -> None:
        """All that is retained, as it is now: the broker may have forgotten it."""
        self._known.clear()
        self._told.clear()
        await client.publish(f"{self._config.prefix}/available", b"online", qos=1, retain=True)
        for camera in self._state.cameras():
            self._camera(camera)
        if self.lost:
            log.warning("the MQTT broker was not told all that happened while it was away", lost=self.lost)

    async def _tell(self, client: aiomqtt.Client) -> None:
        try:
            while True:
                self._news.clear()
                while self._waiting:
                    message = self._waiting[0]
                    await client.publish(message.topic, message.payload, qos=1, retain=message.retain)
                    # Only what the broker has taken is told.
                    with contextlib.suppress(IndexError):
                        if self._waiting[0] is message:
                            self._waiting.popleft()
                await self._news.wait()
        except asyncio.CancelledError:
            with contextlib.suppress(aiomqtt.MqttError, TimeoutError):
                await client.publish(
                    f"{self._config.prefix}/available", b"offline", qos=1, retain=True, timeout=1
                )
            raise

    async def _ask(self, client: aiomqtt.Client) -> None:
        """Raises MqttError when the broker answers no more, also where the client has missed that it went."""
        while True:
            await asyncio.sleep(ASK_S)
            await client.publish(f"{self._config.prefix}/available", b"online", qos=1, retain=True)

    async def _listen(self, client: aiomqtt.Client) -> None:
        """Raises MqttError when the broker goes, also while there is nothing to tell or to hear."""
        async for message in client.messages:
            await self._orders.take(message)

    # -- what is told ----------------------------------------------------------------------

    def _event(self, event: Event) -> None:
        before = self._events.get(event.id)
        kind = "new" if before is None else "update"
        if event.end is not None:
            kind = "end"
            self._events.pop(event.id, None)
        else:
            self._events[event.id] = event
        if kind == "end" and before is None:
            before = event
        told = {"type": kind, "before": _json(before or event), "after": _json(event)}
        self._put("events", msgspec.json.encode(told))
        if self._is_of_now(event):
            self._shown(event, is_news=before is None or not before.snapshot or kind == "end")

    def _is_of_now(self, event: Event) -> bool:
        """False where the hub hears of it long afterwards, as after days without a link: it is told, but
        says nothing of how its camera looks now.
        """
        if event.id in self._moving.get(event.camera, ()):
            return True
        newest = event.end or event.start
        return self._clock.wall_us() - newest.timestamp() * 1e6 < PAST_US

    def _shown(self, event: Event, is_news: bool) -> None:
        """How the event's camera looks now; `is_news`: its picture may not have been told yet."""
        moving = self._moving.setdefault(event.camera, set())
        moving.add(event.id) if event.end is None else moving.discard(event.id)
        self._put(f"{event.camera}/motion", b"ON" if moving else b"OFF", retain=True)
        if event.snapshot and is_news:
            task = asyncio.get_running_loop().create_task(self._snapshot(event))
            self._reading.add(task)
            task.add_done_callback(self._reading.discard)

    def _alert(self, alert: AlertShape) -> None:
        kind = "update" if alert.id in self._alerts else "new"
        self._alerts.add(alert.id)
        if alert.state == "closed":
            kind = "end"
            self._alerts.discard(alert.id)
        self._put("alerts", msgspec.json.encode({"type": kind, "alert": _json(alert)}))

    def _camera(self, camera: Camera) -> None:
        if self._known.get(camera.id) != camera.name:
            self._known[camera.id] = camera.name
            self._discover(camera)
            moving = self._moving.get(camera.id)
            self._put(f"{camera.id}/motion", b"ON" if moving else b"OFF", retain=True)
        online = camera.state is CameraState.ONLINE
        states = (("status", b"online" if online else b"offline"), *switch_states(camera))
        for topic, state in states:  # a camera is published every few seconds, with its measures
            if self._told.get((camera.id, topic)) != state:
                self._told[camera.id, topic] = state
                self._put(f"{camera.id}/{topic}", state, retain=True)

    async def _snapshot(self, event: Event) -> None:
        item = await self._store.event_media(event.id, MediaKind.PICTURE)
        if item is None or item.bytes > MAX_PICTURE_BYTES:
            return
        with contextlib.suppress(OSError):
            jpeg = await asyncio.to_thread((self._store.folder / item.path).read_bytes)
            self._put(f"{event.camera}/snapshot", jpeg, retain=True)

    def _discover(self, camera: Camera) -> None:
        """Home Assistant makes entities of these by itself (its MQTT discovery)."""
        prefix, object_id = self._config.prefix, camera.id.replace(".", "_")
        device = {
            "identifiers": [f"camera-hub-{object_id}"],
            "name": camera.name,
            "manufacturer": "Camera Hub",
            "sw_version": __version__,
        }
        available = [
            {"topic": f"{prefix}/available"},
            {"topic": f"{prefix}/{camera.id}/status"},
        ]
        common = {"device": device, "availability": available, "availability_mode": "all"}
        entities: dict[str, dict[str, Any]] = {
            "binary_sensor": {
                "name": None,
                "unique_id": f"camera-hub-{object_id}-motion",
                "device_class": "motion",
                "state_topic": f"{prefix}/{camera.id}/motion",
            },
            "camera": {
                "name": None,
                "unique_id": f"camera-hub-{object_id}-snapshot",
                "topic": f"{prefix}/{camera.id}/snapshot",
            },
        }
        for component, entity in entities.items():
            topic = f"{self._config.discovery_prefix}/{component}/camera-hub-{object_id}/config"
            self._put_whole(_Message(topic, msgspec.json.encode({**common, **entity}), retain=True))
        for name, entity in switch_entities(f"{prefix}/{camera.id}", f"camera-hub-{object_id}"):
            topic = f"{self._config.discovery_prefix}/switch/{name}/config"
            # An empty one takes away what an earlier start with `switches` has left.
            found = msgspec.json.encode({**common, **entity}) if self._config.switches else b""
            self._put_whole(_Message(topic, found, retain=True))

    def _put(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        self._put_whole(_Message(f"{self._config.prefix}/{topic}", payload, retain))

    def _put_whole(self, message: _Message) -> None:
        if message.retain:  # the newest state is enough
            kept = [one for one in self._waiting if one.topic != message.topic]
            if len(kept) < len(self._waiting):
                self._waiting = deque(kept)
        while len(self._waiting) >= MOST_WAITING:
            self._waiting.popleft()
            self.lost += 1
        self._waiting.append(message)
        self._news.set()


def _json(shape: BaseModel) -> dict[str, Any]:
    return shape.model_dump(mode="json")
