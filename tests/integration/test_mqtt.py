"""A real broker is told what happens, finds all states again after it was away, and hears the hub go."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiomqtt
import msgspec
import pytest

from camera_hub.config.alerts import MqttConfig
from camera_hub.link.messages import EventNews, EventPicture, Health
from camera_hub.model import CameraHealth, CameraState
from camera_hub.server import mqtt as mqtt_module
from camera_hub.server.mqtt import Mqtt
from tests.support.broker import Broker, broker
from tests.support.server import JPEG, SITE, START_US, Server, event, hello, running_app, ulid

CAMERA = f"{SITE}.cong-lang"


@dataclass
class Listener:
    """Hears all topics; `states` are the newest retained ones, `said` all messages of a topic."""

    said: dict[str, list[bytes]] = field(default_factory=dict)

    async def listen(self, port: int) -> None:
        async with aiomqtt.Client("127.0.0.1", port) as client:
            await client.subscribe("#")
            async for message in client.messages:
                assert isinstance(message.payload, bytes)
                self.said.setdefault(str(message.topic), []).append(message.payload)

    def newest(self, topic: str) -> bytes | None:
        return self.said[topic][-1] if topic in self.said else None

    def types(self, topic: str) -> list[str]:
        return [json.loads(one)["type"] for one in self.said.get(topic, [])]


@contextlib.asynccontextmanager
async def listening(port: int) -> AsyncIterator[Listener]:
    made = Listener()
    task = asyncio.create_task(made.listen(port))
    try:
        yield made
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def becomes(what: Any, seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not what():
            await asyncio.sleep(0.02)


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Broker]:
    with broker(tmp_path) as running:
        yield running


@contextlib.asynccontextmanager
async def telling(folder: Path, mosquitto: Broker, switches: bool = False) -> AsyncIterator[Server]:
    async with running_app(folder) as server:
        await server.state.site_connected(hello())
        config = MqttConfig(host="127.0.0.1", port=mosquitto.port, switches=switches)
        mqtt = Mqtt(config, server.state, server.store, server.clock)
        server.app.state.mqtt = mqtt
        server.updates.listen(mqtt.heard)
        task = asyncio.create_task(mqtt.run())
        try:
            await becomes(lambda: mqtt.connected)
            yield server
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def online(server: Server) -> None:
    health = CameraHealth("cong-lang", CameraState.ONLINE, START_US)
    await server.state.health(SITE, Health(START_US, (health,), 0, 1, 1, 1))


async def test_events_motion_and_pictures(tmp_path: Path, mosquitto: Broker) -> None:
    async with telling(tmp_path / "hub", mosquitto) as server, listening(mosquitto.port) as heard:
        await online(server)
        await server.state.deliver(SITE, EventNews(id="m1", event=event(1)))
        await becomes(lambda: heard.newest(f"camera_hub/{CAMERA}/motion") == b"ON")
        picture = EventPicture(id="p1", event_id=ulid(1), camera="cong-lang", at_us=START_US, jpeg=JPEG)
        await server.state.deliver(SITE, picture)
        await becomes(lambda: heard.newest(f"camera_hub/{CAMERA}/snapshot") == JPEG)
        closed = msgspec.structs.replace(event(1), revision=2, end_us=START_US + 5_000_000)
        await server.state.deliver(SITE, EventNews(id="m2", event=closed))
        await becomes(lambda: heard.newest(f"camera_hub/{CAMERA}/motion") == b"OFF")
        assert heard.types("camera_hub/events") == ["new", "update", "end"]
        last = json.loads(heard.said["camera_hub/events"][-1])
        assert (last["before"]["end"], last["after"]["duration_s"]) == (None, 5)
        assert heard.newest(f"camera_hub/{CAMERA}/status") == b"online"
        assert heard.newest("camera_hub/available") == b"online"


async def test_a_state_that_stays_is_told_once(tmp_path: Path, mosquitto: Broker) -> None:
    async with listening(mosquitto.port) as heard, telling(tmp_path / "hub", mosquitto) as server:
        for _ in range(5):
            server.clock.go(5)
            await online(server)  # and each time its measures, to browsers
            await asyncio.sleep(0.05)  # for what should not be there to be sent
        await server.state.deliver(SITE, EventNews(id="m1", event=event(1)))
        await becomes(lambda: heard.newest(f"camera_hub/{CAMERA}/motion") == b"ON")
        assert heard.said[f"camera_hub/{CAMERA}/status"][-1] == b"online"
        assert heard.said[f"camera_hub/{CAMERA}/status"].count(b"online") == 1


async def test_what_arrives_days_late_is_told_but_moves_nothing_now(
    tmp_path: Path, mosquitto: Broker
) -> None:
    async with telling(tmp_path / "hub", mosquitto) as server, listening(mosquitto.port) as heard:
        await online(server)
        await server.state.deliver(SITE, EventNews(id="m1", event=event(1)))
        await becomes(lambda: heard.newest(f"camera_hub/{CAMERA}/motion") == b"ON")
        server.clock.go(86_400)
        old = event(2, end_us=START_US + 5_000_000)
        await server.state.deliver(SITE, EventNews(id="m2", event=old))
        picture = EventPicture(id="p1", event_id=ulid(2), camera="cong-lang", at_us=START_US, jpeg=JPEG)
        await server.state.deliver(SITE, picture)
        closed = msgspec.structs.replace(event(1), revision=2, end_us=START_US + 5_000_000)
        await server.state.deliver(SITE, EventNews(id="m3", event=closed))  # its link went in between
        await becomes(lambda: heard.newest(f"camera_hub/{CAMERA}/motion") == b"OFF")
        assert heard.said[f"camera_hub/{CAMERA}/motion"] == [b"OFF", b"ON", b"OFF"]
        assert len(heard.said["camera_hub/events"]) >= 3
        assert heard.newest(f"camera_hub/{CAMERA}/snapshot") is None


async def test_home_assistant_finds_the_cameras(tmp_path: Path, mosquitto: Broker) -> None:
    async with telling(tmp_path / "hub", mosquitto), listening(mosquitto.port) as heard:
        topic = "homeassistant/binary_sensor/camera-hub-khe-coc_cong-lang/config"
        await becomes(lambda: heard.newest(topic))
        found = json.loads(heard.said[topic][-1])
        assert found["state_topic"] == f"camera_hub/{CAMERA}/motion"
        assert found["device_class"] == "motion"
        assert found["device"]["name"] == "Cổng làng"
        assert [one["topic"] for one in found["availability"]] == [
            "camera_hub/available",
            f"camera_hub/{CAMERA}/status",
        ]


async def test_a_broker_that_was_away_hears_what_it_missed(tmp_path: Path, mosquitto: Broker) -> None:
    async with telling(tmp_path / "hub", mosquitto) as server:
        await online(server)
        mosquitto.kill()
        await server.state.deliver(SITE, EventNews(id="m1", event=event(1)))
        await asyncio.sleep(0.5)
        mosquitto.start()  # it has forgotten everything
        async with listening(mosquitto.port) as heard:
            await becomes(lambda: heard.newest(f"camera_hub/{CAMERA}/motion") == b"ON")
            await becomes(lambda: heard.newest("camera_hub/available") == b"online")
            await becomes(lambda: heard.newest(f"camera_hub/{CAMERA}/status") == b"online")
            await becomes(lambda: heard.types("camera_hub/events") == ["new"])


async def test_a_broker_that_hangs_is_left_and_tried_again(
    tmp_path: Path, mosquitto: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt_module, "ASK_S", 0.2)
    monkeypatch.setattr(mqtt_module, "ANSWER_S", 0.5)
    async with telling(tmp_path / "hub", mosquitto) as server:
        mosquitto.hang()
        await becomes(lambda: not server.app.state.mqtt.connected)
        mosquitto.kill()
        mosquitto.start()
        async with listening(mosquitto.port) as heard:
            await server.state.deliver(SITE, EventNews(id="m1", event=event(1)))
            await becomes(lambda: heard.newest(f"camera_hub/{CAMERA}/motion") == b"ON")
            assert heard.newest("camera_hub/available") == b"online"


async def test_a_hub_that_ends_says_so(tmp_path: Path, mosquitto: Broker) -> None:
    async with listening(mosquitto.port) as heard:
        async with telling(tmp_path / "hub", mosquitto):
            await becomes(lambda: heard.newest("camera_hub/available") == b"online")
        await becomes(lambda: heard.newest("camera_hub/available") == b"offline")


def switched(server: Server) -> dict[str, tuple[str, str]]:
    """What is wanted, and by whom."""
    found = server.state.wishes.of_camera(SITE, "cong-lang")
    return {one.key.value: (one.value, one.by_name) for one in found}


async def does(server: Server, *, detects: bool, records: bool) -> None:
    """The worker says what its camera does."""
    health = CameraHealth("cong-lang", CameraState.ONLINE, START_US, detects=detects, records=records)
    await server.state.health(SITE, Health(START_US, (health,), 0, 1, 1, 1))


async def test_switches_are_wanted_and_their_state_is_what_the_worker_does(
    tmp_path: Path, mosquitto: Broker
) -> None:
    topic = f"camera_hub/{CAMERA}"
    async with (
        telling(tmp_path / "hub", mosquitto, switches=True) as server,
        listening(mosquitto.port) as heard,
        aiomqtt.Client("127.0.0.1", mosquitto.port) as home,
    ):
        await does(server, detects=True, records=True)
        await becomes(lambda: heard.newest(f"{topic}/detect/state") == b"ON")
        found = json.loads(
            heard.said["homeassistant/switch/camera-hub-khe-coc_cong-lang-recordings/config"][-1]
        )
        assert (found["command_topic"], found["state_topic"]) == (
            f"{topic}/recordings/set",
            f"{topic}/recordings/state",
        )
        await home.publish(f"{topic}/recordings/set", b"OFF", qos=1)
        await becomes(lambda: switched(server) == {"record": ("false", "MQTT")})
        assert heard.said[f"{topic}/recordings/state"] == [b"ON"]  # the worker has not said so yet
        await does(server, detects=True, records=False)
        await becomes(lambda: heard.newest(f"{topic}/recordings/state") == b"OFF")
        # What is none does nothing.
        await home.publish(f"{topic}/detect/set", b"off", qos=1)
        await home.publish(f"camera_hub/{SITE}.cua-sau/detect/set", b"OFF", qos=1)
        await home.publish(f"{topic}/detect/set", b"x" * 100_000, qos=1)
        await home.publish(f"{topic}/recordings/set", b"OFF", qos=1)
        await home.publish(f"{topic}/recordings/set", b"ON", qos=1)
        await becomes(lambda: switched(server) == {"record": ("true", "MQTT")})
    async with aiomqtt.Client("127.0.0.1", mosquitto.port) as home:
        await home.publish(
            f"{topic}/recordings/set", b"OFF", qos=1, retain=True
        )  # it would be said anew at each link
    async with telling(tmp_path / "hub", mosquitto, switches=True) as server:
        await asyncio.sleep(0.3)
        assert switched(server) == {"record": ("true", "MQTT")}


async def test_without_leave_in_the_configuration_nobody_switches(tmp_path: Path, mosquitto: Broker) -> None:
    topic = f"camera_hub/{CAMERA}"
    async with (
        telling(tmp_path / "hub", mosquitto) as server,
        listening(mosquitto.port) as heard,
        aiomqtt.Client("127.0.0.1", mosquitto.port) as home,
    ):
        await does(server, detects=False, records=True)
        await becomes(lambda: heard.newest(f"{topic}/detect/state") == b"OFF")
        await home.publish(f"{topic}/recordings/set", b"OFF", qos=1)
        await becomes(lambda: heard.newest(f"{topic}/recordings/set"))
        await asyncio.sleep(0.2)
        assert switched(server) == {}
        # Home Assistant forgets the switches of an earlier configuration.
        assert heard.newest("homeassistant/switch/camera-hub-khe-coc_cong-lang-detect/config") in (None, b"")


class Deaf(aiomqtt.Client):
    """Does not hear that the broker let go of it; aiomqtt's own gives up after 10 s, with this error."""

    async def __aexit__(self, *error: Any) -> None:
        await super().__aexit__(*error)
        raise aiomqtt.MqttError("Operation timed out")


async def test_a_hub_ends_also_where_the_broker_does_not_answer(
    tmp_path: Path, mosquitto: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aiomqtt, "Client", Deaf)
    async with asyncio.timeout(20), telling(tmp_path / "hub", mosquitto):
        pass
