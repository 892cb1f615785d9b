"""Messages over a socket pair: four bytes of length, then msgpack.

`CameraEnd` is the blocking end in the camera's process: what it sends waits in a bounded queue
and never delays a reader; live packets are what is lost when the worker is slow. `WorkerEnd` is
the asyncio end.
"""

import asyncio
import socket
import struct
import threading
from collections import deque

import msgspec

from camera_hub.ingest.messages import MAX_MESSAGE_BYTES, FromCamera, TapPackets, TapSound, ToCamera

_LENGTH = struct.Struct(">I")
MAX_WAITING_LIVE_BYTES = 8 * 1024 * 1024
MAX_WAITING = 4096

_encode = msgspec.msgpack.Encoder().encode
_decode_from_camera = msgspec.msgpack.Decoder(FromCamera).decode
_decode_to_camera = msgspec.msgpack.Decoder(ToCamera).decode


class CameraEnd:
    """The camera process's end. `receive` is for one thread; `send` for any."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._waiting: deque[tuple[bytes, bool]] = deque()
        self._live_bytes = 0
        self._changed = threading.Condition()
        self._closed = False
        self._writer = threading.Thread(target=self._write, name="to-worker", daemon=True)
        self._writer.start()

    def send(self, message: FromCamera) -> bool:
        """Queue a message; False when it was lost because the worker does not keep up."""
        live = isinstance(message, TapPackets | TapSound)
        data = _encode(message)
        with self._changed:
            full = len(self._waiting) >= MAX_WAITING
            if live and (full or self._live_bytes + len(data) > MAX_WAITING_LIVE_BYTES):
                return False
            if full:
                self._waiting.popleft()
            self._waiting.append((data, live))
            self._live_bytes += len(data) if live else 0
            self._changed.notify()
        return True

    def receive(self, timeout_s: float) -> ToCamera | None:
        """The next message, None after `timeout_s`. Raises EOFError when the worker has gone."""
        self._socket.settimeout(timeout_s)
        try:
            head = self._socket.recv(_LENGTH.size)
        except TimeoutError:
            return None
        except OSError as exc:
            raise EOFError from exc
        self._socket.settimeout(10)
        while len(head) < _LENGTH.size:
            head += self._read(_LENGTH.size - len(head))
        (length,) = _LENGTH.unpack(head)
        body = b""
        while len(body) < length:
            body += self._read(length - len(body))
        message: ToCamera = _decode_to_camera(body)
        return message

    def close(self, timeout_s: float = 2) -> None:
        """Send what waits, then close."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._writer.join(timeout_s)
        self._socket.close()

    def _read(self, count: int) -> bytes:
        try:
            data = self._socket.recv(count)
        except OSError as exc:
            raise EOFError from exc
        if not data:
            raise EOFError
        return data

    def _write(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._closed:
                    self._changed.wait()
                if not self._waiting:
                    return
                data, live = self._waiting.popleft()
                self._live_bytes -= len(data) if live else 0
            try:
                _send_all(self._socket, _LENGTH.pack(len(data)) + data)
            except OSError:
                return  # the worker has gone; receive() says so


def _send_all(sock: socket.socket, data: bytes) -> None:
    """Like sendall, without the time limit that `receive` sets on the same socket."""
    view = memoryview(data)
    while view:
        try:
            view = view[sock.send(view) :]
        except TimeoutError:
            continue


class WorkerEnd:
    """The worker's end, on the event loop."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, sock: socket.socket) -> "WorkerEnd":
        sock.setblocking(False)
        reader, writer = await asyncio.open_unix_connection(sock=sock, limit=MAX_MESSAGE_BYTES)
        return cls(reader, writer)

    async def receive(self) -> FromCamera:
        """The next message. Raises EOFError when the process has gone, also in mid-message."""
        try:
            (length,) = _LENGTH.unpack(await self._reader.readexactly(_LENGTH.size))
            if length > MAX_MESSAGE_BYTES:
                raise EOFError(f"a message of {length} bytes")
            message: FromCamera = _decode_from_camera(await self._reader.readexactly(length))
        except (asyncio.IncompleteReadError, OSError, msgspec.DecodeError) as exc:
            raise EOFError(str(exc)) from exc
        return message

    def send(self, message: ToCamera) -> None:
        """Queue a message: they are few and small."""
        if not self._writer.is_closing():
            data = _encode(message)
            self._writer.write(_LENGTH.pack(len(data)) + data)

    def close(self) -> None:
        self._writer.close()
