"""Work that goes on as long as the server does: what breaks it is told loudly, and it begins anew."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger(__name__)

PAUSES_S = (1.0, 5.0, 30.0)


async def for_ever(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Runs `work` until cancelled, again after whatever it raises.

    A mistake of ours in one part (alerts, say) must neither end that part unseen nor end the server.
    """
    failures = 0
    while True:
        began = asyncio.get_running_loop().time()
        try:
            await work()
            log.error("work that should go on for ever ended; it begins anew", work=name)
        except Exception:
            log.exception("work broke; it begins anew", work=name)
        if asyncio.get_running_loop().time() - began > PAUSES_S[-1]:
            failures = 0
        await asyncio.sleep(PAUSES_S[min(failures, len(PAUSES_S) - 1)])
        failures += 1
