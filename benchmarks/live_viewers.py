"""Light viewers of a live view, in a process of their own.

    python -m benchmarks.live_viewers webrtc PORT TOKEN CAMERA STREAM COUNT
    python -m benchmarks.live_viewers mse PORT TOKEN CAMERA STREAM COUNT
    python -m benchmarks.live_viewers janus PORT MOUNTPOINT COUNT

Prints `ready` when all of them get video; then, for each line on standard input, one line of JSON with
what was counted since the start. By WebRTC: packets, bytes, lost (by sequence numbers); they send a receiver
report a second, as browsers do. By MSE: bytes, pictures, lost (connections), and percentiles of the delay.
"""

import asyncio
import itertools
import json
import sys
import time
from collections.abc import Awaitable, Callable

import uvloop
from aiortc import RTCCertificate

from benchmarks import light_mse
from benchmarks.light_webrtc import CONNECT_S, Janus, LightViewer, Whep

AT_ONCE = 8  # viewers that connect at the same time


async def _webrtc(kind: str, port: int, rest: list[str]) -> None:
    *where, count = rest
    url = f"http://127.0.0.1:{port}"
    certificate = RTCCertificate.generateCertificate()
    viewers = [LightViewer(certificate) for _ in range(int(count))]
    server: Whep | Janus
    if kind == "janus":
        server = relay = Janus(url)

        async def one(viewer: LightViewer) -> None:
            await relay.watch(viewer, int(where[0]))
    else:
        token, camera, stream = where
        server = ours = Whep(url, token)

        async def one(viewer: LightViewer) -> None:
            await ours.watch(viewer, camera, stream)

    await server.begin()
    await _some_at_once([lambda viewer=viewer: one(viewer) for viewer in viewers])  # type: ignore[misc]
    await _all_see(lambda: all(viewer.packets for viewer in viewers))
    reporting = asyncio.create_task(_report(viewers))
    await _answer(
        lambda: {name: sum(getattr(one, name) for one in viewers) for name in ("packets", "bytes", "lost")}
    )
    reporting.cancel()
    await asyncio.gather(*(viewer.close() for viewer in viewers))
    await server.close()


async def _mse(port: int, rest: list[str]) -> None:
    token, camera, stream, count = rest
    counts = light_mse.Counts()
    viewers: list[light_mse.LightViewer] = []

    async def one() -> None:
        viewers.append(await light_mse.watch(counts, port, token, camera, stream))
        await viewers[-1].pictured.wait()

    await _some_at_once([one] * int(count))

    def told() -> dict[str, float]:
        delays, counts.delays = sorted(counts.delays) or [0.0], []
        sums: dict[str, float] = {"bytes": counts.bytes, "pictures": counts.pictures, "lost": counts.cut_off}
        return sums | {f"p{p}": delays[min(len(delays) - 1, len(delays) * p // 100)] for p in (50, 95)}

    await _answer(told)
    for viewer in viewers:
        viewer.leave()


async def _some_at_once(doing: list[Callable[[], Awaitable[None]]]) -> None:
    limit = asyncio.Semaphore(AT_ONCE)

    async def one(do: Callable[[], Awaitable[None]]) -> None:
        async with limit:
            await asyncio.wait_for(do(), CONNECT_S)

    await asyncio.gather(*map(one, doing))


async def _all_see(seen: Callable[[], bool]) -> None:
    began = time.monotonic()
    while not seen():
        if time.monotonic() - began > CONNECT_S:
            raise RuntimeError("some viewers get nothing")
        await asyncio.sleep(0.1)


async def _answer(told: Callable[[], object]) -> None:
    """Until standard input ends."""
    print("ready", flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps(told()), flush=True)


async def _report(viewers: list[LightViewer]) -> None:
    """One after the other, each once a second."""
    for viewer in itertools.cycle(viewers):
        await viewer.report()
        await asyncio.sleep(1 / len(viewers))


if __name__ == "__main__":
    way, at, *more = sys.argv[1:]
    uvloop.run(_mse(int(at), more) if way == "mse" else _webrtc(way, int(at), more))
