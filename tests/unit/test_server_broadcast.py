"""Everybody who follows gets what changes; a client that does not keep up costs the others nothing."""

import asyncio

from pydantic import BaseModel

from camera_hub.server import broadcast
from camera_hub.server.broadcast import RESET, Client, Updates


class Thing(BaseModel):
    name: str


def _publish(updates: Updates, count: int = 1) -> None:
    for number in range(count):
        updates.publish("thing", Thing(name=f"cổng\n{number}"))


async def _next(client: Client) -> bytes | None:
    return await asyncio.wait_for(client.next(), 10)


def _ids(data: bytes) -> list[str]:
    return [line.removeprefix("id: ") for line in data.decode().splitlines() if line.startswith("id: ")]


async def test_all_clients_get_an_update_as_one_event() -> None:
    updates = Updates()
    with updates.subscribe() as one, updates.subscribe() as other:
        _publish(updates)
        data = await _next(one)
        assert data == await _next(other)
    assert data is not None
    lines = data.decode().split("\n")
    assert lines[0] == "event: thing"
    assert lines[2] == 'data: {"name":"cổng\\n0"}'
    assert data.endswith(b"\n\n")


async def test_what_waits_comes_in_order_and_at_once() -> None:
    updates = Updates()
    with updates.subscribe() as client:
        _publish(updates, 5)
        data = await _next(client)
    assert data is not None
    assert len(_ids(data)) == 5
    assert _ids(data) == sorted(_ids(data))


async def test_a_client_that_does_not_keep_up_is_let_go_and_the_others_are_not() -> None:
    updates = Updates()
    with updates.subscribe() as slow, updates.subscribe() as quick:
        seen = 0
        for _ in range(broadcast.MAX_WAITING + 10):
            _publish(updates)
            seen += len(_ids(await _next(quick) or b""))
        assert seen == broadcast.MAX_WAITING + 10
        assert await _next(slow) is None
        assert updates.clients == 1


async def test_a_client_that_leaves_is_forgotten() -> None:
    updates = Updates()
    with updates.subscribe():
        assert updates.clients == 1
    assert updates.clients == 0


async def test_a_client_that_comes_back_gets_what_it_missed() -> None:
    updates = Updates()
    with updates.subscribe() as client:
        _publish(updates, 3)
        ids = _ids(await _next(client) or b"")
    with updates.subscribe(ids[0]) as back:
        assert _ids(await _next(back) or b"") == ids[1:]
    with updates.subscribe(ids[-1]) as up_to_date:
        _publish(updates)
        assert len(_ids(await _next(up_to_date) or b"")) == 1


async def test_what_is_no_longer_known_is_told_by_a_reset() -> None:
    updates = Updates()
    with updates.subscribe() as client:
        _publish(updates)
        first = _ids(await _next(client) or b"")[0]
    _publish(updates, broadcast.REMEMBERED + 1)
    start = first.partition("-")[0]
    for last in (first, f"{start}-99999999", f"{start}-x", f"{start}-²", "other-1", ""):
        with updates.subscribe(last) as back:
            assert await _next(back) == RESET


async def test_after_close_every_stream_ends() -> None:
    updates = Updates()
    with updates.subscribe() as client:
        waiting = asyncio.create_task(client.next())
        await asyncio.sleep(0)
        updates.close()
        assert await asyncio.wait_for(waiting, 10) is None
    with updates.subscribe() as late:
        assert await _next(late) is None
