"""What a rule judges: an event, or a trouble of a camera or a site, in the same shape. No I/O.

A *trouble* is a state that lasts until somebody mends it: a camera or a site is away, a disk is nearly
full, a clock is wrong, a site brings more than it may. It is told as an event is: begun (`end_us` None), and
ended.
"""

from enum import StrEnum

import msgspec

from camera_hub.model import Crossing, Event, Stay


class AlertKind(StrEnum):
    """What an alert can be about."""

    MOTION = "motion"
    TAMPER = "tamper"
    CAMERA_AWAY = "camera-away"
    SITE_AWAY = "site-away"
    DISK = "disk"
    CLOCK = "clock"
    FLOOD = "flood"


class Occurrence(msgspec.Struct, frozen=True):
    """An event or a trouble as it is known now; a later one of the same id replaces it whole."""

    id: str  # a ULID
    kind: AlertKind
    site: str
    camera: str  # within the site; empty where it is of the whole site
    start_us: int  # wall
    end_us: int | None  # wall; None while it goes on
    zones: tuple[str, ...] = ()
    stays: tuple[Stay, ...] = ()
    crossings: tuple[Crossing, ...] = ()
    height: float = 0.0  # of the mover, in fractions of the picture's


def of_event(site: str, event: Event) -> Occurrence:
    """The event, as rules see it."""
    return Occurrence(
        id=event.id,
        kind=AlertKind(event.kind.value),
        site=site,
        camera=event.camera,
        start_us=event.start_us,
        end_us=event.end_us,
        zones=event.zones,
        stays=event.stays,
        crossings=event.crossings,
        height=event.box[3] if event.box is not None else 0.0,
    )
