"""Rules: which events make alerts; tried on the past before they are switched on."""

from collections.abc import Sequence
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field

from camera_hub.alerts.occurrence import Occurrence
from camera_hub.alerts.trial import WouldBe, try_rule
from camera_hub.config.alerts import RuleConfig
from camera_hub.model import Refusal
from camera_hub.server.alert_rules import rule_of, written_of
from camera_hub.server.alert_shapes import Rules, RuleShape, TrialShape, WouldBeShape, trouble_shape
from camera_hub.server.parts import Parts, parts_of
from camera_hub.server.problems import Problem, problems
from camera_hub.server.rights import Right, needs
from camera_hub.server.shapes import event_shape, instant
from camera_hub.store import SessionRecord
from camera_hub.store.alert_records import StoredRule, Trouble

log = structlog.get_logger(__name__)

router = APIRouter(tags=["alerts"])

MOST_RULES = 200
MOST_TRIED = 50_000  # events and troubles of a trial
SHOWN = 100
DAY_US = 86_400 * 1_000_000

Tools = Annotated[Parts, Depends(parts_of)]
RuleId = Annotated[str, Path(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=63)]
Author = Annotated[SessionRecord, needs(Right.RULES)]


class Trying(BaseModel):
    """A rule, whether it is kept or not, and the days to try it on."""

    rule: RuleConfig
    days: float = Field(strict=True, default=7, gt=0, le=90, description="So many days back from now")


@router.get("/api/rules", dependencies=[needs(Right.ALERTS)])
async def list_rules(parts: Tools) -> Rules:
    return Rules(rules=[_shape(stored) for stored in await parts.store.alerts.rules()])


@router.put("/api/rules/{id}", responses=problems(409))
async def put_rule(id: RuleId, written: RuleConfig, session: Author, parts: Tools) -> RuleShape:  # noqa: A002
    """Make a rule, or change it whole. It judges what begins from now on."""
    if written.id != id:
        raise Problem(409, "The rule's id is another one than that of the address.")
    there = await _rule(parts, id)
    if there is None and len(await parts.store.alerts.rules()) >= MOST_RULES:
        raise Problem(409, f"There are {MOST_RULES} rules already; remove one first.")
    channels = {stored.channel.id for stored in await parts.channels.all()}
    unknown = sorted({name for step in written.tell for name in step.to} - channels)
    if unknown:
        raise Problem(409, f"There is no channel {', '.join(unknown)}.")
    was_on = there is not None and there.rule.on
    since_us = there.rule.since_us if there is not None and was_on else parts.clock.wall_us()
    stored = StoredRule(rule_of(written, since_us), from_config=False)
    await parts.store.alerts.put_rule(stored.rule)
    parts.desk.rules_changed()
    log.info("rule changed", rule=id, enabled=written.enabled, user=session.user.name)
    return _shape(stored)


@router.delete("/api/rules/{id}", status_code=204, responses=problems(404, 409))
async def delete_rule(id: RuleId, session: Author, parts: Tools) -> None:  # noqa: A002
    """Remove a rule; its alerts stay."""
    if await _rule(parts, id) is None or not await parts.store.alerts.remove_rule(id):
        raise Problem(404, f"There is no rule {id}.")
    parts.desk.rules_changed()
    log.info("rule removed", rule=id, user=session.user.name)


@router.post("/api/rule-trials", dependencies=[needs(Right.RULES)])
async def try_on_the_past(trying: Trying, parts: Tools) -> TrialShape:
    """What the rule would have done in the last days. Nothing is kept, and nobody is told."""
    now_us = parts.clock.wall_us()
    after_us = now_us - round(trying.days * DAY_US)
    occurrences = await parts.store.alerts.occurrences(after_us, MOST_TRIED)
    rule = rule_of(trying.rule, 0)
    trial = try_rule(rule, occurrences, parts.calendar, now_us, parts.neighbours)
    newest = list(reversed(trial.alerts[-SHOWN:]))
    return TrialShape(
        alerts=await _would_be(parts, newest),
        total=len(trial.alerts),
        looked_at=len(occurrences),
        missed=trial.missed,
    )


async def _would_be(parts: Parts, alerts: Sequence[WouldBe]) -> list[WouldBeShape]:
    ids = [one.id for alert in alerts for one in alert.occurrences]
    events = {one.event.id: one for one in await parts.store.alerts.events(ids)}
    return [
        WouldBeShape(
            opened=instant(alert.opened_us),
            events=[event_shape(events[one.id]) for one in alert.occurrences if one.id in events],
            troubles=[trouble_shape(_trouble(one)) for one in alert.occurrences if one.id not in events],
        )
        for alert in alerts
    ]


def _trouble(one: Occurrence) -> Trouble:
    return Trouble(one.id, one.kind, one.site, one.camera, one.start_us, one.end_us)


async def _rule(parts: Parts, rule_id: str) -> StoredRule | None:
    """The rule, None where there is none. Raises Problem where it is of the configuration."""
    for stored in await parts.store.alerts.rules():
        if stored.rule.id == rule_id:
            if stored.from_config:
                raise Problem(
                    409,
                    f"The rule {rule_id} stands in the server's configuration, and is changed there.",
                    code=Refusal.OF_CONFIG,
                )
            return stored
    return None


def _shape(stored: StoredRule) -> RuleShape:
    return RuleShape(rule=written_of(stored.rule), from_config=stored.from_config)
