"""How far a replay has come: a bar in a terminal, a line now and then elsewhere, on standard error."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

LINE_EVERY_S = 15.0  # where there is no terminal


@contextmanager
def shown(clips: int) -> Iterator[Callable[[float], None]]:
    """Gives what to call with the number of clips that are done, parts of clips included."""
    if not sys.stderr.isatty():
        yield _Lines(clips).tell
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[done]}/{task.total} clips"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("replaying", total=clips, done=0)
        yield lambda done: progress.update(task, completed=done, done=int(done))


class _Lines:
    def __init__(self, clips: int) -> None:
        self._clips = clips
        self._told_s = time.monotonic()

    def tell(self, done: float) -> None:
        now_s = time.monotonic()
        if now_s - self._told_s >= LINE_EVERY_S:
            self._told_s = now_s
            print(f"replaying: {done:.1f} of {self._clips} clips", file=sys.stderr, flush=True)
