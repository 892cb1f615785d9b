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
from collections.abc import Awaitable, Callable

import uvloop
from aiortc import RTCCertificate

from benchmarks import light_mse
from benchmarks.light_webrtc import CONNECT_S, Janus, LightViewer, Whep

AT_ONCE = 8  # viewers that connect at the same time
TRIES = 3


async def _webrtc(kind: str, port: int, rest: list[str]) -> None:
    *where, count = rest
    url = f"http://127.0.0.1:{port}"
    certificate = RTCCertificate.generateCertificate()
    viewers: list[LightViewer] = []
    server: Whep | Janus
    if kind == "janus":
        server = relay = Janus(url)

        async def watch(viewer: LightViewer) -> None:
            await relay.watch(viewer, int(where[0]))
    else:
        token, camera, stream = where
        server = ours = Whep(url, token)

        async def watch(viewer: LightViewer) -> None:
            await ours.watch(viewer, camera, stream)

    async def one() -> None:
        for _ in range(TRIES):
            viewer = LightViewer(certificate)
            try:
                async with asyncio.timeout(CONNECT_S):
                    await watch(viewer)
                    await viewer.reached.wait()
                viewers.append(viewer)
                return
            except (TimeoutError, RuntimeError, ConnectionError) as exc:
                # A server lets go who does not connect in time, as may be where both are short of CPU.
                print(f"a viewer tries again: {type(exc).__name__} {exc}", file=sys.stderr)
                await viewer.close()
        raise RuntimeError("a viewer gets nothing")

    await server.begin()
    await _some_at_once(one, int(count))
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
        await asyncio.wait_for(viewers[-1].pictured.wait(), CONNECT_S)

    await _some_at_once(one, int(count))

    def told() -> dict[str, float]:
        delays, counts.delays = sorted(counts.delays) or [0.0], []
        sums: dict[str, float] = {"bytes": counts.bytes, "pictures": counts.pictures, "lost": counts.cut_off}
        return sums | {f"p{p}": delays[min(len(delays) - 1, len(delays) * p // 100)] for p in (50, 95)}

    await _answer(told)
    for viewer in viewers:
        viewer.leave()


async def _some_at_once(one: Callable[[], Awaitable[None]], count: int) -> None:
    limit = asyncio.Semaphore(AT_ONCE)

    async def limited() -> None:
        async with limit:
            await one()

    await asyncio.gather(*(limited() for _ in range(count)))


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
