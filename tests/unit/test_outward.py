"""HTTP to addresses that people give: no way into the own network, no end that is waited for."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from typing import Any

import pytest

from camera_hub.alerts.telling import outward
from camera_hub.alerts.telling.message import NotDeliveredError
from camera_hub.alerts.telling.outward import MAX_ANSWER_BYTES, post
from tests.support.between import proxy
from tests.support.receivers import HttpReceiver, http_receiver
from tests.support.waiting import free_port


@pytest.fixture
async def receiver() -> AsyncIterator[HttpReceiver]:
    async with http_receiver() as made:
        yield made


@pytest.fixture(autouse=True)
def no_proxy_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1/",
        "http://[::1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/",
        "http://0.0.0.0/",
        "http://[::ffff:127.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://localhost/",
        "http://[fe80::1%25lo]/",
    ],
)
@pytest.mark.parametrize("through", [None, "http://127.0.0.1:9"])
async def test_no_spelling_leads_into_the_own_network(address: str, through: str | None) -> None:
    with pytest.raises(NotDeliveredError) as caught:
        await post(address, b"", {}, proxy=through)
    said = str(caught.value)
    assert "an address of the own network" in said or "is not known" in said or "no web address" in said


@pytest.mark.parametrize("address", ["http://[::1", "http://a:99999/", "file:///etc/passwd", "http://", "x"])
async def test_what_is_no_web_address_is_not_tried_again(address: str) -> None:
    with pytest.raises(NotDeliveredError, match="no web address") as caught:
        await post(address, b"", {}, inside=True)
    assert not caught.value.again


async def test_a_name_that_changes_after_it_was_looked_at_leads_nowhere_else(
    monkeypatch: pytest.MonkeyPatch, receiver: HttpReceiver
) -> None:
    """As with DNS rebinding: first a public address, then our own, which a second question would get."""
    answers = ["192.88.99.1", "127.0.0.1"]  # the first is nobody's
    port = int(receiver.url.rpartition(":")[2])

    async def looked_up(self: Any, host: str, port: int, **_: Any) -> list[Any]:
        address = answers.pop(0) if host == "rebind.test" else host
        return [(2, 1, 6, "", (address, port))]

    monkeypatch.setattr(asyncio.get_running_loop().__class__, "getaddrinfo", looked_up)
    monkeypatch.setattr(outward, "is_public", lambda address: address != "127.0.0.1")
    monkeypatch.setattr(outward, "CONNECT_S", 0.3)
    with pytest.raises(NotDeliveredError):
        await post(f"http://rebind.test:{port}/", b"", {})
    assert receiver.calls == []
    assert answers == ["127.0.0.1"]  # it was asked for once


@pytest.mark.parametrize("to", ["http://127.0.0.1/", "http://169.254.169.254/", "http://[::1]/"])
async def test_a_redirect_is_not_followed(receiver: HttpReceiver, to: str) -> None:
    receiver.respond = lambda _: (302, {"Location": to}, b"")
    assert (await post(receiver.url, b"", {}, inside=True)).status == 302
    assert len(receiver.calls) == 1


async def test_of_an_answer_without_an_end_the_beginning_is_read(receiver: HttpReceiver) -> None:
    receiver.respond = lambda _: (200, {}, b"a" * 5_000_000)
    assert (await post(receiver.url, b"", {}, inside=True)).text == "a" * MAX_ANSWER_BYTES


async def test_what_was_made_small_is_not_unpacked(receiver: HttpReceiver) -> None:
    receiver.respond = lambda _: (200, {"Content-Encoding": "gzip"}, gzip.compress(bytes(100_000_000)))
    assert len((await post(receiver.url, b"", {}, inside=True)).text) <= MAX_ANSWER_BYTES
    assert receiver.calls[0].headers["accept-encoding"] == "identity"


async def test_one_that_hangs_is_given_up(receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outward, "WHOLE_S", 0.2)
    receiver.respond = lambda _: None
    with pytest.raises(NotDeliveredError, match="did not answer") as caught:
        await post(receiver.url, b"", {}, inside=True)
    assert caught.value.again


async def test_a_name_is_the_proxys_to_look_up(receiver: HttpReceiver) -> None:
    """The receiver stands for a proxy: of plain HTTP it is asked by the whole address."""
    assert (await post("http://hub.test/in", b"told", {}, proxy=receiver.url)).status == 204
    (call,) = receiver.calls
    assert (call.path, call.body, call.headers["host"]) == ("http://hub.test/in", b"told", "hub.test")


async def test_https_goes_through_a_tunnel_and_inside_goes_directly(
    receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with proxy() as between:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{between.port}")
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{between.port}")
        port = receiver.url.rpartition(":")[2]
        monkeypatch.setattr(outward, "CONNECT_S", 0.3)
        with pytest.raises(NotDeliveredError):  # the receiver speaks no TLS
            await post(f"https://hub.test:{port}/", b"", {})
        assert between.asked == [f"CONNECT hub.test:{port}"]
        assert (await post(receiver.url, b"", {}, inside=True)).status == 204
        assert len(between.asked) == 1


async def test_a_proxy_that_refuses_or_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async with proxy(refuses=403) as between:
        with pytest.raises(NotDeliveredError, match=r"the proxy .* did not let us through"):
            await post("https://hub.test/", b"", {}, proxy=f"http://127.0.0.1:{between.port}")
    with pytest.raises(NotDeliveredError, match="by way of the proxy"):
        await post("https://hub.test/", b"", {}, proxy=f"http://127.0.0.1:{free_port()}")
