#!/usr/bin/python3
"""Serves encoded streams as looping RTSP cameras on 127.0.0.1, by GStreamer's RTSP server. For the system's
Python, which has GStreamer.

    /usr/bin/python3 rtsp_streams.py PORT FOLDER

FOLDER/NAME.json says of NAME.data: {"caps": …, "payloader": …, "packets": [[bytes, pts_us, dts_us], …],
"duration_us": …}. It is served at rtsp://127.0.0.1:PORT/NAME in real time, for ever, from the first who asks
on; RTP carries the pts. NAME.sent holds how many packets were sent so far (8 bytes, little endian).
Prints `ready`.
"""

import json
import os
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
        self.factory = GstRtspServer.RTSPMediaFactory()
        source = f"appsrc name=camera is-live=true format=time caps={stream['caps']}"
        self.factory.set_launch(f"( {source} ! {stream['payloader']} name=pay0 pt=96 )")
        self.factory.set_shared(True)
        self.factory.connect("media-configure", self._configure)

    def _configure(self, _: object, media: GstRtspServer.RTSPMedia) -> None:
        source = media.get_element().get_child_by_name("camera")
        threading.Thread(target=self._send, args=(source,), daemon=True).start()

    def _send(self, source: GstApp.AppSrc) -> None:
        began, number, count = time.monotonic(), 0, len(self.packets)
        while True:
            data, pts_us, dts_us = self.packets[number % count]
            shift_us = number // count * self.duration_us
            time.sleep(max(0.0, began + (dts_us + shift_us) / 1e6 - time.monotonic()))
            buffer = Gst.Buffer.new_wrapped(data)
            buffer.pts = (pts_us + shift_us) * 1000
            buffer.dts = (dts_us + shift_us) * 1000
            if source.emit("push-buffer", buffer) != Gst.FlowReturn.OK:
                return
            number += 1
            os.pwrite(self.sent, number.to_bytes(8, "little"), 0)


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
