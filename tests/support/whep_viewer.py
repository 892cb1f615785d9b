#!/usr/bin/python3
"""Watches by WHEP with GStreamer's webrtcbin, and writes the H.264 that comes to standard output (Annex B).
For the system's Python, which has GStreamer.

    /usr/bin/python3 whep_viewer.py ADDRESS TOKEN

Ends the session on SIGTERM. Says `connected` and what goes wrong on standard error.
"""

import contextlib
import signal
import socket
import sys
import urllib.request
from urllib.parse import urljoin

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

H264 = (
    "application/x-rtp,media=video,encoding-name=H264,clock-rate=90000,payload=96,"
    "packetization-mode=(string)1,profile-level-id=(string)42e01f,"
    "rtcp-fb-nack=(boolean)true,rtcp-fb-nack-pli=(boolean)true"
)


class Viewer:
    def __init__(self, address: str, token: str) -> None:
        self.address = address
        self.token = token
        self.session = ""
        self.pipeline = Gst.Pipeline()
        self.peer = Gst.ElementFactory.make("webrtcbin")
        self.peer.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        if _is_alone():  # libnice leaves loopback out
            self.agent = self.peer.get_property("ice-agent")
            self.agent.emit("add-local-ip-address", "127.0.0.1")
        self.pipeline.add(self.peer)
        self.peer.connect("on-negotiation-needed", self._offer)
        self.peer.connect("pad-added", self._play)
        self.peer.connect("notify::connection-state", self._connection)
        recvonly = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
        self.peer.emit("add-transceiver", recvonly, Gst.Caps.from_string(H264))
        self.pipeline.set_state(Gst.State.PLAYING)

    def _offer(self, _: object) -> None:
        self.peer.emit("create-offer", None, Gst.Promise.new_with_change_func(self._offered))

    def _offered(self, promise: Gst.Promise) -> None:
        reply = promise.get_reply()  # owns the offer
        offer = reply.get_value("offer")
        self.peer.emit("set-local-description", offer, Gst.Promise.new())
        answer = self._ask("POST", self.address, offer.sdp.as_text().encode())
        _, sdp = GstSdp.SDPMessage.new_from_text(answer)
        answered = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, sdp)
        self.peer.emit("set-remote-description", answered, Gst.Promise.new())

    def _connection(self, *_: object) -> None:
        print(self.peer.get_property("connection-state").value_nick, file=sys.stderr, flush=True)

    def _play(self, _: object, pad: Gst.Pad) -> None:
        out = "rtph264depay ! video/x-h264,stream-format=byte-stream,alignment=au ! fdsink fd=1 sync=false"
        sink = Gst.parse_bin_from_description(out, True)
        self.pipeline.add(sink)
        sink.sync_state_with_parent()
        pad.link(sink.get_static_pad("sink"))

    def close(self) -> None:
        self.pipeline.set_state(Gst.State.NULL)
        if self.session:
            with contextlib.suppress(OSError):  # the session or the server has gone before us
                self._ask("DELETE", self.session, None)

    def _ask(self, method: str, address: str, body: bytes | None) -> str:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/sdp"}
        request = urllib.request.Request(address, body, headers, method=method)
        with urllib.request.urlopen(request, timeout=20) as answer:
            self.session = urljoin(address, answer.headers.get("Location") or "")
            return str(answer.read(), "utf-8")


def _is_alone() -> bool:
    """Whether the machine has no network but loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as tried:
        return tried.connect_ex(("192.0.2.1", 9)) != 0


def main(address: str, token: str) -> None:
    Gst.init(None)
    viewer, loop = Viewer(address, token), GLib.MainLoop()
    GLib.unix_signal_add(GLib.PRIORITY_HIGH, signal.SIGTERM, loop.quit)
    try:
        loop.run()
    finally:
        viewer.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
