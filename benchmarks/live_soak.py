"""Whether live views leave anything behind: viewers come and go for half an hour.

    python -m benchmarks.live_soak [--minutes 30] [--cameras 7] [--viewers 30]

Cameras over RTSP, a worker, a server, and light viewers by WebRTC and MSE that come and go
(`benchmarks.soak_viewers`). The memory of the server, the worker and each camera's process (USS: what is
its own) is sampled, and the slope told from a third of the time on. The server's tasks, and everybody's
threads, sockets and open files, are counted before and when all viewers have gone.
Prints tables in Markdown.
"""

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from benchmarks.live_servers import SITE, Running, cameras, hub, sign_in
from benchmarks.measuring import MB, cpu_s, kind_of, tree
from tests.support.waiting import until_blocking

SAMPLE_S = 10.0
WARM_UP_S = 30.0
LEFT_S = 10.0  # one who leaves is let go at once, and the stream 5 s later
GONE_S = 45.0  # one who vanished is let go after 30 s, and the stream 5 s later
GOAL_MB = 1.0  # in 10 minutes


@dataclass
class Soaked:
    """What came of it."""

    views: dict[str, int]
    memory: dict[str, list[tuple[float, float]]]  # process → (seconds since the start, MB)
    cpu: dict[str, float]  # % of a core
    before: dict[str, Counter[str]]
    after: dict[str, Counter[str]]

    def left_over(self) -> dict[str, dict[str, int]]:
        """Process → what it has more of than before."""
        more = {name: dict(self.after[name] - self.before[name]) for name in self.after}
        return {name: found for name, found in more.items() if found}

    def slope_mb(self, name: str) -> float:
        """MB in 10 minutes, by least squares, from a third of the time on."""
        samples = np.array(self.memory[name])
        late = samples[samples[:, 0] >= samples[-1, 0] / 3]
        return float(np.polyfit(late[:, 0], late[:, 1], 1)[0] * 600)


class Soaking:
    """The processes of a running hub, and what they have."""

    def __init__(self, running: Running, told: Path) -> None:
        self.running = running
        self._told = told
        self.pids = {"server": running.server, "worker": running.worker}
        cameras_ = sorted(one.pid for one in tree([running.worker]) if kind_of(one) == "camera process")
        self.pids |= {f"camera {number}": pid for number, pid in enumerate(cameras_, 1)}

    def memory_mb(self) -> dict[str, float]:
        return {name: psutil.Process(pid).memory_full_info().uss / MB for name, pid in self.pids.items()}

    def cpu_s(self) -> dict[str, float]:
        return {name: cpu_s(pid) for name, pid in self.pids.items()}

    def counts(self) -> dict[str, Counter[str]]:
        found = {
            name: Counter(_open_files(pid)) + Counter({"threads": psutil.Process(pid).num_threads()})
            for name, pid in self.pids.items()
        }
        self._told.unlink(missing_ok=True)
        os.kill(self.running.server, signal.SIGUSR1)
        until_blocking(self._told.exists)
        for kind, named in json.loads(self._told.read_text()).items():
            found["server"] += Counter({f"{kind} {name}": count for name, count in named.items()})
        return found


def _open_files(pid: int) -> Iterator[str]:
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):  # it has just been closed
            found = str(entry.readlink())
            if found.startswith("socket:"):
                yield "sockets"
            else:
                yield "database files" if ".db" in found else "other files"


@contextmanager
def soaking(folder: Path, count: int) -> Iterator[Soaking]:
    """A hub with so many cameras; the first two have a large main stream of their own."""
    told = folder / "told.json"
    with cameras(folder) as urls:
        small = {"main": urls["sub"], "sub": urls["sub"]}
        named = {f"cam{number}": urls if number < 2 else small for number in range(count)}
        with hub(folder, named, ("-m", "benchmarks.soaked_server", str(told))) as running:
            yield Soaking(running, told)


