"""Reports become events: wall times, one id, rising revisions, and the best picture, encoded late."""

from dataclasses import dataclass

from msgspec.structs import replace

from camera_hub.ingest.telling import TELL_EVERY_US, EventTeller
from camera_hub.model import Crossing, EventKind, TamperCause
from camera_hub.motion import Changed, Closed, Opened

WALL = 1_700_000_000_000_000
S = 1_000_000


@dataclass
class Frame:
    pts_us: int
    encoded: int = 0

    @property
    def wall_us(self) -> int:
        return WALL + self.pts_us

    def jpeg(self, height: int | None = None, quality: int = 85) -> bytes:
        self.encoded += 1
        return f"jpeg {self.pts_us}".encode()


def opened(t_us: int, number: int = 1, start_us: int | None = None) -> Opened:
    return Opened(
        number=number,
        t_us=t_us,
        start_us=t_us if start_us is None else start_us,
        zones=(),
        score=0.5,
        box=(0.1, 0.1, 0.1, 0.1),
        path=((0, 0.1, 0.2),),
        best=True,
    )


def changed(t_us: int, best: bool = True, x: float = 0.2, zones: tuple[str, ...] = ()) -> Changed:
    return Changed(
        number=1, t_us=t_us, start_us=0, zones=zones, score=0.6, box=(x, 0, 0.1, 0.1), path=(), best=best
    )


def closed(t_us: int, end_us: int, best: bool = False) -> Closed:
    return Closed(
        number=1,
        t_us=t_us,
        start_us=0,
        end_us=end_us,
        zones=("Cổng",),
        score=0.9,
        box=(0.9, 0, 0.1, 0.1),
        path=(),
        best=best,
    )


def teller() -> EventTeller:
    return EventTeller("gate", lambda wall_us: f"id-{wall_us}")


def test_an_event_keeps_its_id_and_its_revisions_rise() -> None:
    telling = teller()
    first = telling.tell([opened(2 * S, start_us=1 * S)], Frame(2 * S))[0].event
    second = telling.tell([changed(3 * S, zones=("Cổng",))], Frame(3 * S))[0].event
    third = telling.tell([closed(9 * S, end_us=6 * S)], Frame(9 * S))[0].event
    assert first.start_us == WALL + 1 * S
    assert (first.end_us, second.end_us, third.end_us) == (None, None, WALL + 6 * S)
    assert {e.id for e in (first, second, third)} == {f"id-{WALL + S}"}
    assert [e.revision for e in (first, second, third)] == [1, 2, 3]
    assert third.zones == ("Cổng",)


def test_the_picture_comes_at_once_and_then_seldom() -> None:
    telling = teller()
    first, near, later = Frame(0), Frame(1 * S), Frame(TELL_EVERY_US)
    assert telling.tell([opened(0)], first)[0].jpeg == b"jpeg 0"
    assert telling.tell([changed(1 * S)], near) == []
    found = telling.tell([changed(TELL_EVERY_US)], later)[0]
    assert found.jpeg == f"jpeg {TELL_EVERY_US}".encode()
    assert found.picture_us == WALL + TELL_EVERY_US
    assert (first.encoded, near.encoded, later.encoded) == (1, 0, 1)


def test_the_last_word_brings_the_best_picture_and_its_box() -> None:
    telling = teller()
    telling.tell([opened(0)], Frame(0))
    telling.tell([changed(1 * S, x=0.4)], Frame(1 * S))
    telling.tell([changed(2 * S, best=False, x=0.7)], Frame(2 * S))
    found = telling.tell([closed(5 * S, end_us=3 * S)], Frame(5 * S))[0]
    assert found.jpeg == b"jpeg 1000000"
    assert found.event.box == (0.4, 0, 0.1, 0.1)


def test_another_zone_is_told_at_once() -> None:
    telling = teller()
    telling.tell([opened(0)], Frame(0))
    (found,) = telling.tell([changed(1 * S, zones=("Cổng",))], Frame(1 * S))
    assert found.event.zones == ("Cổng",)
    assert telling.tell([changed(2 * S, zones=("Cổng",))], Frame(2 * S)) == []


def test_a_picture_is_not_sent_twice() -> None:
    telling = teller()
    telling.tell([opened(0)], Frame(0))
    assert telling.tell([closed(5 * S, end_us=3 * S)], Frame(5 * S))[0].jpeg is None


def test_the_end_of_a_stream_closes_on_the_last_frame() -> None:
    telling = teller()
    telling.tell([opened(0)], Frame(0))
    found = telling.tell([closed(1 * S, end_us=1 * S)], None)[0]
    assert found.event.end_us == WALL + 1 * S


def test_a_second_event_gets_its_own_id() -> None:
    telling = teller()
    found = telling.tell([opened(0, number=1), opened(1, number=2)], Frame(1))
    assert len({f.event.id for f in found}) == 2


def test_the_way_is_told_and_a_crossing_at_once() -> None:
    telling = teller()
    telling.tell([opened(0)], Frame(0))
    crossing = Crossing("Cổng xóm", "left", 1 * S, "ra khỏi xóm")
    crossed = replace(changed(2 * S), crossings=(crossing,), entry="left", mean_speed=0.1, peak_speed=0.2)
    [found] = telling.tell([crossed], Frame(2 * S))
    event = found.event
    assert (event.crossings, event.entry, event.exit) == ((crossing,), "left", None)
    assert (event.mean_speed, event.peak_speed) == (0.1, 0.2)
    assert telling.tell([replace(crossed, t_us=3 * S)], Frame(3 * S)) == []
    gone = replace(closed(9 * S, 6 * S), exit="top", stays=(("Cổng", 4 * S),))
    [found] = telling.tell([gone], Frame(9 * S))
    assert (found.event.exit, found.event.stays) == ("top", (("Cổng", 4 * S),))


def test_a_tamper_is_told_with_its_cause() -> None:
    turned = replace(opened(0), kind=EventKind.TAMPER, cause=TamperCause.TURNED)
    [found] = teller().tell([turned], Frame(0))
    assert (found.event.kind, found.event.cause) == (EventKind.TAMPER, TamperCause.TURNED)
