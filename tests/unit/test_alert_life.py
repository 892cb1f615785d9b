"""What people may do with an alert, and who was first."""

import pytest

from camera_hub.alerts import life
from camera_hub.alerts.life import Act, Alert, AlertActError, AlertState, ConflictError, Person
from camera_hub.alerts.rule import SECOND_US, Step, Urgency
from camera_hub.model import Verdict

AN = Person("an", "Thiếu tá An")
BINH = Person("binh", "Đại úy Bình")
NEW = Alert("01KAS", "r", opened_us=500, known_us=1_000, urgency=Urgency.URGENT)


def test_from_new_to_closed() -> None:
    seen, step = life.acknowledge(NEW, 1, AN, 2_000)
    assert (seen.state, seen.owner, step.act) == (AlertState.ACKNOWLEDGED, AN, Act.ACKNOWLEDGED)
    given, step = life.assign(seen, 2, AN, BINH, "gần nhà đồng chí", 3_000)
    assert (given.state, given.owner, step.to, step.note) == (
        AlertState.ASSIGNED,
        BINH,
        BINH,
        "gần nhà đồng chí",
    )
    closed, step = life.close(given, 3, BINH, Verdict.REAL, "đã gặp", 4_000)
    assert (closed.state, closed.verdict, closed.owner, step.by) == (
        AlertState.CLOSED,
        Verdict.REAL,
        BINH,
        BINH,
    )
    again, _ = life.reopen(closed, 4, AN, "còn việc", 5_000)
    assert (again.state, again.verdict, again.owner) == (AlertState.ACKNOWLEDGED, None, AN)


def test_two_who_close_at_once() -> None:
    closed, _ = life.close(NEW, 1, AN, Verdict.FALSE, "", 2_000)
    with pytest.raises(ConflictError, match="Thiếu tá An closed it as false") as second:
        life.close(closed, 1, BINH, Verdict.REAL, "", 2_001)
    assert second.value.alert is closed


def test_what_cannot_be_done() -> None:
    closed, _ = life.close(NEW, 1, AN, Verdict.TEST, "", 2_000)
    with pytest.raises(AlertActError, match="closed; open it again"):
        life.close(closed, 2, AN, Verdict.REAL, "", 3_000)
    with pytest.raises(AlertActError, match="not waiting"):
        life.acknowledge(closed, 2, AN, 3_000)
    with pytest.raises(AlertActError, match="not closed"):
        life.reopen(NEW, 1, AN, "", 3_000)
    with pytest.raises(AlertActError, match="empty"):
        life.add_note(NEW, AN, "  ", 3_000)


def test_a_note_undoes_nothing() -> None:
    noted, step = life.add_note(NEW, AN, " biển số 20… ", 2_000)
    assert (noted.state, noted.version, step.note) == (AlertState.NEW, 2, "biển số 20…")


def test_the_next_are_told_until_somebody_answers() -> None:
    steps = (Step(0, ("doi",)), Step(300, ("truong",)))
    assert life.due_step(NEW, steps) == (1_000, steps[0])
    told, step = life.escalate(NEW, 1_000)
    assert step is None
    assert life.due_step(told, steps) == (1_000 + 300 * SECOND_US, steps[1])
    higher, step = life.escalate(told, 400 * SECOND_US)
    assert step is not None
    assert step.act is Act.ESCALATED
    assert life.due_step(higher, steps) is None
    answered, _ = life.acknowledge(told, 1, AN, 2_000)
    assert life.due_step(answered, steps) is None
