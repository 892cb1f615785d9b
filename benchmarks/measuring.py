"""What a tree of processes costs: CPU seconds and memory, read from /proc by psutil."""

import contextlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

MB = 1024 * 1024


@dataclass
class Cost:
    """One way of doing the work, measured over `wall_s` seconds."""

    name: str
    wall_s: float
    cpu_s: float
    pss_mb: float
    processes: int
    by_command: dict[str, tuple[int, float, float]] = field(default_factory=dict)
    """What the process does → (how many, CPU seconds, PSS in MB)."""


def cpu_s(pid: int) -> float:
    """What a process' threads have computed so far, in s; Linux tells it to the nanosecond."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


def kind_of(process: psutil.Process) -> str:
    """What a process of the hub is, from its command line."""
    line = " ".join(process.cmdline())
    if "camera_hub serve" in line:
        return "server"
    if "camera_hub ingest" in line:
        return "worker"
    if "forkserver" in line:
        # Camera processes are forked from the server of that name and keep its command line.
        parent = process.parent()
        return "camera process" if parent and "forkserver" in " ".join(parent.cmdline()) else "fork server"
    if "resource_tracker" in line:
        return "resource tracker"
    return str(process.name())


def tree(roots: Iterable[int]) -> list[psutil.Process]:
    """The processes and all their descendants that live now."""
    found: dict[int, psutil.Process] = {}
    for root in roots:
        with contextlib.suppress(psutil.NoSuchProcess):
            top = psutil.Process(root)
            for process in [top, *top.children(recursive=True)]:
                found[process.pid] = process
    return list(found.values())


def measure(
    name: str, roots: Callable[[], Iterable[int]], seconds: float, kind: Callable[[psutil.Process], str]
) -> Cost:
    """The CPU that the trees use in the next `seconds`, and their memory at the end."""
    before = {p.pid: _cpu(p) for p in tree(roots())}
    began = time.monotonic()
    time.sleep(seconds)
    wall_s = time.monotonic() - began
    cost = Cost(name, wall_s, 0, 0, 0)
    for process in tree(roots()):
        with contextlib.suppress(psutil.NoSuchProcess):
            cpu_s = _cpu(process) - before.get(process.pid, 0)
            pss_mb = process.memory_full_info().pss / MB
            cost.cpu_s += cpu_s
            cost.pss_mb += pss_mb
            cost.processes += 1
            label = kind(process)
            count, cpu_sum, pss_sum = cost.by_command.get(label, (0, 0.0, 0.0))
            cost.by_command[label] = (count + 1, cpu_sum + cpu_s, pss_sum + pss_mb)
    return cost


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
