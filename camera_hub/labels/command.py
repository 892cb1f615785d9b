"""`camera-hub labels export`: what the person asked for, carried out and told."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

from camera_hub import logs
from camera_hub.config import load_config
from camera_hub.labels import dates
from camera_hub.labels.export import Summary, Wanted, export


def command(
    config: Path,
    out: Path,
    *,
    since: str | None,
    until: str | None,
    camera: str | None,
    names: bool,
    tell: Callable[[str], None],
) -> Summary:
    """The whole command; what came of it. Raises HubError where it cannot be done."""
    loaded = load_config(config)
    logs.configure(loaded.log.level, loaded.log.format, secrets=loaded.secret_values())
    zone = ZoneInfo(loaded.site.timezone)
    wanted = Wanted(
        since_us=None if since is None else dates.since_us(since, zone),
        until_us=None if until is None else dates.until_us(until, zone),
        camera=camera,
        names=names,
    )
    return asyncio.run(export(loaded, out, wanted, tell))
