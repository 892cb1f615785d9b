"""When a delivery that failed is tried again, and when it is given up. No I/O, no clock."""

import random

from camera_hub.alerts.rule import SECOND_US

# A day for machines, who may be down for maintenance; people are told of something that is going on.
MACHINE_S = (5.0, 60.0, 300.0, 1800.0, 7200.0, 18_000.0, 28_800.0, 28_800.0)
PEOPLE_S = (5.0, 20.0, 60.0, 300.0, 900.0, 1800.0, 3600.0)


def again_us(attempts: int, now_us: int, after_s: float = 0.0, *, machine: bool) -> int | None:
    """When to try for the next time after `attempts` that failed; None: no more."""
    waits = MACHINE_S if machine else PEOPLE_S
    if attempts > len(waits):
        return None
    wait_s = max(waits[attempts - 1], after_s)
    return now_us + round(wait_s * random.uniform(1.0, 1.2) * SECOND_US)  # noqa: S311 - jitter, no secret
