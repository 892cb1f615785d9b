"""Cameras that misbehave: an RTSP server of a page, scripted to go wrong in each of the ways that they do.

It speaks RTSP (RFC 2326) over TCP only as far as a client needs to get to the misbehaviour, and
RTP interleaved (RFC 2326, 10.12; RFC 6184 for H.264).
"""

import base64
import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from camera_hub.annexb import nal_units
from camera_hub.model import Packet

Session = Callable[[socket.socket, threading.Event], None]

_MTU = 1200
VIDEO = "m=video 0 RTP/AVP 96\r\na=control:track1\r\na=rtpmap:96 {codec}/90000\r\n"
SOUND = "m=audio 0 RTP/AVP 0\r\na=control:track2\r\na=rtpmap:0 PCMU/8000\r\n"


@contextmanager
def listening(session: Session, path: str = "/stream") -> Iterator[str]:
    """A TCP server whose every connection is handed to `session` in a thread. Yields an rtsp:// address."""
    stopping = threading.Event()
    threads: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)

        def serve(client: socket.socket) -> None:
            with client, contextlib.suppress(OSError):  # the client may go at any time
                session(client, stopping)

        def accept() -> None:
            while not stopping.is_set():
                try:
                    client, _ = server.accept()
                except TimeoutError:
                    continue
                client.settimeout(0.5)
                threads.append(threading.Thread(target=serve, args=(client,)))
                threads[-1].start()

        acceptor = threading.Thread(target=accept)
        acceptor.start()
        try:
            yield f"rtsp://127.0.0.1:{server.getsockname()[1]}{path}"
        finally:
            stopping.set()
            acceptor.join()
            for thread in threads:
                thread.join(10)


def silent(client: socket.socket, stopping: threading.Event) -> None:
    """Takes the connection, and never says a word."""
    stopping.wait()


def garbage(client: socket.socket, stopping: threading.Event) -> None:
    """Says things that are not RTSP."""
    client.sendall(b"SSH-2.0-dropbear\r\n\r\n" + bytes(range(256)) * 20)
    stopping.wait(2)


def answering(status: str, headers: str = "") -> Session:
    """Answers every request with the same status line."""

    def session(client: socket.socket, stopping: threading.Event) -> None:
        for request in _requests(client, stopping):
            _answer(client, request, status, headers)

    return session


def camera(media: str, play: Session | None = None) -> Session:
    """A camera whose SDP has these media; after PLAY, `play` has the connection."""

    def session(client: socket.socket, stopping: threading.Event) -> None:
        for request in _requests(client, stopping):
            method = request.split(" ", 1)[0]
            if method == "OPTIONS":
                _answer(client, request, "200 OK", "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n")
            elif method == "DESCRIBE":
                _answer(client, request, "200 OK", "Content-Type: application/sdp\r\n", _sdp(media))
            elif method == "SETUP":
                transport = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
                _answer(client, request, "200 OK", transport + "Session: 1;timeout=60\r\n")
            elif method == "PLAY":
                _answer(client, request, "200 OK", "Session: 1\r\n")
                if play is not None:
                    play(client, stopping)
                    return
            else:
                _answer(client, request, "200 OK", "Session: 1\r\n")

    return session


def sending(
    packets: Sequence[Packet],
    *,
    stamps: Callable[[int, int], int] = lambda index, ticks: ticks,
    pace_s: float = 0.02,
    then: Session | None = None,
) -> Session:
    """Sends H.264 packets with the RTP timestamps that `stamps` makes of (index, 90 kHz ticks); `then`
    goes on, or else the connection is closed."""

    def play(client: socket.socket, stopping: threading.Event) -> None:
        number = 0
        for index, packet in enumerate(packets):
            if stopping.is_set():
                return
            stamp = stamps(index, packet.pts_us * 9 // 100) & 0xFFFFFFFF
            payloads = list(_payloads(packet.data))
            for at, payload in enumerate(payloads):
                marker = 0x80 if at == len(payloads) - 1 else 0
                rtp = struct.pack("!BBHII", 0x80, marker | 96, number & 0xFFFF, stamp, 0x1234) + payload
                client.sendall(struct.pack("!cBH", b"$", 0, len(rtp)) + rtp)
                number += 1
            time.sleep(pace_s)
        if then is not None:
            then(client, stopping)

    return play


def h264_media(extradata: bytes) -> str:
    """The SDP of an H.264 stream, with its parameter sets (RFC 6184, 8.2.1)."""
    sets = ",".join(base64.b64encode(nal).decode() for nal in nal_units(extradata))
    fmtp = f"a=fmtp:96 packetization-mode=1;sprop-parameter-sets={sets}\r\n" if sets else ""
    return VIDEO.format(codec="H264") + fmtp


def _requests(client: socket.socket, stopping: threading.Event) -> Iterator[str]:
    heard = b""
    while not stopping.is_set():
        try:
            chunk = client.recv(4096)
        except TimeoutError:
            continue
        if not chunk:
            return
        heard += chunk
        while b"\r\n\r\n" in heard:
            request, heard = heard.split(b"\r\n\r\n", 1)
            yield request.decode(errors="replace")


def _answer(client: socket.socket, request: str, status: str, headers: str = "", body: str = "") -> None:
    sequence = next((line for line in request.split("\r\n") if line.lower().startswith("cseq:")), "CSeq: 0")
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    client.sendall(f"RTSP/1.0 {status}\r\n{sequence}\r\n{headers}{length}\r\n{body}".encode())


def _sdp(media: str) -> str:
    return f"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=camera\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n{media}"


def _payloads(data: bytes) -> Iterator[bytes]:
    """The RTP payloads of an access unit: single NAL units, or fragments of one (FU-A)."""
    for nal in map(bytes, nal_units(data)):
        if len(nal) <= _MTU:
            yield nal
            continue
        header, body = nal[0], nal[1:]
        parts = [body[at : at + _MTU] for at in range(0, len(body), _MTU)]
        for at, part in enumerate(parts):
            edge = (0x80 if at == 0 else 0) | (0x40 if at == len(parts) - 1 else 0)
            yield bytes([header & 0x60 | 28, edge | header & 0x1F]) + part
