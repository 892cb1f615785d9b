"""Who may link: a site that is revoked, a worker that was copied, a key that changes."""

from pathlib import Path

import pytest

from camera_hub.link import handshake
from camera_hub.link.handshake import SiteKey
from camera_hub.link.messages import Refused, decode_from_server, encode
from camera_hub.link.worker import end as worker_end
from tests.integration.test_link_ends import Commune, Hamlet, by_hand, dialling, listening, news, received
from tests.support.memory_outbox import Box
from tests.support.waiting import free_port, until


async def test_a_revoked_site_is_cut_off_at_once_and_brings_nothing_more() -> None:
    key, port, box = SiteKey.make(), free_port(), Box([])
    commune = Commune(key)
    async with listening(commune, port) as server, dialling(port, key, box, Hamlet()) as end:
        await until(lambda: end.connected)
        commune.bar = Refused(code="revoked", reason="the key was revoked")
        box.put(*news(50))
        await server.cut_off("khe-coc", commune.bar)
        before = len(commune.delivered)
        end.outbox_changed()
        await until(lambda: not end.connected and "revoked" in end.error)
        await until(lambda: not server.connected("khe-coc"))
        assert len(commune.delivered) == before


async def test_a_revoked_site_is_refused_by_name_and_asks_seldom() -> None:
    key, port = SiteKey.make(), free_port()
    commune = Commune(key)
    commune.bar = Refused(code="revoked", reason="the key was revoked")
    async with listening(commune, port), dialling(port, key, Box([]), Hamlet()) as end:
        await until(lambda: "revoked" in end.error)
        assert commune.hello is None
    assert worker_end.SLOW_PAUSE_S["revoked"] >= 300


async def test_a_copy_of_a_worker_is_noticed_and_the_first_keeps_the_link(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker_end, "BACKOFF_S", (0.05,))
    monkeypatch.setattr(worker_end, "SLOW_PAUSE_S", {"copy": 0.1})
    key, port = SiteKey.make(), free_port()
    commune = Commune(key)
    async with listening(commune, port) as server, dialling(port, key, Box([]), Hamlet()) as first:
        await until(lambda: first.connected)
        async with dialling(port, key, Box([]), Hamlet()) as second:
            await until(lambda: "copy" in second.error)
            await until(lambda: first.connected and commune.copies >= 2)
            assert not second.connected
            assert server.connected("khe-coc")


async def test_a_key_is_changed_while_linked_and_holds_at_the_next_link(tmp_path: Path) -> None:
    path, port = tmp_path / "commune.key", free_port()
    key = SiteKey.load_or_make(path)
    commune = Commune(key)
    async with listening(commune, port) as server:
        async with dialling(port, key, Box([]), Hamlet(), key_file=path) as end:
            await until(lambda: end.connected)
            assert await server.want_new_key("khe-coc")
            await until(
                lambda: SiteKey.load_or_make(path).public_text() == commune.public != key.public_text()
            )
            assert end.connected
        async with dialling(port, SiteKey.load_or_make(path), Box([]), Hamlet(), key_file=path) as end:
            await until(lambda: end.connected)


async def test_a_key_whose_change_was_not_confirmed_is_found_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(worker_end, "REFUSED_PAUSE_S", 0.1)
    path, port = tmp_path / "commune.key", free_port()
    key, taken = SiteKey.load_or_make(path), SiteKey.load_or_make(path.with_suffix(".next"))
    async with (
        listening(Commune(taken), port),
        dialling(port, key, Box([]), Hamlet(), key_file=path) as end,
    ):
        await until(lambda: end.connected)
        assert SiteKey.load_or_make(path).public_text() == taken.public_text()


async def test_a_new_key_that_nobody_asked_for_is_refused() -> None:
    key, port = SiteKey.make(), free_port()
    commune = Commune(key)
    async with listening(commune, port), by_hand(port, key) as socket:
        await socket.send(encode(handshake.new_key(b"n" * 32, "khe-coc", key, SiteKey.make())))
        refused = decode_from_server(await received(socket))
        assert isinstance(refused, Refused)
        assert "not asked for" in refused.reason
    assert commune.public == key.public_text()
