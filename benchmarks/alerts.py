"""From a mover to the phone: how long after its first frame the commune, the alert and the phone have it.

    python -m benchmarks.alerts [--movers 42]

Hamlet, commune and the world outside are networks of their own (as root). In the hamlet `camera-hub ingest`
watches and records three cameras (`benchmarks.mover_camera`, which say when somebody comes); in the commune
`camera-hub serve` and Mosquitto; outside a push service that decrypts as a browser does, behind TLS. The line
between hamlet and commune has 2 Mbit/s and 80 ms each way (`tests.support.narrow_line`), and the main stream
of each camera, 4.5 Mbit/s in all, is watched over it all the time. Beside it: when the worker told of the
event to a server in its own network, which is the detector's part, and a client that asks the API for events
every five seconds, as integrations of others do. Prints a table in Markdown.
"""

import argparse
import asyncio
import json
import logging
import random
import shutil
import ssl
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import aiomqtt
import httpx
import structlog
from websockets.asyncio.server import serve

from benchmarks import light_mse
from benchmarks.mover_camera import CROSSING_S, mover_cameras
from benchmarks.processes import camera_hub, process
from camera_hub.link.handshake import SiteKey
from camera_hub.link.messages import ClipOffer, EventNews
from camera_hub.link.server.end import ServerEnd
from camera_hub.server.rights import COOKIE
from tests.integration.test_link_ends import Commune, Socket
from tests.support.broker import broker
from tests.support.certificates import Authority
from tests.support.hub import PASSWORD, users, write_config
from tests.support.narrow_line import Line, narrow_line
from tests.support.networks import Network, join, networks
from tests.support.receivers import Browser, Call, HttpReceiver
from tests.support.waiting import until, until_async

CAMERAS = 3
EVERY_S = 12.0
KBIT, DELAY_S = 2000, 0.08
POLL_S = 5.0
LATEST_S = 10.0  # an event that begins later is of another mover
SITE = "khe-coc"
HAMLET, COMMUNE = "10.9.4.2", "10.9.4.1"
COMMUNE_OUTSIDE, WORLD = "11.9.4.1", "11.9.4.2"  # addresses of the internet, in networks of our own
PORT = 8787

SERVE = "import certifi; certifi.where = lambda: {ca!r}; from camera_hub.cli import main; main()"


@dataclass
class Seen:
    """When what was there first, by its id; seconds of the wall clock."""

    told: dict[str, float] = field(default_factory=dict)  # to a server in the hamlet
    event: dict[str, float] = field(default_factory=dict)
    polled: dict[str, float] = field(default_factory=dict)
    mqtt: dict[str, float] = field(default_factory=dict)
    alert: dict[str, float] = field(default_factory=dict)  # by its event's id
    push: dict[str, float] = field(default_factory=dict)  # by the alert's id
    alerts: dict[str, str] = field(default_factory=dict)  # event → alert
    cameras: dict[str, str] = field(default_factory=dict)  # event → camera


class Here(Commune):
    """A server in the hamlet that notes when it is told of an event, and wants nothing else."""

    def __init__(self, key: SiteKey, seen: Seen) -> None:
        super().__init__(key)
        self._seen = seen

    async def deliver_events(self, site: str, told: Sequence[EventNews]) -> None:
        for news in told:
            self._seen.told.setdefault(news.event.id, time.time())

    async def clip_offered(self, site: str, offer: ClipOffer) -> int | None:
        return None


@asynccontextmanager
async def server_here(network: Network, key: SiteKey, seen: Seen) -> AsyncIterator[int]:
    """In the hamlet; gives its port."""
    end = ServerEnd(Here(key, seen))
    sock = network.socket()
    sock.bind(("127.0.0.1", 0))
    sock.listen()
    port: int = sock.getsockname()[1]
    async with serve(lambda c: end.serve(Socket(c)), sock=sock, max_size=None, compression=None):
        yield port


@asynccontextmanager
async def push_service(network: Network, authority: Authority, seen: Seen) -> AsyncIterator[dict[str, str]]:
    """A push service outside; gives a subscription of a browser's."""
    browser = Browser()

    def respond(call: Call) -> tuple[int, dict[str, str], bytes]:
        content = json.loads(browser.read(call))
        seen.push.setdefault(content["link"].rpartition("/")[2], time.time())
        return 201, {}, b""

    receiver = HttpReceiver("", respond=respond)
    files = authority.server("push", address=WORLD)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(files.certificate, files.key)
    sock = network.socket()
    sock.bind((WORLD, 0))
    sock.listen()
    endpoint = f"https://{WORLD}:{sock.getsockname()[1]}/browser"
    async with await asyncio.start_server(receiver.serve, sock=sock, ssl=tls):
        yield {"endpoint": endpoint, "p256dh": browser.p256dh, "auth": browser.auth}


