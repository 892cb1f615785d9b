"""Rules as people write them, as they are judged by, and back."""

from collections.abc import Sequence
from datetime import UTC, datetime

from camera_hub.alerts.occurrence import AlertKind
from camera_hub.alerts.rule import Count, Crosses, Rule, Step, Urgency
from camera_hub.alerts.times import Times
from camera_hub.config.alerts import (
    CountConfig,
    CrossesConfig,
    QuietConfig,
    RuleConfig,
    TellConfig,
)
from camera_hub.store.alert_store import AlertStore

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


async def keep_config_rules(store: AlertStore, written: Sequence[RuleConfig], now_us: int) -> None:
    """The rules of the config as they are now; one that was there before has heard of things since then."""
    before = {stored.rule.id: stored.rule for stored in await store.rules()}
    rules = []
    for one in written:
        there = before.get(one.id)
        rules.append(rule_of(one, there.since_us if there is not None and there.on else now_us))
    await store.keep_config_rules(rules)


def rule_of(written: RuleConfig, since_us: int) -> Rule:
    """As it is judged by. `since_us`: what began before is none of its business."""
    return Rule(
        id=written.id,
        name=written.name,
        kinds=tuple(AlertKind(kind) for kind in written.about),
        sites=written.sites,
        cameras=written.cameras,
        zones=written.zones,
        crosses=tuple(Crosses(line.line, line.to) for line in written.lines),
        times=Times(
            hours=written.minutes,
            days=tuple(DAYS.index(day) for day in written.days),
            holidays=written.holidays,
            quiet=tuple((_us(quiet.since), _us(quiet.until)) for quiet in written.quiet),
        ),
        lasts_s=written.lasts_s,
        stays_s=written.stays_s,
        taller_than=written.taller_than,
        count=None if written.count is None else Count(written.count.at_least, written.count.within_s),
        join_s=written.join_s,
        cooldown_s=written.cooldown_s,
        urgency=Urgency(written.urgency),
        steps=tuple(Step(step.after_s, step.to) for step in written.tell),
        on=written.enabled,
        since_us=since_us,
    )


def written_of(rule: Rule) -> RuleConfig:
    """As people write it."""
    times = rule.times
    return RuleConfig.model_construct(
        id=rule.id,
        name=rule.name,
        enabled=rule.on,
        about=tuple(kind.value for kind in rule.kinds),
        sites=rule.sites,
        cameras=rule.cameras,
        zones=rule.zones,
        lines=tuple(CrossesConfig.model_construct(line=one.line, to=one.to) for one in rule.crosses),
        hours=tuple(f"{_clock(begin)}-{_clock(end)}" for begin, end in times.hours),
        days=tuple(DAYS[day] for day in times.days),
        holidays=times.holidays,
        quiet=tuple(
            QuietConfig.model_construct(since=_instant(begin), until=_instant(end))
            for begin, end in times.quiet
        ),
        lasts_s=rule.lasts_s,
        stays_s=rule.stays_s,
        taller_than=rule.taller_than,
        count=rule.count
        and CountConfig.model_construct(at_least=rule.count.at_least, within_s=rule.count.within_s),
        join_s=rule.join_s,
        cooldown_s=rule.cooldown_s,
        urgency=rule.urgency.value,
        tell=tuple(TellConfig.model_construct(after_s=step.after_s, to=step.to) for step in rule.steps),
    )


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _us(instant: datetime) -> int:
    return round(instant.timestamp() * 1e6)


def _instant(wall_us: int) -> datetime:
    return datetime.fromtimestamp(wall_us / 1e6, UTC)
