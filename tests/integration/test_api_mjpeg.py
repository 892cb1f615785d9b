"""A camera as a stream of JPEG pictures: new ones as they come, an old one never as if it were live."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest

from camera_hub.clock import SYSTEM_CLOCK
from camera_hub.link.messages import Still
from camera_hub.model import CameraInfo
from camera_hub.server import mjpeg
from camera_hub.server.mjpeg import crossed_out
from tests.support.dashboard import USER, Film, Hamlet, served
from tests.support.live import encode

PATH = "/api/cameras/khe-coc.cong-lang/mjpeg"


@pytest.fixture(scope="module")
def film() -> Film:
    encoded = encode()
    return Film(encoded.info, encoded.packets, encoded.duration_us)


def hub(folder: Path, film: Film) -> contextlib.AbstractAsyncContextManager[tuple[Hamlet, str]]:
    cameras = (CameraInfo("cong-lang", "Cổng làng", streams=("main", "sub")),)
    return served(folder, {"cong-lang": film}, cameras)


async def parts(answer: httpx.Response) -> AsyncIterator[tuple[dict[str, str], bytes]]:
    """Each part's headers and body, as soon as the boundary behind it has come."""
    assert answer.headers["content-type"] == "multipart/x-mixed-replace; boundary=picture"
    data = b""
    async for chunk in answer.aiter_raw():
        data += chunk
        while data.count(b"--picture\r\n") >= 2:
            _, part, data = data.split(b"--picture\r\n", 2)
            data = b"--picture\r\n" + data
            head, _, body = part.partition(b"\r\n\r\n")
            headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
            assert int(headers["Content-Length"]) == len(body) - 2
            yield headers, body[:-2]


def light(jpeg: bytes) -> float:
    """How light a picture is."""
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return float(picture.mean())


async def test_pictures_come_and_an_old_one_is_crossed_out(
    tmp_path: Path, film: Film, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mjpeg, "STALE_US", 1_000_000)
    monkeypatch.setattr(mjpeg, "STALE_EVERY_US", 1_000_000)
    async with hub(tmp_path, film) as (hamlet, address), httpx.AsyncClient(base_url=address) as client:
        assert (await client.get(PATH)).status_code == 401
        login = {"username": USER.name, "password": USER.password}
        assert (await client.post("/api/login", json=login)).status_code == 200
        assert (await client.get("/api/cameras/khe-coc.no/mjpeg")).status_code == 404
        async with client.stream("GET", PATH, params={"h": 180}) as answer:
            coming = parts(answer)
            taken = []
            for _ in range(3):
                headers, live = await anext(coming)
                taken.append(headers["X-Picture-Time"])
                assert live == film.jpeg()
            assert taken == sorted(set(taken))

            async def nothing(site: str, camera: str, height: int | None) -> Still:
                return Still(request=0, jpeg=None, at_us=0, error="the site is not connected")

            monkeypatch.setattr(hamlet, "still", nothing)
            headers, old = await anext(coming)
            while old == live:  # one may have been on its way
                headers, old = await anext(coming)
            assert headers["X-Picture-Time"] >= taken[-1]
            assert light(old) < 0.7 * light(live)
        answer = await client.get(PATH)
        assert answer.status_code == 503
        assert "the site is not connected" in answer.json()["detail"]


async def test_it_ends_with_the_server(tmp_path: Path, film: Film) -> None:
    async with httpx.AsyncClient() as client:
        async with hub(tmp_path, film) as (_, address):
            login = {"username": USER.name, "password": USER.password}
            await client.post(f"{address}/api/login", json=login)
            request = client.build_request("GET", address + PATH)
            answer = await client.send(request, stream=True)
            coming = parts(answer)
            await anext(coming)
            began = SYSTEM_CLOCK.monotonic_us()
        assert SYSTEM_CLOCK.monotonic_us() - began < 10_000_000
        await answer.aclose()


def test_what_is_no_picture_stays_as_it_is(film: Film) -> None:
    assert crossed_out(b"no jpeg", 5) == b"no jpeg"
    assert crossed_out(film.jpeg(), 5) != crossed_out(film.jpeg(), 3_700)