@contextmanager
def networks_with_cables() -> Iterator[tuple[Network, Network, Network]]:
    """Hamlet, commune, world."""
    with networks("hamlet", "commune", "world") as (hamlet, commune, world):
        join(commune, (f"{COMMUNE}/24",), hamlet, (f"{HAMLET}/24",), "line")
        join(commune, (f"{COMMUNE_OUTSIDE}/24",), world, (f"{WORLD}/24",), "outside")
        yield hamlet, commune, world


def hamlet_config(folder: Path, streams: list[dict[str, str]], ports: dict[str, int]) -> Path:
    cameras = [
        {"id": f"camera-{number}", "name": f"Camera {number}", "streams": urls}
        for number, urls in enumerate(streams)
    ]
    servers = [{"name": name, "url": f"ws://127.0.0.1:{port}/api/link"} for name, port in ports.items()]
    return write_config(folder / "hamlet.yaml", cameras=cameras, link={"servers": servers})


def commune_config(folder: Path, key: str, mqtt_port: int) -> Path:
    rule = {
        "id": "ai-do",
        "name": "Ai đó",
        "join_s": 0,
        "urgency": "urgent",  # what is less urgent waits after six messages in ten minutes
        "tell": [{"to": ["dien-thoai"]}],
    }
    channel = {"id": "dien-thoai", "name": "Điện thoại", "kind": "push"}
    return write_config(
        folder / "commune.yaml",
        site={"id": "tuc-tranh", "name": "Xã Tức Tranh"},
        server={"host": "0.0.0.0", "port": PORT, "sites": [{"id": SITE, "name": "Xóm", "key": key}]},
        users=users(),
        alerts={
            "rules": [rule],
            "channels": [channel],
            "mqtt": {"host": "127.0.0.1", "port": mqtt_port},
        },
    )


async def follow(client: httpx.AsyncClient, seen: Seen) -> None:
    """The API's stream of what changes."""
    kind = ""
    async with client.stream("GET", "/api/updates", timeout=None) as answer:
        async for line in answer.aiter_lines():
            name, _, value = line.partition(": ")
            if name == "event":
                kind = value
            elif name == "data" and kind == "event":
                event = json.loads(value)
                seen.event.setdefault(event["id"], time.time())
                seen.cameras[event["id"]] = event["camera"]
            elif name == "data" and kind == "alert":
                alert = json.loads(value)
                for event in alert["events"]:
                    seen.alert.setdefault(event["id"], time.time())
                    seen.alerts[event["id"]] = alert["id"]


async def poll(client: httpx.AsyncClient, seen: Seen) -> None:
    while True:
        for event in (await client.get("/api/events", params={"limit": 50})).json()["events"]:
            seen.polled.setdefault(event["id"], time.time())
        await asyncio.sleep(POLL_S * random.uniform(0.9, 1.1))


async def subscribe(port: int, seen: Seen) -> None:
    async with aiomqtt.Client("127.0.0.1", port) as client:
        await client.subscribe("camera_hub/events")
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            seen.mqtt.setdefault(json.loads(message.payload)["after"]["id"], time.time())


async def signed_in(client: httpx.AsyncClient) -> str:
    """The session's token."""

    async def up() -> bool:
        try:
            return (await client.get("/readyz")).status_code == 200
        except httpx.TransportError:
            return False

    await until_async(up, 60)
    answer = await client.post("/api/login", json={"username": users()[0]["name"], "password": PASSWORD})
    answer.raise_for_status()
    return answer.cookies[COOKIE]


@dataclass
class Mover:
    camera: str
    came: float
    event: str = ""


async def movers(told: IO[str], count: int) -> list[Mover]:
    """Those who come from now on."""
    found = []
    for _ in range(count):
        number, us = (await asyncio.to_thread(told.readline)).split()
        found.append(Mover(f"{SITE}.camera-{number}", int(us) / 1e6))
        print(f"{len(found)} of {count}", end="\r", file=sys.stderr)
    await asyncio.sleep(CROSSING_S + LATEST_S)
    return found