def soak(folder: Path, seconds: float, count: int, viewers: int, warm_up_s: float = WARM_UP_S) -> Soaked:
    """So many viewers of so many cameras come and go for so long.

    Those of the warm-up leave in good order: what is there once they have gone is what the others may leave.
    """
    with soaking(folder, count) as running:
        token = sign_in(running.running)
        _crowd(running, token, count, viewers, warm_up_s, seed=1, vanishing=0)
        time.sleep(LEFT_S)
        before = running.counts()
        memory: dict[str, list[tuple[float, float]]] = {name: [] for name in running.pids}
        cpu_before, began = running.cpu_s(), time.monotonic()

        def sample() -> None:
            now = running.memory_mb()
            for name, mb in now.items():
                memory[name].append((time.monotonic() - began, mb))
            told = " ".join(f"{mb:.1f}" for mb in now.values())
            print(f"{time.monotonic() - began:.0f} s: {told}", file=sys.stderr, flush=True)

        views = _crowd(running, token, count, viewers, seconds, seed=2, meanwhile=sample)
        wall_s = time.monotonic() - began
        cpu = {name: 100 * (spent - cpu_before[name]) / wall_s for name, spent in running.cpu_s().items()}
        return Soaked(views, memory, cpu, before, _settled(running, before))


def _crowd(
    running: Soaking,
    token: str,
    count: int,
    viewers: int,
    seconds: float,
    seed: int,
    vanishing: float = 0.3,
    meanwhile: Callable[[], None] = lambda: None,
) -> dict[str, int]:
    names = ",".join(f"{SITE}.cam{number}" for number in range(count))
    where = [str(running.running.port), token, names, str(viewers), str(seconds), str(seed), str(vanishing)]
    command = [sys.executable, "-m", "benchmarks.soak_viewers", *where]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watching:
        while True:
            meanwhile()
            try:
                watching.wait(SAMPLE_S)
                break
            except subprocess.TimeoutExpired:
                continue
        assert watching.stdout is not None
        told: dict[str, int] = json.loads(watching.stdout.read())
        return told


def _settled(running: Soaking, least: dict[str, Counter[str]]) -> dict[str, Counter[str]]:
    """The counts as soon as they are no more than `least`, or when all viewers must have gone."""
    deadline = time.monotonic() + 2 * GONE_S
    while True:
        time.sleep(2)
        found = running.counts()
        if time.monotonic() > deadline or all(not (found[name] - least[name]) for name in found):
            return found


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--minutes", type=float, default=30)
    arguments.add_argument("--cameras", type=int, default=7)
    arguments.add_argument("--viewers", type=int, default=30)
    asked = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        soaked = soak(Path(name), asked.minutes * 60, asked.cameras, asked.viewers)
    print(f"{asked.cameras} cameras, {asked.viewers} viewers, {asked.minutes:g} minutes: {soaked.views}\n")
    print("| process | MB at the start | after a third | at the end | MB in 10 min | CPU, % of a core |")
    print("|---|---:|---:|---:|---:|---:|")
    for name, samples in soaked.memory.items():
        third = samples[len(samples) // 3][1]
        print(
            f"| {name} | {samples[0][1]:.1f} | {third:.1f} | {samples[-1][1]:.1f} "
            f"| {soaked.slope_mb(name):+.2f} | {soaked.cpu[name]:.1f} |"
        )
    print("\n| process | before | when all had gone | left over |\n|---|---|---|---|")
    for name in soaked.after:
        over = soaked.left_over().get(name, {})
        print(
            f"| {name} | {_told(soaked.before[name])} | {_told(soaked.after[name])} | {over or 'nothing'} |"
        )
    worst = max(soaked.slope_mb(name) for name in soaked.memory)
    print(f"\nSteepest slope {worst:+.2f} MB in 10 minutes (goal: less than {GOAL_MB:g}).")


def _told(counts: Counter[str]) -> str:
    """The server's tasks and threads, which are counted by name, as one number."""
    sums: Counter[str] = Counter()
    for what, count in counts.items():
        if not what.startswith("thread "):
            sums["tasks" if what.startswith("task ") else what] += count
    return ", ".join(f"{count} {what}" for what, count in sums.items())


if __name__ == "__main__":
    main()
