"""Serves streams with pictures and sound as looping RTSP cameras on 127.0.0.1, by GStreamer's RTSP server.

    /usr/bin/python3 -m tests.support.rtsp_sound PORT FOLDER

FOLDER/NAME.json says of NAME.data: {"tracks": [{"caps": …, "payloader": …, "packets": [[bytes, pts_us], …]},
…], "duration_us": …}; the packets of all tracks lie one behind the other. Each is served at
rtsp://127.0.0.1:PORT/NAME in real time, for ever, from the first who asks on. While FOLDER/NAME.blind
exists, the first track sends nothing, and while FOLDER/NAME.silent does, the others. Prints `ready`.
"""

import json
import threading
import time
from pathlib import Path

from tests.support.rtsp_serving import GstApp, GstRtspServer, factory, push, serve


class Camera:
    """One stream's tracks on their way out."""

    def __init__(self, told: Path) -> None:
        stream = json.loads(told.read_text())
        data, at = told.with_suffix(".data").read_bytes(), 0
        self.silent, self.blind = told.with_suffix(".silent"), told.with_suffix(".blind")
        self.duration_us = stream["duration_us"]
        self.tracks = []
        branches = ""
        for number, track in enumerate(stream["tracks"]):
            packets = []
            for size, pts_us in track["packets"]:
                packets.append((data[at : at + size], pts_us))
                at += size
            self.tracks.append(packets)
            branches += f"appsrc name=track{number} is-live=true format=time caps={track['caps']} ! "
            branches += f"{track['payloader']} name=pay{number} pt={96 + number} "
        self.factory = factory(branches, self._configure)

    def _configure(self, _: object, media: GstRtspServer.RTSPMedia) -> None:
        began = time.monotonic() + 0.2
        for number in range(len(self.tracks)):
            source = media.get_element().get_child_by_name(f"track{number}")
            threading.Thread(target=self._send, args=(source, number, began), daemon=True).start()

    def _send(self, source: GstApp.AppSrc, track: int, began: float) -> None:
        packets, number = self.tracks[track], 0
        while True:
            data, pts_us = packets[number % len(packets)]
            pts_us += number // len(packets) * self.duration_us
            number += 1
            time.sleep(max(0.0, began + pts_us / 1e6 - time.monotonic()))
            if (self.silent if track else self.blind).exists():
                continue
            if not push(source, data, pts_us, pts_us):
                return


if __name__ == "__main__":
    serve(lambda told: Camera(told).factory)
