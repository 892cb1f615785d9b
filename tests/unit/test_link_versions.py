"""Version 1 of the link is still spoken: what it said then is understood now, and what is said now, then.

tests/fixtures/link_v1.json was written by the last release that spoke version 1 alone.
"""

import json
from typing import Any

import msgspec
import pytest

from camera_hub.link import handshake
from camera_hub.link.handshake import SiteKey
from camera_hub.link.messages import (
    PROTOCOL_VERSION,
    SERVER_SKILLS,
    WORKER_SKILLS,
    Challenge,
    EventNews,
    Hello,
    LinkError,
    UnknownMessageError,
    Welcome,
    decode_from_server,
    decode_from_worker,
    encode,
)
from tests.support.needs import ROOT
from tests.support.server import CAMERAS

RECORDED: dict[str, Any] = json.loads((ROOT / "tests" / "fixtures" / "link_v1.json").read_text())
FROM_WORKER: dict[str, str] = RECORDED["from_worker"]
FROM_SERVER: dict[str, str] = RECORDED["from_server"]


def recorded(name: str) -> bytes:
    return bytes.fromhex(FROM_WORKER.get(name) or FROM_SERVER[name])


@pytest.mark.parametrize("name", FROM_WORKER)
def test_what_a_version_1_worker_says_is_understood(name: str) -> None:
    assert type(decode_from_worker(recorded(name))).__name__ == name


@pytest.mark.parametrize("name", FROM_SERVER)
def test_what_a_version_1_server_says_is_understood(name: str) -> None:
    assert type(decode_from_server(recorded(name))).__name__ == name


def test_all_that_version_1_had_is_recorded() -> None:
    assert len(FROM_WORKER) == 9
    assert len(FROM_SERVER) == 6


def test_a_version_1_worker_is_let_in_and_what_it_lacks_is_known() -> None:
    asked, hello = decode_from_server(recorded("Challenge")), decode_from_worker(recorded("Hello"))
    assert isinstance(asked, Challenge)
    assert isinstance(hello, Hello)
    assert handshake.refusal(asked, hello, RECORDED["public_key"]) is None
    assert hello.cameras == CAMERAS
    assert (hello.speaks, hello.can, hello.run) == (0, (), "")
    assert WORKER_SKILLS - set(hello.can) == WORKER_SKILLS


def test_a_version_1_server_is_linked_to() -> None:
    asked = decode_from_server(recorded("Challenge"))
    assert isinstance(asked, Challenge)
    handshake.hello(asked, SiteKey.make(), "khe-coc", "", "9", ())
    assert SERVER_SKILLS - set(asked.can) == SERVER_SKILLS


class _V1(msgspec.Struct, frozen=True, tag_field="type"):
    """The handshake as version 1 had it, so that what it reads of ours is checked without it."""


class ChallengeV1(_V1, frozen=True, tag="Challenge"):
    version: int
    nonce: bytes


class HelloV1(_V1, frozen=True, tag="Hello"):
    version: int
    site: str
    name: str
    software: str
    signature: bytes
    cameras: tuple[dict[str, Any], ...]


class WelcomeV1(_V1, frozen=True, tag="Welcome"):
    server_time_us: int


def test_version_1_reads_our_handshake_and_finds_its_own_version_in_it() -> None:
    asked = msgspec.msgpack.decode(encode(handshake.challenge()), type=ChallengeV1)
    assert asked.version == 1
    assert len(asked.nonce) == 32
    ours = handshake.hello(handshake.challenge(), SiteKey.make(), "khe-coc", "Khe Cốc", "9", CAMERAS, "run")
    told = msgspec.msgpack.decode(encode(ours), type=HelloV1)
    assert told.version == 1
    assert [camera["id"] for camera in told.cameras] == [camera.id for camera in CAMERAS]
    assert msgspec.msgpack.decode(encode(Welcome(7)), type=WelcomeV1).server_time_us == 7


def test_a_newer_worker_and_a_newer_server_are_met_halfway() -> None:
    key, asked = SiteKey.make(), handshake.challenge()
    hello = handshake.hello(asked, key, "khe-coc", "", "9", ())
    newer = msgspec.structs.replace(hello, speaks=PROTOCOL_VERSION + 5, can=(*hello.can, "teleport"))
    assert handshake.refusal(asked, newer, key.public_text()) is None
    handshake.hello(msgspec.structs.replace(asked, speaks=PROTOCOL_VERSION + 5), key, "a", "", "9", ())


@pytest.mark.parametrize(
    ("version", "speaks"), [(PROTOCOL_VERSION + 1, PROTOCOL_VERSION + 3), (9, 0), (0, 0)]
)
def test_who_has_no_version_in_common_is_told_which_are_spoken(version: int, speaks: int) -> None:
    key, asked = SiteKey.make(), handshake.challenge()
    hello = handshake.hello(asked, key, "khe-coc", "", "9", ())
    refused = handshake.refusal(
        asked, msgspec.structs.replace(hello, version=version, speaks=speaks), key.public_text()
    )
    assert refused is not None
    assert refused.code == "version"
    assert f"version {version}" in refused.reason
    with pytest.raises(LinkError, match=f"version {version}"):
        handshake.hello(
            Challenge(version=version, nonce=b"n" * 32, speaks=speaks), key, "khe-coc", "", "9", ()
        )


def test_a_message_of_a_later_version_is_named_with_its_id() -> None:
    data = msgspec.msgpack.encode({"type": "EventHologram", "id": "m7", "layers": [1, 2]})
    with pytest.raises(UnknownMessageError, match="EventHologram") as caught:
        decode_from_worker(data)
    assert (caught.value.name, caught.value.id) == ("EventHologram", "m7")


def test_a_known_message_that_is_broken_is_no_unknown_one() -> None:
    for data in (
        b"\xff",
        msgspec.msgpack.encode({"type": "EventNews", "id": 3}),
        msgspec.msgpack.encode({"a": 1}),
    ):
        with pytest.raises(LinkError) as caught:
            decode_from_worker(data)
        assert not isinstance(caught.value, UnknownMessageError)


def test_a_field_that_a_later_version_adds_is_passed_over() -> None:
    told = msgspec.msgpack.decode(recorded("EventNews"))
    told["event"]["colour"] = told["colour"] = "blue"
    assert isinstance(decode_from_worker(msgspec.msgpack.encode(told)), EventNews)
