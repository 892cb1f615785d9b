"""Promise: whatever a camera does wrong, it is closed in time, told in words with the right state, and never
shows a password; and a process ends at once though a camera keeps it waiting."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from itertools import pairwise

import pytest

from camera_hub.cameras.reader import StreamReader
from camera_hub.cameras.retry import Retry
from camera_hub.cameras.rtsp import RtspSource
from camera_hub.cameras.source import (
    BusyError,
    CameraError,
    EndedError,
    NonsenseError,
    NoPasswordError,
    NotFoundError,
    NoVideoError,
    RefusedError,
    StalledError,
    TimedOutError,
    UnauthorisedError,
    UnreachableError,
    UnsupportedError,
    WrongTransportError,
)
from camera_hub.model import CameraState, Packet
from tests.support import bad_cameras as bad
from tests.support.recorded import sets_of, stream
from tests.support.waiting import free_port, until_blocking

TIMEOUT_S = 1.0
PACKETS = stream("h264", seconds=3)[1]


def sets() -> bytes:
    return sets_of("h264", PACKETS[0].data)


def source(address: str, password: str | None = None) -> RtspSource:
    return RtspSource(
        address,
        username="admin" if password else None,
        password=password,
        open_timeout_s=TIMEOUT_S,
        read_timeout_s=TIMEOUT_S,
    )


def read_into(packets: list[Packet], reading: RtspSource) -> None:
    reading.open()
    packets.extend(reading.packets())


def failure(session: bad.Session, password: str | None = None) -> tuple[CameraError, list[Packet]]:
    """What comes of a camera that behaves so: its error, and the packets before it."""
    packets: list[Packet] = []
    with bad.listening(session) as address:
        reading = source(address, password)
        begun = time.monotonic()
        with pytest.raises(CameraError) as caught:
            read_into(packets, reading)
        reading.close()
        assert time.monotonic() - begun < 20
    error = caught.value
    assert error.__cause__ is None
    assert "Errno" not in str(error)
    assert password is None or password not in repr(error) + repr(error.__context__)
    return error, packets


BASIC = 'WWW-Authenticate: Basic realm="camera"\r\n'
DIGEST = 'WWW-Authenticate: Digest realm="camera", nonce="1f"\r\n'
MPEG4 = bad.VIDEO.format(codec="MP4V-ES")
UNKNOWN = bad.VIDEO.format(codec="XYZ")
JPEG = "m=video 0 RTP/AVP 26\r\na=control:track1\r\n"


@pytest.mark.parametrize(
    ("session", "kind", "state", "words"),
    [
        (bad.silent, TimedOutError, "connecting", "did not answer within"),
        (bad.garbage, NonsenseError, "connecting", "not RTSP"),
        (bad.answering("404 Not Found"), NotFoundError, "connecting", "no stream at this path"),
        (bad.answering("500 Oops"), BusyError, "connecting", "cannot serve the stream now"),
        (bad.answering("453 Not Enough Bandwidth"), WrongTransportError, "connecting", "refuses to send"),
        (bad.answering("401 Unauthorized", BASIC), NoPasswordError, "unauthorised", "give `username`"),
        (bad.answering("403 Forbidden"), NoPasswordError, "unauthorised", "forbids"),
        (bad.camera(bad.SOUND, bad.silent), NoVideoError, "unsupported", "no video"),
        (bad.camera(JPEG, bad.silent), UnsupportedError, "unsupported", "MJPEG"),
        (bad.camera(MPEG4, bad.silent), UnsupportedError, "unsupported", "MPEG4"),
        (bad.camera(UNKNOWN, bad.silent), UnsupportedError, "unsupported", "unknown codec"),
        (bad.camera(bad.h264_media(b""), bad.silent), StalledError, "stalled", "has sent nothing for"),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else None,
)  # fmt: skip
def test_a_camera_that_cannot_be_opened(
    session: bad.Session, kind: type[CameraError], state: str, words: str
) -> None:
    error, packets = failure(session)
    assert type(error) is kind
    assert error.state == state
    assert words in str(error)
    assert packets == []


@pytest.mark.parametrize("scheme", [BASIC, DIGEST])
def test_wrong_password_for_ever(scheme: str) -> None:
    error, _ = failure(bad.answering("401 Unauthorized", scheme), password="Rau-muong-7")
    assert type(error) is UnauthorisedError
    assert "check them" in str(error)


def test_refused() -> None:
    with pytest.raises(RefusedError, match="refuses the connection; is it on, and is the port right"):
        source(f"rtsp://127.0.0.1:{free_port()}/a").open()


def test_unroutable() -> None:
    # A listener whose queue is full answers nobody, as an address where nothing is.
    import socket

    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        address = server.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(address)
        begun = time.monotonic()
        with pytest.raises(TimedOutError, match="did not answer within"):
            source(f"rtsp://127.0.0.1:{address[1]}/a").open()
        assert time.monotonic() - begun < 15
        for one in waiting:
            one.close()


def test_unknown_name() -> None:
    with pytest.raises(UnreachableError, match="cannot be found under this name"):
        source("rtsp://camera.invalid/a").open()


def test_stream_that_ends() -> None:
    error, packets = failure(bad.camera(bad.h264_media(sets()), bad.sending(PACKETS)))
    assert type(error) is EndedError
    assert len(packets) == len(PACKETS)


def test_stream_that_stalls_while_its_socket_stays_open() -> None:
    error, packets = failure(bad.camera(bad.h264_media(sets()), bad.sending(PACKETS, then=bad.silent)))
    assert type(error) is StalledError
    assert error.state is CameraState.STALLED
    assert len(packets) >= len(PACKETS) - 1  # the last may be half there


def test_stream_that_goes_mad() -> None:
    error, packets = failure(bad.camera(bad.h264_media(sets()), bad.sending(PACKETS, then=bad.garbage)))
    assert error.state in (CameraState.CONNECTING, CameraState.STALLED)
    assert len(packets) >= len(PACKETS) - 1


@pytest.mark.parametrize("told", [True, False], ids=["parameter sets in the SDP", "in the stream alone"])
def test_stream_whose_timestamps_wrap(told: bool) -> None:
    near_the_end = 0xFFFFFFFF - 90_000
    play = bad.sending(PACKETS, stamps=lambda index, ticks: ticks + near_the_end)
    _, packets = failure(bad.camera(bad.h264_media(sets() if told else b""), play))
    assert [b.dts_us - a.dts_us for a, b in pairwise(packets)] == pytest.approx(
        [100_000] * (len(packets) - 1), abs=2_000
    )


@pytest.mark.parametrize("by", [90_000 * 3600, -90_000 * 3600], ids=["ahead", "back"])
def test_camera_that_sets_its_clock(by: int) -> None:
    play = bad.sending(PACKETS, stamps=lambda index, ticks: ticks + 90_000 * 4000 + (by if index > 12 else 0))
    _, packets = failure(bad.camera(bad.h264_media(sets()), play))
    assert len(packets) == len(PACKETS)
    steps = [b.dts_us - a.dts_us for a, b in pairwise(packets)]
    assert all(0 < step < 1_000_000 for step in steps)


def watched(
    session: bad.Session, until: Callable[[list[tuple[CameraState, str]]], bool]
) -> list[tuple[CameraState, str]]:
    """Let a reader have the camera until its states are as wanted."""

    class Soon(Retry):
        def failed(self, *, unauthorised: bool, ran_s: float) -> float:
            return 0.1

    states: list[tuple[CameraState, str]] = []
    with bad.listening(session) as address:
        reader = StreamReader(
            lambda: source(address),
            on_info=lambda info: None,
            on_packet=lambda packet: None,
            on_state=lambda state, error, wall_us: states.append((state, str(error or ""))),
            stalled_after_s=1.0,
            retry=Soon(),
        )
        thread = threading.Thread(target=reader.run, daemon=True)
        thread.start()
        until_blocking(lambda: until(states), timeout_s=40)
        reader.stop()
        thread.join(20)
        assert not thread.is_alive()
    return states


def test_one_and_the_same_timestamp_for_ever_is_no_progress() -> None:
    many = [packet for _ in range(20) for packet in PACKETS]
    session = bad.camera(bad.h264_media(sets()), bad.sending(many, stamps=lambda index, ticks: 7))
    states = watched(session, lambda told: [state for state, _ in told].count(CameraState.STALLED) >= 2)
    assert [state for state, _ in states][1:3] == [CameraState.ONLINE, CameraState.STALLED]
    assert "one and the same time" in states[2][1]


def test_a_stalled_stream_is_tried_again() -> None:
    session = bad.camera(bad.h264_media(sets()), bad.sending(PACKETS, then=bad.silent))
    states = watched(session, lambda told: [state for state, _ in told].count(CameraState.ONLINE) >= 2)
    assert [state for state, _ in states][:4] == ["connecting", "online", "stalled", "online"]


_WAITING_PROCESS = """
import sys, threading, time
from camera_hub.cameras.reader import StreamReader
from camera_hub.cameras.rtsp import RtspSource
reader = StreamReader(
    lambda: RtspSource(sys.argv[1], open_timeout_s=600, read_timeout_s=600),
    on_info=print, on_packet=lambda packet: print("packet", flush=True), on_state=print,
)
thread = threading.Thread(target=reader.run, daemon=True)
thread.start()
sys.stdin.readline()
begun = time.monotonic()
reader.stop()
print("stopped after", time.monotonic() - begun, flush=True)
"""


@pytest.mark.parametrize("when", ["opening", "reading"])
def test_a_process_ends_though_its_camera_keeps_it_waiting(when: str) -> None:
    stalling = bad.camera(bad.h264_media(sets()), bad.sending(PACKETS, then=bad.silent))
    with bad.listening(bad.silent if when == "opening" else stalling) as address:
        process = subprocess.Popen(
            [sys.executable, "-c", _WAITING_PROCESS, address],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()  # connecting
        if when == "reading":
            while "packet" not in process.stdout.readline():
                pass
        time.sleep(1)
        out, err = process.communicate("stop\n", timeout=30)  # not the ten minutes of its timeouts
        assert process.returncode == 0, err
        assert "stopped after" in out
