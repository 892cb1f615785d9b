"""`camera-hub`, which writes what it has running to a file whenever it gets SIGUSR1.

python -m benchmarks.soaked_server FILE serve CONFIG …
"""

import asyncio
import json
import signal
import sys
import threading
from collections import Counter
from pathlib import Path

from camera_hub.cli import main

out = Path(sys.argv.pop(1))


def _tell(*_: object) -> None:
    tasks = Counter(getattr(task.get_coro(), "__qualname__", "?") for task in asyncio.all_tasks())
    threads = Counter(thread.name.rstrip("0123456789_-") for thread in threading.enumerate())
    part = out.with_suffix(".part")
    part.write_text(json.dumps({"task": tasks, "thread": threads}))
    part.rename(out)


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, _tell)
    main()
