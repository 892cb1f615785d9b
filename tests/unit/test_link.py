"""The link's vocabulary, its handshake and its lanes, without a socket."""

import base64
import contextlib
import math
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from camera_hub.link import handshake
from camera_hub.link.messages import (
    MAX_MESSAGE_BYTES,
    Challenge,
    EventClip,
    EventNews,
    EventPicture,
    Health,
    Hello,
    LinkError,
    LiveOpened,
    LivePackets,
    LiveSound,
    ServerMessage,
    Still,
    TooLargeError,
    WorkerMessage,
    decode_from_server,
    decode_from_worker,
    encode,
)
from camera_hub.link.messages.limits import MAX_BYTES
from camera_hub.link.worker.outgoing import LiveBuffer
from camera_hub.model import (
    CameraHealth,
    CameraInfo,
    CameraState,
    EventKind,
    HubError,
    Line,
    Packet,
    SoundPacket,
    StreamInfo,
    TamperCause,
    Zone,
)
from tests.support.server import event

INFO = StreamInfo(codec="h264", width=640, height=360, fps=10.0, extradata=b"\0\0\0\1g")
HELLO = Hello(version=1, site="a", name="A", software="1", signature=b"", cameras=())
HEALTH = Health(0, (), 0, 1, 2, 0)


def packet(number: int, keyframe: bool, size: int = 1) -> Packet:
    return Packet(data=b"x" * size, pts_us=number, dts_us=number, wall_us=number, keyframe=keyframe)


def test_a_message_comes_back_as_it_was() -> None:
    message = LivePackets(camera="a", stream="sub", packets=(packet(1, True), packet(2, False)))
    assert decode_from_worker(encode(message)) == message


@given(st.binary(max_size=200))
def test_garbage_is_refused_by_name(data: bytes) -> None:
    for decode in (decode_from_worker, decode_from_server):
        with contextlib.suppress(LinkError):  # any other error fails the test
            decode(data)


def test_an_unknown_message_is_refused_by_its_name() -> None:
    data = msgspec.msgpack.encode({"type": "Teleport", "to": "x"})
    with pytest.raises(LinkError, match="Teleport"):
        decode_from_worker(data)


def test_a_message_of_the_other_end_is_refused() -> None:
    with pytest.raises(LinkError, match="Challenge"):
        decode_from_worker(encode(handshake.challenge()))


def test_an_oversized_message_is_neither_sent_nor_taken() -> None:
    clip = EventClip(
        id="1", event_id="1", camera="a", start_us=0, duration_us=0, mp4=b"x" * MAX_MESSAGE_BYTES
    )
    with pytest.raises(LinkError, match="larger"):
        encode(clip)
    with pytest.raises(LinkError, match="larger"):
        decode_from_worker(b"x" * (MAX_MESSAGE_BYTES + 1))


def test_every_message_has_a_limit_of_its_own() -> None:
    names = {kind.__name__ for kind in (*get_args(WorkerMessage), *get_args(ServerMessage))}
    assert names == set(MAX_BYTES)