async def measure(
    folder: Path, nets: tuple[Network, Network, Network], count: int
) -> tuple[Seen, list[Mover], Line, light_mse.Counts]:
    hamlet, _, world = nets
    seen, counts = Seen(), light_mse.Counts()
    authority = Authority(folder)
    bundle = folder / "bundle.pem"
    shutil.copy(authority.file, bundle)
    async with AsyncExitStack() as stack:
        mosquitto = stack.enter_context(broker(folder))
        subscription = await stack.enter_async_context(push_service(world, authority, seen))
        line = await stack.enter_async_context(narrow_line(PORT, KBIT, DELAY_S, COMMUNE, hamlet.socket))
        with hamlet.inside():
            streams, told = stack.enter_context(mover_cameras(CAMERAS, EVERY_S))
        config = hamlet_config(folder, streams, {"commune": line.port})
        (folder / "data-hamlet").mkdir()
        key = SiteKey.load_or_make(folder / "data-hamlet" / "site.key")
        here = await stack.enter_async_context(server_here(hamlet, key, seen))
        hamlet_config(folder, streams, {"commune": line.port, "here": here})
        serving = commune_config(folder, key.public_text(), mosquitto.port)
        command = [sys.executable, "-c", SERVE.format(ca=str(bundle)), "serve", str(serving)]
        stack.enter_context(process(*command, log=folder / "serve.log"))
        with hamlet.inside():
            stack.enter_context(camera_hub("ingest", str(config), log=folder / "ingest.log"))
        client = await stack.enter_async_context(httpx.AsyncClient(base_url=f"http://127.0.0.1:{PORT}"))
        token = await signed_in(client)
        client.headers["Cookie"] = f"{COOKIE}={token}"
        (await client.post("/api/push", json=subscription)).raise_for_status()

        async def online() -> bool:
            cameras = (await client.get("/api/cameras")).json()["cameras"]
            return len(cameras) == CAMERAS and all(one["state"] == "online" for one in cameras)

        await until_async(online, 60)
        works = [follow(client, seen), poll(client, seen), subscribe(mosquitto.port, seen)]
        tasks = [asyncio.create_task(work) for work in works]
        viewers = [
            await light_mse.watch(counts, PORT, token, f"{SITE}.camera-{number}", "main")
            for number in range(CAMERAS)
        ]
        await until(lambda: all(viewer.pictured.is_set() for viewer in viewers), 60)
        counts.bytes = line.up_bytes = counts.pictures = 0
        began = time.time()
        await asyncio.to_thread(drain_until, told, began)
        found = await movers(told, count)
        for task in tasks:
            if task.done():
                task.result()
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for viewer in viewers:
            viewer.leave()
        return seen, found, line, counts
    raise AssertionError


def drain_until(told: IO[str], wall_s: float) -> None:
    """Those who came before are nobody's; the first one after is left out, too."""
    while int(told.readline().split()[1]) / 1e6 < wall_s:
        pass


def match(seen: Seen, found: list[Mover]) -> None:
    """Each mover's event: the first that its camera told of after they came."""
    free = sorted(seen.event, key=lambda event: seen.event[event])
    for mover in found:
        for event in free:
            late = seen.event[event] - mover.came
            if seen.cameras[event] == mover.camera and 0 < late < LATEST_S:
                mover.event = event
                free.remove(event)
                break


def print_table(seen: Seen, found: list[Mover]) -> None:
    pushed = {event: seen.push[alert] for event, alert in seen.alerts.items() if alert in seen.push}
    ways = {
        "the worker has told a server in its own network": seen.told,
        "the event is on the commune's API": seen.event,
        "the alert is on the commune's API": seen.alert,
        "the push service has it, and it is decrypted": pushed,
        "Mosquitto has told it to a client": seen.mqtt,
        f"a client that asks the API every {POLL_S:g} s has it": seen.polled,
    }
    print("| after the first frame with a mover | movers | p50, ms | p95, ms | most, ms |")
    print("|---|---:|---:|---:|---:|")
    for name, when in ways.items():
        late = sorted(1000 * (when[one.event] - one.came) for one in found if one.event in when)
        if late:
            p50, p95 = (late[min(len(late) - 1, len(late) * p // 100)] for p in (50, 95))
            print(f"| {name} | {len(late)} of {len(found)} | {p50:.0f} | {p95:.0f} | {late[-1]:.0f} |")


def main(folder: Path, count: int) -> None:
    with networks_with_cables() as nets, nets[1].inside():
        began = time.monotonic()
        seen, found, line, counts = asyncio.run(measure(folder, nets, count))
        seconds = time.monotonic() - began
    match(seen, found)
    print_table(seen, found)
    print(f"\n{line.up_bytes} bytes up in about {seconds:.0f} s; {counts.pictures} pictures watched.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--movers", type=int, default=42)
    parser.add_argument("--folder", type=Path, help="where the files lie, and stay")
    options: Any = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    if options.folder is not None:
        options.folder.mkdir()
        main(options.folder, options.movers)
    else:
        with tempfile.TemporaryDirectory(prefix="benchmark-") as made:
            main(Path(made), options.movers)
