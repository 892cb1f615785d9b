"""The transcoding processes of a hub, as the system sees them."""

import contextlib

import psutil


def transcoding(root: int | None = None) -> list[psutil.Process]:
    """Those that live below a process, by default this one."""
    found = []
    for process in psutil.Process(root).children(recursive=True):
        with contextlib.suppress(psutil.ZombieProcess, psutil.NoSuchProcess):
            if "camera_hub.live.transcode_process" in process.cmdline():
                found.append(process)
    return found
