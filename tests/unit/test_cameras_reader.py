"""Promise: a reader keeps its stream coming whatever the source does, tells each change of state once, and
ends only when asked, or with a clip."""

import threading
from collections.abc import Callable, Iterator, Sequence

import msgspec
import pytest

from camera_hub.cameras.reader import StreamReader
from camera_hub.cameras.retry import Retry
from camera_hub.cameras.source import (
    CameraError,
    ClipOverError,
    EndedError,
    RefusedError,
    TruncatedError,
    UnauthorisedError,
    UnsupportedError,
)
from camera_hub.model import CameraState, Cause, Packet, StreamInfo
from tests.support.clocks import HandClock

INFO = StreamInfo("h264", 640, 360, 10.0, b"", "Main")
LARGER = msgspec.structs.replace(INFO, width=1280, height=720)
SECOND = 1_000_000


class NoWait(Retry):
    """Notes what was decided, and waits for nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.decisions: list[tuple[bool, float]] = []

    def failed(self, *, unauthorised: bool, ran_s: float) -> float:
        self.decisions.append((unauthorised, ran_s))
        return 0.0


class Script:
    """A source that does what it is told: packets, a new info, or an error."""

    def __init__(
        self, clock: HandClock, opening: Exception | None, *acts: Packet | StreamInfo | Exception
    ) -> None:
        self.info = INFO
        self.closed = 0
        self.interrupted = threading.Event()
        self._clock, self._opening, self._acts = clock, opening, acts

    def open(self) -> StreamInfo:
        if self._opening is not None:
            raise self._opening
        return self.info

    def packets(self) -> Iterator[Packet]:
        for act in self._acts:
            if isinstance(act, Packet):
                self._clock.now_us = max(self._clock.now_us, act.wall_us)
                yield act
            elif isinstance(act, StreamInfo):
                self.info = act
            else:
                raise act

    def close(self) -> None:
        self.closed += 1

    def interrupt(self) -> None:
        self.interrupted.set()


class Heard:
    """Everything that a reader told, in order."""

    def __init__(self) -> None:
        self.all: list[object] = []
        self.errors: list[CameraError | None] = []

    def state(self, state: CameraState, error: CameraError | None, wall_us: int) -> None:
        self.all.append((state, str(error or "")))
        self.errors.append(error)

    @property
    def states(self) -> list[CameraState]:
        return [one[0] for one in self.all if isinstance(one, tuple)]

    @property
    def packets(self) -> list[Packet]:
        return [one for one in self.all if isinstance(one, Packet)]

    @property
    def infos(self) -> list[StreamInfo]:
        return [one for one in self.all if isinstance(one, StreamInfo)]


def packets(begin_s: int, count: int, *, frozen: bool = False) -> list[Packet]:
    """One packet a second; `wall_us` is the fake clock's time of arrival."""
    return [
        Packet(b"", 0 if frozen else n * SECOND, n if frozen else n * SECOND, (begin_s + n) * SECOND, n == 0)
        for n in range(count)
    ]


def run(
    scripts: Callable[[HandClock], Sequence[Script]], clock: HandClock | None = None
) -> tuple[Heard, NoWait, Sequence[Script]]:
    """Run a reader over the sources, one after another; it is stopped when they are used up."""
    clock = clock or HandClock()
    sources = scripts(clock)
    left = iter(sources)
    heard, retry = Heard(), NoWait()

    def open_source() -> Script:
        source = next(left, None)
        if source is None:
            reader.stop()
            return Script(clock, None)
        return source

    reader = StreamReader(
        open_source,
        on_info=heard.all.append,
        on_packet=heard.all.append,
        on_state=heard.state,
        clock=clock,
        retry=retry,
    )
    reader.run()
    return heard, retry, sources


def test_states_of_a_camera_that_comes_and_goes() -> None:
    heard, _, sources = run(
        lambda clock: [
            Script(clock, RefusedError("nobody there")),
            Script(clock, None, *packets(0, 3), EndedError("it ended")),
            Script(clock, None, *packets(10, 2), EndedError("it ended")),
        ]
    )
    connecting, online = CameraState.CONNECTING, CameraState.ONLINE
    assert heard.states == [connecting, connecting, online, connecting, online, connecting]
    assert len(heard.packets) == 5
    assert [source.closed for source in sources] == [1, 1, 1]
    assert heard.infos == [INFO, INFO]


def test_error_is_told_in_words_once_and_cleared() -> None:
    heard, _, _ = run(
        lambda clock: [
            *(Script(clock, RefusedError("nobody there")) for _ in range(5)),
            Script(clock, None, *packets(0, 2), EndedError("it ended")),
        ]
    )
    told = [one for one in heard.all if isinstance(one, tuple)]
    assert told[:3] == [
        (CameraState.CONNECTING, ""),
        (CameraState.CONNECTING, "nobody there"),
        (CameraState.ONLINE, ""),
    ]


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (UnauthorisedError("no"), CameraState.UNAUTHORISED),
        (UnsupportedError.of("mjpeg", "the camera"), CameraState.UNSUPPORTED),
        (RefusedError("no"), CameraState.CONNECTING),
    ],
)
def test_each_error_has_its_state(error: CameraError, state: CameraState) -> None:
    heard, retry, _ = run(lambda clock: [Script(clock, error)])
    assert heard.states[1] is state
    assert heard.errors[:2] == [None, error]
    assert retry.decisions[0] == (isinstance(error, UnauthorisedError), 0)


