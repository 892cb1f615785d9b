"""Promise: what is wrong with a camera reaches people as a cause with its details, from the stream's error to
the link, and a server understands a worker that is newer than itself."""

import asyncio
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from camera_hub.cameras import source
from camera_hub.cameras.source import CameraError, RefusedError, StalledError, UnsupportedError
from camera_hub.clock import SYSTEM_CLOCK
from camera_hub.config import CameraConfig, LogConfig
from camera_hub.ingest.camera_process import CameraSpec
from camera_hub.ingest.health import camera_health
from camera_hub.ingest.keeper import CameraKeeper
from camera_hub.model import (
    CameraHealth,
    CameraState,
    Cause,
    GateReason,
    RecordingCause,
    StreamHealth,
    StreamName,
)
from tests.support.waiting import until


@dataclass
class Stream:
    """A stream that does as it is told here."""

    stream: StreamName
    error: CameraError | None = None
    recording_problem: str = ""
    recording_cause: RecordingCause | None = None
    since_us: int = 7
    state: CameraState = field(init=False)

    def __post_init__(self) -> None:
        self.state = self.error.state if self.error else CameraState.ONLINE

    def health(self) -> StreamHealth | None:
        return None


def kinds(of: type[CameraError] = CameraError) -> Iterator[type[CameraError]]:
    for kind in of.__subclasses__():
        yield kind
        yield from kinds(kind)


def test_every_kind_of_error_has_a_cause_of_its_own() -> None:
    told = [kind for kind in kinds() if kind is not source.GivenUpError]  # that one is told to nobody
    causes = [kind.cause for kind in told]
    assert len(set(causes)) == len(causes)
    of_the_worker = {Cause.PROCESS_ENDED, Cause.PROCESS_HUNG, Cause.UNEXPECTED}
    assert set(causes) | of_the_worker == set(Cause)


def test_all_well() -> None:
    health = camera_health("cong-lang", [Stream("main"), Stream("sub")])
    assert (health.cause, health.cause_detail, health.cause_stream, health.error) == (None, "", None, "")
    assert (health.recording_cause, health.recording) == (None, "")


def test_the_cause_of_the_worst_stream_is_told_with_its_details() -> None:
    error = UnsupportedError.of("mjpeg", "the camera")
    health = camera_health("cong-lang", [Stream("main"), Stream("sub", error)])
    assert (health.state, health.cause) == (CameraState.UNSUPPORTED, Cause.UNSUPPORTED_CODEC)
    assert (health.cause_detail, health.cause_stream) == ("MJPEG", "sub")
    assert health.error == f"sub: {error}"


def test_a_cause_of_both_streams_names_neither() -> None:
    health = camera_health("c", [Stream("main", StalledError("stands")), Stream("sub", StalledError("too"))])
    assert (health.cause, health.cause_stream, health.error) == (Cause.STALLED, None, "stands")


def test_why_nothing_is_recorded_is_told_beside_it() -> None:
    full = Stream("sub", None, "The disk is full.", RecordingCause.DISK_FULL)
    health = camera_health("c", [Stream("main", RefusedError("no")), full])
    assert (health.cause, health.recording_cause) == (Cause.REFUSED, RecordingCause.DISK_FULL)
    assert health.recording == "The disk is full."


def test_why_every_picture_is_decoded_is_told_beside_it() -> None:
    watcher = SimpleNamespace(gate_reason=GateReason.B_FRAMES, decoded_share=1.0)
    health = camera_health("c", [Stream("main")], watcher)
    assert (health.cause, health.gate_reason, health.decoded_share) == (None, GateReason.B_FRAMES, 1.0)
    told = msgspec.msgpack.decode(msgspec.msgpack.encode(health), type=CameraHealth)
    assert told == health
    unwatched = camera_health("c", [Stream("main")])
    assert (unwatched.gate_reason, unwatched.decoded_share) == (None, None)


def test_a_cause_from_a_newer_worker_is_unexpected_and_its_words_stay() -> None:
    told = {"camera": "c", "state": "connecting", "since_us": 1, "error": "It rains.", "recording": "Wet."}
    newer = msgspec.msgpack.encode({**told, "cause": "rain", "recording_cause": "wet", "gate_reason": "fog"})
    health = msgspec.msgpack.decode(newer, type=CameraHealth)
    assert (health.cause, health.error) == (Cause.UNEXPECTED, "It rains.")
    assert (health.recording_cause, health.recording) == (RecordingCause.UNEXPECTED, "Wet.")
    assert health.gate_reason is GateReason.UNEXPECTED
    older = msgspec.msgpack.decode(msgspec.msgpack.encode(told), type=CameraHealth)
    assert (older.gate_reason, older.decoded_share) == (None, None)
    assert (older.cause, older.cause_detail, older.error) == (None, "", "It rains.")


class DeadProcess:
    """In place of a camera's process: it ends as soon as it has begun."""

    pid = 4711

    def __init__(self, code: int, sock: socket.socket) -> None:
        self.exitcode = code
        self._sock = sock

    def start(self) -> None:
        self._sock.shutdown(socket.SHUT_RDWR)

    def join(self, timeout_s: float) -> None:
        pass


@pytest.mark.parametrize(
    ("code", "detail", "words"),
    [(-11, "SIGSEGV", "was ended by SIGSEGV"), (70, "70", "ended with code 70")],
)
async def test_a_process_that_ended_is_told_with_how(
    code: int, detail: str, words: str, tmp_path: Path
) -> None:
    config = CameraConfig.model_validate(
        {"id": "cong-lang", "name": "Cổng làng", "streams": {"main": "rtsp://127.0.0.1:1/a"}}
    )
    spec = CameraSpec(config, tmp_path, tmp_path / "catalogue.db", 60, 1, 1, LogConfig())
    context = SimpleNamespace(Process=lambda *, args, **_: DeadProcess(code, args[1]))
    keeper = CameraKeeper(
        spec,
        cast(Any, context),
        asyncio.Lock(),
        SYSTEM_CLOCK,
        on_news=lambda camera, news: None,
        on_health=lambda: None,
        on_death=lambda camera: None,
    )
    running = asyncio.create_task(keeper.run())
    await until(lambda: keeper.health.restarts > 0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert (keeper.health.cause, keeper.health.cause_detail) == (Cause.PROCESS_ENDED, detail)
    assert words in keeper.health.error
