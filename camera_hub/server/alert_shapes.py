"""The API's JSON of alerts. No I/O."""

from datetime import datetime

from pydantic import BaseModel, Field

from camera_hub.alerts.life import Act, Alert, AlertState, AlertStep, Person
from camera_hub.alerts.occurrence import AlertKind
from camera_hub.alerts.rule import Miss, Urgency
from camera_hub.config.alerts import RuleConfig
from camera_hub.model import Verdict
from camera_hub.server.shapes import Event, event_shape, global_id, instant, instant_or_none
from camera_hub.store.alert_records import (
    DeliveryState,
    StoredAlert,
    StoredDelivery,
    Telling,
    Trouble,
)


class PersonShape(BaseModel):
    name: str = Field(description="The account")
    display_name: str = Field(description="What people call it")


class TroubleShape(BaseModel):
    """A state of a camera or a site that lasts until somebody mends it."""

    kind: AlertKind
    site: str
    camera: str | None = Field(description="`<site>.<camera>`; null where it is of the whole site")
    start: datetime
    end: datetime | None = Field(description="null while it lasts")


class AlertShape(BaseModel):
    """What somebody must see."""

    id: str
    rule: str
    rule_name: str = Field(description="What the rule was called then")
    kind: AlertKind
    site: str
    urgency: Urgency
    opened: datetime = Field(description="When it happened")
    known: datetime = Field(description="When the hub learned of it: later, where the site was away")
    last: datetime = Field(description="The newest of what belongs to it")
    state: AlertState
    owner: PersonShape | None = Field(description="Who sees to it")
    verdict: Verdict | None = Field(description="What it was, once it is closed")
    version: int = Field(description="To be sent with what is done with it")
    events: list[Event] = Field(description="What belongs to it, in order")
    troubles: list[TroubleShape]


class Alerts(BaseModel):
    alerts: list[AlertShape] = Field(description="Newest first")
    next: str | None = Field(description="The next page's cursor; null at the end")


class StepShape(BaseModel):
    """One line of an alert's history."""

    act: Act
    at: datetime
    by: PersonShape | None = Field(description="null: the hub itself")
    to: PersonShape | None = Field(description="Of an assignment")
    verdict: Verdict | None
    note: str


class DeliveryShape(BaseModel):
    """An alert on its way to one receiver by one channel."""

    id: str
    alert: str
    channel: str
    target: str = Field(description="Of a channel that reaches many: which of them; empty otherwise")
    what: Telling
    state: DeliveryState
    attempts: int
    created: datetime
    again: datetime | None = Field(description="When it is tried next")
    ended: datetime | None
    error: str = Field(description="The last one in words; empty when all is well")


class AlertWhole(BaseModel):
    """An alert with its history and what became of telling it."""

    alert: AlertShape
    history: list[StepShape] = Field(description="The oldest first")
    deliveries: list[DeliveryShape]


class RuleShape(BaseModel):
    """A rule, and whether it is changed in the configuration alone."""

    rule: RuleConfig
    from_config: bool


class Rules(BaseModel):
    rules: list[RuleShape]


class WouldBeShape(BaseModel):
    """An alert that a rule would have made."""

    opened: datetime
    events: list[Event]
    troubles: list[TroubleShape]


class TrialShape(BaseModel):
    """What a rule would have done with the past."""

    alerts: list[WouldBeShape] = Field(description="Newest first, the newest 100")
    total: int = Field(description="How many alerts in all")
    looked_at: int = Field(description="How many events and troubles there were")
    missed: dict[Miss, int] = Field(description="How many of these the rule does not mean, by the reason")


def alert_shape(stored: StoredAlert) -> AlertShape:
    alert: Alert = stored.alert
    return AlertShape(
        id=alert.id,
        rule=alert.rule,
        rule_name=stored.rule_name,
        kind=stored.kind,
        site=stored.site,
        urgency=alert.urgency,
        opened=instant(alert.opened_us),
        known=instant(alert.known_us),
        last=instant(stored.last_us),
        state=alert.state,
        owner=person_shape(alert.owner),
        verdict=alert.verdict,
        version=alert.version,
        events=[event_shape(event) for event in stored.events],
        troubles=[trouble_shape(trouble) for trouble in stored.troubles],
    )


def person_shape(person: Person | None) -> PersonShape | None:
    return None if person is None else PersonShape(name=person.name, display_name=person.display_name)


def trouble_shape(trouble: Trouble) -> TroubleShape:
    return TroubleShape(
        kind=trouble.kind,
        site=trouble.site,
        camera=global_id(trouble.site, trouble.camera) if trouble.camera else None,
        start=instant(trouble.start_us),
        end=instant_or_none(trouble.end_us),
    )


def step_shape(step: AlertStep) -> StepShape:
    return StepShape(
        act=step.act,
        at=instant(step.at_us),
        by=person_shape(step.by),
        to=person_shape(step.to),
        verdict=step.verdict,
        note=step.note,
    )


def delivery_shape(stored: StoredDelivery) -> DeliveryShape:
    return DeliveryShape(
        id=stored.id,
        alert=stored.alert,
        channel=stored.channel,
        target=stored.target,
        what=stored.what,
        state=stored.state,
        attempts=stored.attempts,
        created=instant(stored.created_us),
        again=instant_or_none(stored.due_us),
        ended=instant_or_none(stored.ended_us),
        error=stored.error,
    )
