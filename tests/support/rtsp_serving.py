"""What `rtsp_streams` and `rtsp_sound` share: looping RTSP cameras on 127.0.0.1 by GStreamer's RTSP server.
For the system's Python, which has GStreamer, with the checkout as its folder."""

import sys
from collections.abc import Callable
from pathlib import Path

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstApp, GstRtspServer  # noqa: E402

__all__ = ["GstApp", "GstRtspServer", "factory", "push", "serve"]


def factory(
    launch: str, configure: Callable[[object, GstRtspServer.RTSPMedia], None]
) -> GstRtspServer.RTSPMediaFactory:
    """Of a media that all who ask share; `configure` gets it when the first does."""
    made = GstRtspServer.RTSPMediaFactory()
    made.set_launch(f"( {launch} )")
    made.set_shared(True)
    made.connect("media-configure", configure)
    return made


def push(source: GstApp.AppSrc, data: bytes, pts_us: int, dts_us: int) -> bool:
    """Whether the source took it."""
    buffer = Gst.Buffer.new_wrapped(data)
    buffer.pts, buffer.dts = pts_us * 1000, dts_us * 1000
    return bool(source.emit("push-buffer", buffer) == Gst.FlowReturn.OK)


def serve(factory_of: Callable[[Path], GstRtspServer.RTSPMediaFactory]) -> None:
    """PORT and FOLDER of the command line: a camera for each JSON file there. Prints `ready`; never ends."""
    port, folder = sys.argv[1:]
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(port)
    for told in Path(folder).glob("*.json"):
        server.get_mount_points().add_factory(f"/{told.stem}", factory_of(told))
    if not server.attach(None):
        sys.exit(f"port {port} is taken")
    print("ready", flush=True)
    GLib.MainLoop().run()
