"""`camera-hub replay --live`: what the person asked for, carried out and told."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import uvloop

from camera_hub import logs
from camera_hub.config import load_config
from camera_hub.rehearsal.cast import CastError, cast
from camera_hub.rehearsal.play import rehearse
from camera_hub.run import until_asked_to_end

Say = Callable[[str], None]


def command(clips: Sequence[str], config: Path | None, camera: str | None, loop: bool, say: Say) -> int:
    """The whole command, until it is over or somebody wishes that it ends; its exit code.

    Raises HubError where there is nothing to play, or no hub to play it to.
    """
    if config is None:
        raise CastError("--live plays the clips to a hub that is running; say which by --config FILE")
    loaded = load_config(config)
    hub = loaded.require_server().own_link()
    plan = cast(loaded, clips, camera, loop)
    page = hub.url.replace("ws://", "http://").removesuffix("/api/link")
    logs.configure(plan.log.level, plan.log.format, secrets=loaded.secret_values())
    code = 0

    async def play() -> None:
        nonlocal code
        code = await rehearse(plan, hub, page, say)

    async def main() -> None:
        await until_asked_to_end(asyncio.ensure_future(play()))

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
    return code
