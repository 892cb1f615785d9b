"""Light viewers that come and go, in a process of their own.

    python -m benchmarks.soak_viewers PORT TOKEN CAMERAS COUNT SECONDS SEED VANISHING

By WebRTC and by MSE, of the sub or (seldom) the main stream, for a second or for a minute. They leave in
good order or, that share of them, vanish without a word; some by MSE read nothing for a while. Prints one
line of JSON: how many views there were by each way, and what went wrong.
"""

import asyncio
import json
import random
import sys
import time
from collections import Counter

import uvloop
from aiortc import RTCCertificate

from benchmarks import light_mse
from benchmarks.light_webrtc import CONNECT_S, LightViewer, Whep

STAYS_S = (1.0, 60.0)
USUAL_S = 15.0
READS_NOTHING, MAIN = 0.1, 0.2  # how often


class Crowd:
    """All viewers of a server."""

    def __init__(
        self, port: int, token: str, cameras: list[str], seconds: float, seed: int, vanishing: float
    ) -> None:
        self.told: Counter[str] = Counter()
        self._port = port
        self._token = token
        self._cameras = cameras
        self._ends = time.monotonic() + seconds
        self._chance = random.Random(seed)
        self._vanishing = vanishing
        self._whep = Whep(f"http://127.0.0.1:{port}", token)
        self._certificate = RTCCertificate.generateCertificate()

    async def run(self, count: int) -> None:
        await asyncio.gather(*(self._one() for _ in range(count)))
        await self._whep.close()

    async def _one(self) -> None:
        await asyncio.sleep(self._chance.uniform(0, 5))
        while time.monotonic() < self._ends:
            camera = self._chance.choice(self._cameras)
            stream = "main" if self._chance.random() < MAIN else "sub"
            by_webrtc = self._chance.random() < 0.5
            try:
                await (self._by_webrtc if by_webrtc else self._by_mse)(camera, stream)
            except (TimeoutError, RuntimeError, OSError) as exc:
                self.told[f"{type(exc).__name__}: {exc}"[:200]] += 1
            await asyncio.sleep(self._chance.uniform(0, 1))

    def _stay_s(self) -> float:
        stay = min(max(self._chance.expovariate(1 / USUAL_S), STAYS_S[0]), STAYS_S[1])
        return max(0.0, min(stay, self._ends - time.monotonic()))

    async def _by_webrtc(self, camera: str, stream: str) -> None:
        viewer = LightViewer(self._certificate)
        try:
            async with asyncio.timeout(CONNECT_S):
                await self._whep.watch(viewer, camera, stream)
                await viewer.pictured.wait()
            self.told["webrtc"] += 1
            for _ in range(round(self._stay_s())):
                await viewer.report()
                await asyncio.sleep(1)
        finally:
            if self._chance.random() < self._vanishing:
                await viewer.vanish()
            else:
                if viewer.location:
                    await self._whep.leave(viewer)
                await viewer.close()

    async def _by_mse(self, camera: str, stream: str) -> None:
        viewer = await light_mse.watch(light_mse.Counts(), self._port, self._token, camera, stream)
        try:
            await asyncio.wait_for(viewer.pictured.wait(), CONNECT_S)
            self.told["mse"] += 1
            if self._chance.random() < READS_NOTHING:
                viewer.pause()
            await asyncio.sleep(self._stay_s())
        finally:
            viewer.leave()


async def _main(
    port: str, token: str, cameras: str, count: str, seconds: str, seed: str, vanishing: str
) -> None:
    crowd = Crowd(int(port), token, cameras.split(","), float(seconds), int(seed), float(vanishing))
    await crowd.run(int(count))
    print(json.dumps(crowd.told), flush=True)


if __name__ == "__main__":
    uvloop.run(_main(*sys.argv[1:]))
