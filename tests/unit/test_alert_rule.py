"""Whether a rule means an occurrence, from when on, and if not, why."""

from zoneinfo import ZoneInfo

import pytest

from camera_hub.alerts.occurrence import AlertKind, Occurrence, of_event
from camera_hub.alerts.rule import SECOND_US, Crosses, Meant, Miss, Rule, judge
from camera_hub.alerts.times import Calendar, Times
from camera_hub.model import Crossing, Event, EventKind
from tests.unit.test_alert_times import us

CALENDAR = Calendar(ZoneInfo("Asia/Ho_Chi_Minh"))
START = us("2026-11-25 23:00")
PASSER = Occurrence(
    id="01KASXXXXXXXXXXXXXXXXXXXXX",
    kind=AlertKind.MOTION,
    site="khe-coc",
    camera="cong-xom",
    start_us=START,
    end_us=START + 20 * SECOND_US,
    zones=("Lòng đường",),
    stays=(("Lòng đường", 15 * SECOND_US),),
    crossings=(Crossing("Cổng", "left", 8 * SECOND_US),),
    height=0.3,
)
ANY = Rule("r", "Có người", (AlertKind.MOTION,))


def said(**changes: object) -> Meant | Miss:
    rule = Rule(**{"id": "r", "name": "n", "kinds": (AlertKind.MOTION,), **changes})  # type: ignore[arg-type]
    return judge(rule, PASSER, CALENDAR)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Meant(START)),
        ({"kinds": (AlertKind.TAMPER,)}, Miss.KIND),
        ({"sites": ("khe-coc",)}, Meant(START)),
        ({"sites": ("dong-lom",)}, Miss.PLACE),
        ({"cameras": ("khe-coc.cong-xom",)}, Meant(START)),
        ({"cameras": ("khe-coc.cau",)}, Miss.PLACE),
        ({"since_us": START + 1}, Miss.EARLIER),
        ({"zones": ("Lòng đường", "Sân")}, Meant(START)),
        ({"zones": ("Sân",)}, Miss.ZONE),
        ({"crosses": (Crosses("Cổng"),)}, Meant(START + 8 * SECOND_US)),
        ({"crosses": (Crosses("Cổng", "left"),)}, Meant(START + 8 * SECOND_US)),
        ({"crosses": (Crosses("Cổng", "right"),)}, Miss.LINE),
        ({"stays_s": 15}, Meant(START)),
        ({"stays_s": 15.1}, Miss.STAY),
        ({"stays_s": 1, "zones": ("Lòng đường",)}, Meant(START)),
        ({"taller_than": 0.3}, Meant(START)),
        ({"taller_than": 0.31}, Miss.SMALL),
        ({"lasts_s": 20}, Meant(START + 20 * SECOND_US)),
        ({"lasts_s": 21}, Miss.SHORT),
        ({"times": Times(hours=((22 * 60, 300),))}, Meant(START)),
        ({"times": Times(hours=((480, 1020),))}, Miss.TIME),
        ({"times": Times(days=(2,))}, Meant(START)),
        ({"times": Times(days=(3,))}, Miss.TIME),
        ({"times": Times(quiet=((START - 1, START + 5 * SECOND_US),))}, Meant(START + 5 * SECOND_US)),
        ({"times": Times(quiet=((START, START + 60 * SECOND_US),))}, Miss.TIME),
    ],
)
def test_each_word_of_a_rule(changes: dict[str, object], expected: Meant | Miss) -> None:
    assert said(**changes) == expected


def test_a_crossing_counts_at_its_own_instant() -> None:
    at = START + 8 * SECOND_US
    assert said(crosses=(Crosses("Cổng"),), times=Times(quiet=((at, at + 1),))) is Miss.TIME


def test_what_goes_on_will_be_meant_later() -> None:
    away = Occurrence("t", AlertKind.CAMERA_AWAY, "khe-coc", "cong-xom", START, None)
    rule = Rule(
        "r", "Mất camera", (AlertKind.CAMERA_AWAY,), lasts_s=300, times=Times(hours=((6 * 60, 22 * 60),))
    )
    assert judge(rule, away, CALENDAR) == Meant(us("2026-11-26 06:00"))


def test_a_trouble_has_no_zones_to_miss() -> None:
    away = Occurrence("t", AlertKind.CAMERA_AWAY, "khe-coc", "cong-xom", START, None)
    rule = Rule("r", "n", (AlertKind.MOTION, AlertKind.CAMERA_AWAY), zones=("Sân",), stays_s=60)
    assert judge(rule, away, CALENDAR) == Meant(START)


def test_an_event_as_rules_see_it() -> None:
    event = Event("e", "cong-xom", EventKind.TAMPER, START, None, 1, zones=("Sân",), box=(0.1, 0.2, 0.3, 0.4))
    seen = of_event("khe-coc", event)
    assert (seen.kind, seen.site, seen.camera, seen.height) == (
        AlertKind.TAMPER,
        "khe-coc",
        "cong-xom",
        0.4,
    )