@pytest.mark.parametrize(
    ("message", "name"),
    [
        (replace(HEALTH, cameras=(CameraHealth("a", CameraState.ONLINE, 0, error="x" * 10**7),)), "Health"),
        (EventNews("m1", replace(event(1), path=((0, 0.5, 0.5),) * 700_000)), "EventNews"),
        (replace(HELLO, cameras=(CameraInfo("a", "Cổng"),) * 100_000), "Hello"),
        (EventPicture("m1", "1", "a", 0, bytes(9 * 1024 * 1024)), "EventPicture"),
        (Still(1, bytes(9 * 1024 * 1024), 0), "Still"),
        (LiveSound("a", "sub", (SoundPacket(bytes(2 * 1024 * 1024), 0),)), "LiveSound"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_message_that_is_too_large_for_its_kind_is_named(message: WorkerMessage, name: str) -> None:
    with pytest.raises(TooLargeError) as caught:
        encode(message)
    assert (caught.value.name, caught.value.id) == (name, getattr(message, "id", ""))
    with pytest.raises(TooLargeError, match=f"a {name} of [0-9]+ bytes is larger"):
        decode_from_worker(msgspec.msgpack.encode(message))


CAMERA = CameraInfo("a", "Cổng")


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (replace(HELLO, name="x" * 2001), r"Hello\.name has 2001 signs"),
        (replace(HELLO, cameras=(CAMERA,) * 501), r"Hello\.cameras has 501 entries"),
        (replace(HELLO, can=("x",) * 65), r"Hello\.can has 65 entries"),
        (
            replace(HELLO, cameras=(replace(CAMERA, zones=(Zone("z", ((math.nan, 0.0),) * 3),)),)),
            r"Hello\.cameras\[0\]\.zones\[0\]\.polygon\[0\]\[0\] is no finite number",
        ),
        (
            replace(HELLO, cameras=(replace(CAMERA, lines=(Line("l", ((0.0, 0.0),) * 1001),)),)),
            r"points has 1001 entries",
        ),
        (replace(HEALTH, at_us=2**62), r"Health\.at_us is an instant out of all time"),
        (replace(HEALTH, disk_free_bytes=2**60), r"disk_free_bytes is too large a number"),
        (
            replace(HEALTH, cameras=(CameraHealth("a", CameraState.ONLINE, 0, decoded_share=math.inf),)),
            r"decoded_share is no finite number",
        ),
        (LiveOpened("a", "sub", replace(INFO, extradata=bytes(65_537))), "LiveOpened"),
    ],
)
def test_what_a_site_says_of_itself_is_bounded_field_by_field(message: WorkerMessage, said: str) -> None:
    with pytest.raises(LinkError, match=said):
        decode_from_worker(msgspec.msgpack.encode(message))


class TestHandshake:
    def test_the_right_key_is_let_in(self) -> None:
        key, asked = handshake.SiteKey.make(), handshake.challenge()
        answer = handshake.hello(asked, key, "khe-coc", "Khe Cốc", "1", ())
        assert handshake.refusal(asked, answer, key.public_text()) is None

    def test_a_wrong_key_is_refused_with_the_remedy(self) -> None:
        asked = handshake.challenge()
        answer = handshake.hello(asked, handshake.SiteKey.make(), "khe-coc", "", "1", ())
        refused = handshake.refusal(asked, answer, handshake.SiteKey.make().public_text())
        assert refused is not None
        assert refused.code == "wrong-key"
        assert "camera-hub key" in refused.reason

    def test_an_answer_overheard_is_worth_nothing(self) -> None:
        key = handshake.SiteKey.make()
        answer = handshake.hello(handshake.challenge(), key, "khe-coc", "", "1", ())
        refused = handshake.refusal(handshake.challenge(), answer, key.public_text())
        assert refused is not None
        assert refused.code == "wrong-key"

    def test_a_signature_for_one_site_does_not_open_another(self) -> None:
        key, asked = handshake.SiteKey.make(), handshake.challenge()
        answer = handshake.hello(asked, key, "khe-coc", "", "1", ())
        stolen = msgspec.structs.replace(answer, site="other")
        assert handshake.refusal(asked, stolen, key.public_text()) is not None

    def test_unknown_sites_and_versions_are_refused_in_words(self) -> None:
        key, asked = handshake.SiteKey.make(), handshake.challenge()
        answer = handshake.hello(asked, key, "khe-coc", "", "1", ())
        unknown = handshake.refusal(asked, answer, None)
        assert unknown is not None
        assert "khe-coc" in unknown.reason
        newer = handshake.refusal(asked, msgspec.structs.replace(answer, version=9), key.public_text())
        assert newer is not None
        assert "version 9" in newer.reason
        with pytest.raises(LinkError, match="version 9"):
            handshake.hello(Challenge(version=9, nonce=b"n" * 32), key, "khe-coc", "", "1", ())

    def test_a_key_is_made_once_and_only_for_us(self, tmp_path: Path) -> None:
        path = tmp_path / "site.key"
        made = handshake.SiteKey.load_or_make(path)
        assert path.stat().st_mode & 0o777 == 0o600
        assert handshake.SiteKey.load_or_make(path).public_text() == made.public_text()
        assert len(base64.b64decode(made.public_text())) == 32
        path.chmod(0o644)
        with pytest.raises(HubError, match="chmod 600"):
            handshake.SiteKey.load_or_make(path)

    def test_a_file_that_is_no_key_is_named(self, tmp_path: Path) -> None:
        path = tmp_path / "site.key"
        path.write_text("hello")
        path.chmod(0o600)
        with pytest.raises(HubError, match="not a private key"):
            handshake.SiteKey.load_or_make(path)


class TestLiveBuffer:
    def test_it_starts_at_a_keyframe_and_empties_in_order(self) -> None:
        buffer = LiveBuffer("a", "sub")
        buffer.open(INFO)
        buffer.add([packet(0, False), packet(1, True), packet(2, False)], 0)
        assert isinstance(buffer.take(), LiveOpened)
        message = buffer.take()
        assert isinstance(message, LivePackets)
        assert [p.pts_us for p in message.packets] == [1, 2]
        assert buffer.take() is None

    def test_a_slow_wire_skips_to_the_next_keyframe(self) -> None:
        buffer = LiveBuffer("a", "sub", max_bytes=100)
        buffer.add([packet(0, True, 60), packet(1, False, 60), packet(2, False, 10)], 0)
        assert buffer.take() is None
        buffer.add([packet(3, True, 60)], 0)
        message = buffer.take()
        assert isinstance(message, LivePackets)
        assert [p.pts_us for p in message.packets] == [3]
        assert buffer.dropped == 3


def test_a_still_says_in_words_why_there_is_none() -> None:
    still = Still(request=1, jpeg=None, at_us=0, error="the camera shows no picture now")
    assert decode_from_worker(encode(still)) == still


def test_an_event_of_a_worker_that_knows_no_lines_is_understood() -> None:
    told = encode(EventNews(id="m1", event=event(zones=("Cổng",))))
    message = msgspec.msgpack.decode(told)
    for key in ("stays", "crossings", "entry", "exit", "mean_speed", "peak_speed", "cause"):
        del message["event"][key]
    news = decode_from_worker(msgspec.msgpack.encode(message))
    assert isinstance(news, EventNews)
    assert (news.event.zones, news.event.crossings, news.event.entry) == (("Cổng",), (), None)


def test_a_tamper_that_a_newer_worker_knows_is_unexpected_to_an_older_server() -> None:
    told = event(kind=EventKind.TAMPER, cause=TamperCause.TURNED)
    assert decode_from_worker(encode(EventNews(id="m1", event=told))) == EventNews(id="m1", event=told)
    message = msgspec.msgpack.decode(encode(EventNews(id="m1", event=told)))
    message["event"]["cause"] = "stolen"
    news = decode_from_worker(msgspec.msgpack.encode(message))
    assert isinstance(news, EventNews)
    assert news.event.cause is TamperCause.UNEXPECTED
