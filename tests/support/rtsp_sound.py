#!/usr/bin/python3
"""Serves streams with pictures and sound as looping RTSP cameras on 127.0.0.1, by GStreamer's RTSP server.
For the system's Python, which has GStreamer.

    /usr/bin/python3 rtsp_sound.py PORT FOLDER

FOLDER/NAME.json says of NAME.data: {"tracks": [{"caps": …, "payloader": …, "packets": [[bytes, pts_us], …]},
…], "duration_us": …}; the packets of all tracks lie one behind the other. Each is served at
rtsp://127.0.0.1:PORT/NAME in real time, for ever, from the first who asks on. While FOLDER/NAME.blind
exists, the first track sends nothing, and while FOLDER/NAME.silent does, the others. Prints `ready`.
"""

import json
import sys
import threading
import time
from pathlib import Path

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstApp, GstRtspServer  # noqa: E402


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
        self.factory = GstRtspServer.RTSPMediaFactory()
        self.factory.set_launch(f"( {branches})")
        self.factory.set_shared(True)
        self.factory.connect("media-configure", self._configure)

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
            buffer = Gst.Buffer.new_wrapped(data)
            buffer.pts = buffer.dts = pts_us * 1000
            if source.emit("push-buffer", buffer) != Gst.FlowReturn.OK:
                return


def main(port: str, folder: str) -> None:
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(port)
    for told in Path(folder).glob("*.json"):
        server.get_mount_points().add_factory(f"/{told.stem}", Camera(told).factory)
    if not server.attach(None):
        sys.exit(f"port {port} is taken")
    print("ready", flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main(*sys.argv[1:])
