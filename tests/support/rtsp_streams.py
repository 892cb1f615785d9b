"""Serves encoded streams as looping RTSP cameras on 127.0.0.1, by GStreamer's RTSP server.

    /usr/bin/python3 -m tests.support.rtsp_streams PORT FOLDER

FOLDER/NAME.json says of NAME.data: {"caps": …, "payloader": …, "packets": [[bytes, pts_us, dts_us], …],
"duration_us": …}. It is served at rtsp://127.0.0.1:PORT/NAME in real time, for ever, from the first who asks
on; RTP carries the pts. NAME.sent holds how many packets were sent so far (8 bytes, little endian).
Prints `ready`.
"""

import json
import os
import threading
import time
from pathlib import Path

from tests.support.rtsp_serving import GstApp, GstRtspServer, factory, push, serve


class Camera:
    """One stream and its pictures on their way out."""

    def __init__(self, told: Path) -> None:
        stream = json.loads(told.read_text())
        data, at = told.with_suffix(".data").read_bytes(), 0
        self.packets = []
        for size, pts_us, dts_us in stream["packets"]:
            self.packets.append((data[at : at + size], pts_us, dts_us))
            at += size
        self.duration_us = stream["duration_us"]
        self.sent = os.open(told.with_suffix(".sent"), os.O_RDWR | os.O_CREAT)
        source = f"appsrc name=camera is-live=true format=time caps={stream['caps']}"
        self.factory = factory(f"{source} ! {stream['payloader']} name=pay0 pt=96", self._configure)

    def _configure(self, _: object, media: GstRtspServer.RTSPMedia) -> None:
        source = media.get_element().get_child_by_name("camera")
        threading.Thread(target=self._send, args=(source,), daemon=True).start()

    def _send(self, source: GstApp.AppSrc) -> None:
        began, number, count = time.monotonic(), 0, len(self.packets)
        while True:
            data, pts_us, dts_us = self.packets[number % count]
            shift_us = number // count * self.duration_us
            time.sleep(max(0.0, began + (dts_us + shift_us) / 1e6 - time.monotonic()))
            if not push(source, data, pts_us + shift_us, dts_us + shift_us):
                return
            number += 1
            os.pwrite(self.sent, number.to_bytes(8, "little"), 0)


if __name__ == "__main__":
    serve(lambda told: Camera(told).factory)
