"""Events over HTTP: what a site brought is there, a page at a time, with pictures and clips by ranges."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from camera_hub.link.messages import EventClip, EventNews, EventPicture
from camera_hub.model import EventKind, TamperCause
from tests.support.server import JPEG, SITE, START_US, Server, event, hello, running_app, ulid

CLIP = bytes(range(256)) * 400


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with running_app(tmp_path) as running:
        await running.state.site_connected(hello())
        await running.sign_in()
        yield running


async def _tell(server: Server, number: int, **more: Any) -> None:
    message = EventNews(id=f"m{number}-{more.get('revision', 1)}", event=event(number, **more))
    await server.state.deliver(SITE, message)


async def _list(server: Server, **params: object) -> dict[str, Any]:
    answer = await server.client.get("/api/events", params=params)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def _ids(server: Server, **params: object) -> list[str]:
    return [one["id"] for one in (await _list(server, **params))["events"]]


async def test_an_event_in_full(server: Server) -> None:
    await _tell(server, 1, end_us=START_US + 4_500_000, zones=("Lòng đường",))
    expected = {
        "id": ulid(1),
        "site": "khe-coc",
        "camera": "khe-coc.cong-lang",
        "camera_name": "Cổng làng",
        "kind": "motion",
        "start": "2026-05-28T20:26:40Z",
        "end": "2026-05-28T20:26:44.500000Z",
        "duration_s": 4.5,
        "zones": ["Lòng đường"],
        "score": 0.75,
        "box": [0.25, 0.5, 0.125, 0.25],
        "path": [[0.0, 0.25, 0.75], [0.5, 0.5, 0.75]],
        "stays": [{"zone": "Lòng đường", "longest_s": 3.5}],
        "crossings": [{"line": "Cổng xóm", "to": "right", "to_is": "vào xóm", "at_s": 1.25}],
        "entry": "top",
        "exit": "bottom",
        "mean_speed": 0.125,
        "peak_speed": 0.25,
        "cause": None,
        "clock_off_s": None,
        "snapshot": False,
        "clip": False,
        "verdict": None,
    }
    assert (await server.client.get(f"/api/events/{ulid(1)}")).json() == expected
    assert (await _list(server)) == {"events": [expected], "next": None}


async def test_a_tamper_says_what_was_done_to_the_camera(server: Server) -> None:
    await _tell(server, 1, kind=EventKind.TAMPER, cause=TamperCause.TURNED)
    found = (await server.client.get(f"/api/events/{ulid(1)}")).json()
    assert (found["kind"], found["cause"]) == ("tamper", "turned")


async def test_an_event_that_goes_on_has_no_end(server: Server) -> None:
    await _tell(server, 1)
    found = (await server.client.get(f"/api/events/{ulid(1)}")).json()
    assert (found["end"], found["duration_s"]) == (None, None)


async def test_pages_join_without_a_seam(server: Server) -> None:
    for number in range(1, 24):
        await _tell(server, number, start_us=START_US + number // 5)
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await _list(server, limit=5, **cursor)
        seen += [one["id"] for one in page["events"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert seen == [ulid(number) for number in range(23, 0, -1)]


async def test_filters(server: Server) -> None:
    await _tell(server, 1, zones=("Lòng đường",))
    await _tell(server, 2, camera="nha-van-hoa", start_us=START_US + 60_000_000)
    await _tell(server, 3, kind=EventKind.TAMPER, start_us=START_US + 120_000_000)
    assert await _ids(server) == [ulid(3), ulid(2), ulid(1)]
    assert await _ids(server, camera="khe-coc.nha-van-hoa") == [ulid(2)]
    assert await _ids(server, camera="khe-coc.nha-van-hoa", site="khe-coc") == [ulid(2)]
    assert await _ids(server, camera="khe-coc.nha-van-hoa", site="dong-tam") == []
    assert await _ids(server, site="dong-tam") == []
    assert await _ids(server, kind="tamper") == [ulid(3)]
    assert await _ids(server, zone="Lòng đường") == [ulid(1)]
    assert await _ids(server, after="2026-05-28T20:27:40Z") == [ulid(3), ulid(2)]
    assert await _ids(server, after="2026-05-29T03:27:40+07:00", before="2026-05-28T20:28:40Z") == [ulid(2)]


@pytest.mark.parametrize(
    "params",
    [
        {"limit": 0}, {"limit": 201}, {"limit": "x"}, {"cursor": "x"}, {"cursor": "1' OR 1=1 --"},
        {"kind": "ghost"}, {"after": "yesterday"}, {"after": "0"}, {"camera": "cong-lang"},
        {"camera": "../x"}, {"zone": ""},
    ],
)  # fmt: skip
async def test_a_question_that_makes_no_sense_is_explained(server: Server, params: dict[str, Any]) -> None:
    answer = await server.client.get("/api/events", params=params)
    assert answer.status_code == 422
    (name,) = params
    assert answer.json()["mistakes"][0]["where"] == f"query.{name}"


@pytest.mark.parametrize("rest", ["", "/snapshot.jpg", "/clip.mp4"])
async def test_an_event_that_is_not_there_is_not_found(server: Server, rest: str) -> None:
    answer = await server.client.get(f"/api/events/{ulid(99)}{rest}")
    assert answer.status_code == 404
    assert ulid(99) in answer.json()["detail"]


@pytest.mark.parametrize("path", ["x", "..", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "0" * 27])
async def test_an_id_that_is_none_reaches_no_file(server: Server, path: str) -> None:
    answer = await server.client.get(f"/api/events/{path}/clip.mp4")
    assert answer.status_code in (404, 422)
    assert "root:" not in answer.text


async def test_the_picture(server: Server) -> None:
    await _tell(server, 1)
    path = f"/api/events/{ulid(1)}/snapshot.jpg"
    assert (await server.client.get(path)).status_code == 404
    await server.state.deliver(SITE, EventPicture("p1", ulid(1), "cong-lang", START_US, JPEG))
    answer = await server.client.get(path)
    assert (answer.status_code, answer.content) == (200, JPEG)
    assert answer.headers["content-type"] == "image/jpeg"
    assert "private" in answer.headers["cache-control"]


async def test_a_later_picture_has_another_etag(server: Server) -> None:
    await _tell(server, 1)
    tags = set()
    for number, jpeg in enumerate((JPEG, JPEG + b"later")):
        message = EventPicture(f"p{number}", ulid(1), "cong-lang", START_US + number, jpeg)
        await server.state.deliver(SITE, message)
        answer = await server.client.get(f"/api/events/{ulid(1)}/snapshot.jpg")
        assert answer.content == jpeg
        tags.add(answer.headers["etag"])
    assert len(tags) == 2


@pytest.mark.parametrize(
    ("asked", "status", "content"),
    [
        (None, 200, CLIP),
        ("bytes=0-", 206, CLIP),
        ("bytes=100-199", 206, CLIP[100:200]),
        ("bytes=-100", 206, CLIP[-100:]),
        (f"bytes={len(CLIP) - 1}-999999999", 206, CLIP[-1:]),
        (f"bytes={len(CLIP)}-", 416, None),
        ("lines=1-2", 400, None),
    ],
)
async def test_the_clip_by_ranges(
    server: Server, asked: str | None, status: int, content: bytes | None
) -> None:
    await _tell(server, 1)
    await server.state.deliver(SITE, EventClip("c1", ulid(1), "cong-lang", START_US, 6_000_000, CLIP))
    headers = {} if asked is None else {"Range": asked}
    answer = await server.client.get(f"/api/events/{ulid(1)}/clip.mp4", headers=headers)
    assert answer.status_code == status
    if content is None:
        assert answer.headers["content-type"] == "application/problem+json"
        return
    assert answer.content == content
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["accept-ranges"] == "bytes"
    if status == 206:
        assert answer.headers["content-range"].endswith(f"/{len(CLIP)}")


async def test_a_file_that_was_lost_is_not_found(server: Server) -> None:
    await _tell(server, 1)
    await server.state.deliver(SITE, EventPicture("p1", ulid(1), "cong-lang", START_US, JPEG))
    for path in (server.store.folder / "media").rglob("*.jpg"):
        path.unlink()
    assert (await server.client.get(f"/api/events/{ulid(1)}/snapshot.jpg")).status_code == 404


async def test_a_message_that_makes_no_sense_does_not_stand_in_the_way(server: Server) -> None:
    await server.state.deliver(SITE, EventPicture("p1", "../../x", "cong-lang", START_US, JPEG))
    await _tell(server, 1)
    assert await _ids(server) == [ulid(1)]
