"""Run by `rtsp_servers.ipycam` in a process of its own: ipycam's camera, fed with a walking square.

Its discovery by multicast is left out: no test reaches beyond this machine.
"""

import json
import signal
import sys
import threading

import cv2
import ipycam.camera
import numpy as np
from ipycam import CameraConfig


class NoDiscovery:
    """In place of WS-Discovery."""

    def __init__(self, onvif: object) -> None:
        pass

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass


def main() -> None:
    settings = json.loads(sys.argv[1])
    config = CameraConfig(**settings)
    setattr(ipycam.camera, "WSDiscoveryServer", NoDiscovery)  # noqa: B010 - its module does not export it
    camera = ipycam.camera.IPCamera(config)
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    assert camera.start(), "ipycam did not start"
    print("ready", flush=True)
    index = 0
    while not stopping.is_set():
        picture = np.full((config.main_height, config.main_width, 3), 90, np.uint8)
        left = index * 16 % config.main_width
        cv2.rectangle(picture, (left, 40), (left + 60, 160), (40, 200, 220), -1)
        camera.stream(picture)  # keeps the pace itself
        index += 1
    camera.stop()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