def test_info_comes_before_its_packets() -> None:
    first, second, third = packets(0, 3)
    heard, _, _ = run(
        lambda clock: [Script(clock, None, first, second, LARGER, third, EndedError("it ended"))]
    )
    order = [one for one in heard.all if not isinstance(one, tuple)]
    assert order == [INFO, first, second, LARGER, third]


def test_a_stream_without_new_timestamps_is_stalled() -> None:
    heard, retry, sources = run(lambda clock: [Script(clock, None, *packets(0, 60, frozen=True))])
    assert heard.states == [CameraState.CONNECTING, CameraState.ONLINE, CameraState.STALLED]
    assert len(heard.packets) == 10
    assert sources[0].closed == 1
    assert retry.decisions == [(False, 10.0)]


def test_how_long_it_ran_well_is_reported_to_the_retry() -> None:
    _, retry, _ = run(
        lambda clock: [
            Script(clock, None, *packets(0, 41), EndedError("it ended")),
            Script(clock, RefusedError("nobody there")),
        ]
    )
    assert retry.decisions == [(False, 40.0), (False, 0)]


def test_a_clip_that_is_over_ends_the_reader() -> None:
    never = RefusedError("never opened")
    heard, retry, sources = run(lambda clock: [Script(clock, None, *packets(0, 3)), Script(clock, never)])
    assert heard.all[-1] == (CameraState.STALLED, "the clip has ended")
    assert type(heard.errors[-1]) is ClipOverError
    assert retry.decisions == []
    assert [source.closed for source in sources] == [1, 0]


def test_a_broken_clip_ends_the_reader_with_its_error() -> None:
    def broken(clock: HandClock) -> list[Script]:
        error = TruncatedError("it breaks off")
        error.final = True
        return [Script(clock, None, *packets(0, 3), error), Script(clock, RefusedError("never opened"))]

    heard, retry, _ = run(broken)
    assert heard.all[-1] == (CameraState.UNSUPPORTED, "it breaks off")
    assert retry.decisions == []


def test_an_unexpected_error_is_survived() -> None:
    heard, retry, sources = run(
        lambda clock: [
            Script(clock, None, *packets(0, 2), ZeroDivisionError("ours")),
            Script(clock, None, *packets(10, 2), EndedError("it ended")),
        ]
    )
    assert len(heard.packets) == 4
    assert len(retry.decisions) == 2
    assert sources[0].closed == 1
    assert "the log has the details" in str(heard.all)
    assert [error.cause for error in heard.errors if error] == [Cause.UNEXPECTED, Cause.ENDED]


def test_a_source_that_cannot_even_be_made_is_tried_again() -> None:
    attempts = 0

    def open_source() -> Script:
        nonlocal attempts
        attempts += 1
        if attempts == 3:
            reader.stop()
        raise RefusedError("no such thing")

    heard = Heard()
    reader = StreamReader(
        open_source,
        on_info=heard.all.append,
        on_packet=heard.all.append,
        on_state=heard.state,
        clock=HandClock(),
        retry=NoWait(),
    )
    reader.run()
    assert attempts == 3


def test_stop_interrupts_the_source_and_ends_the_wait() -> None:
    clock = HandClock()
    source = Script(clock, None)
    opened = threading.Event()

    class Waiting(Script):
        def packets(self) -> Iterator[Packet]:
            opened.set()
            self.interrupted.wait(20)
            return iter(())

    source = Waiting(clock, None)
    heard = Heard()
    reader = StreamReader(
        lambda: source,
        on_info=heard.all.append,
        on_packet=heard.all.append,
        on_state=heard.state,
        clock=clock,
    )
    thread = threading.Thread(target=reader.run)
    thread.start()
    assert opened.wait(20)
    reader.stop()
    thread.join(20)
    assert not thread.is_alive()
    assert source.closed == 1
    assert heard.states == [CameraState.CONNECTING]

    refused = StreamReader(
        lambda: Script(clock, UnauthorisedError("no")),
        on_info=heard.all.append,
        on_packet=heard.all.append,
        on_state=heard.state,
        clock=clock,
    )
    thread = threading.Thread(target=refused.run)
    thread.start()
    refused.stop()
    thread.join(20)  # and not the half minute after wrong credentials
    assert not thread.is_alive()


def test_health_is_measured() -> None:
    clock = HandClock()
    seen = []
    script = Script(clock, None, *packets(0, 30))
    reader = StreamReader(
        lambda: script,
        on_info=lambda info: None,
        on_packet=lambda packet: seen.append(reader.health("sub", 7)),
        on_state=lambda *_: None,
        clock=clock,
    )
    assert reader.health("sub") is None
    reader.run()
    last = seen[-1]
    assert last is not None
    assert (last.stream, last.fps, last.dropped, last.width) == ("sub", 1.0, 7, 640)
