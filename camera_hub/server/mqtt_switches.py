"""Cameras' detection and recording as switches on an MQTT broker, in Frigate's topics.

Under `<prefix>/<camera>/`, `detect/state` and `recordings/state` are ON or OFF: what the camera's worker says
that it does, not what somebody asked for. With `switches` in the configuration, ON and OFF to `detect/set`
and `recordings/set` are wanted of the camera, as on the dashboard, and Home Assistant finds the switches.
Anything else that comes is logged and does nothing; so is what the broker has retained, which would be said
anew at each link.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import aiomqtt
import structlog

from camera_hub.model import Setting, WishOutcome
from camera_hub.server.shapes import Camera
from camera_hub.server.sites_state import SitesState
from camera_hub.store import StoreError

log = structlog.get_logger(__name__)

BY = "mqtt"
_VALUES = {b"ON": "true", b"OFF": "false"}


class _Switch(NamedTuple):
    setting: Setting
    name: str  # what Home Assistant calls it
    icon: str


SWITCHES = {
    "detect": _Switch(Setting.DETECT, "Phát hiện chuyển động / Detection", "mdi:motion-sensor"),
    "recordings": _Switch(Setting.RECORD, "Ghi hình / Recording", "mdi:record-rec"),
}
"""By the topic's own word."""


def states(camera: Camera) -> Iterator[tuple[str, bytes]]:
    """The topics below the camera's, and what they say; nothing where nobody knows."""
    for word, on in (("detect", camera.detects), ("recordings", camera.records)):
        if on is not None:
            yield f"{word}/state", b"ON" if on else b"OFF"


def entities(topic: str, object_id: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """(object id, entity) of each switch, for Home Assistant's discovery; `topic` is the camera's own."""
    for word, switch in SWITCHES.items():
        yield (
            f"{object_id}-{word}",
            {
                "name": switch.name,
                "unique_id": f"{object_id}-{word}",
                "icon": switch.icon,
                "state_topic": f"{topic}/{word}/state",
                "command_topic": f"{topic}/{word}/set",
                "optimistic": False,
            },
        )


class SwitchOrders:
    """What comes from the broker."""

    def __init__(self, state: SitesState, prefix: str) -> None:
        self._state = state
        self._prefix = prefix

    async def subscribe(self, client: aiomqtt.Client) -> None:
        for word in SWITCHES:
            await client.subscribe(f"{self._prefix}/+/{word}/set", qos=1)

    async def take(self, message: aiomqtt.Message) -> None:
        """One message. What is wrong with it is in the log."""
        topic = str(message.topic)
        camera_id, word, _ = topic.removeprefix(f"{self._prefix}/").split("/")
        camera, switch = self._state.camera(camera_id), SWITCHES[word]
        value = _VALUES.get(message.payload)
        if message.retain:
            problem = "it is retained: send it without, or it would be said anew at each link"
        elif camera is None:
            problem = "there is no such camera"
        elif value is None:
            problem = "neither ON nor OFF"
        else:
            await self._want(camera, switch.setting, value)
            return
        log.warning("an MQTT message does nothing", topic=topic[:200], problem=problem)

    async def _want(self, camera: Camera, setting: Setting, value: str) -> None:
        name = camera.id.partition(".")[2]
        before = {one.key: one for one in self._state.wishes.of_camera(camera.site, name)}.get(setting)
        if before is not None and before.value == value and before.outcome in (None, WishOutcome.APPLIED):
            return  # machines repeat themselves
        try:
            await self._state.wishes.want(camera.site, name, {setting: value}, BY, "MQTT")
        except StoreError as exc:
            log.error("what MQTT wants cannot be kept", camera=camera.id, error=str(exc))
