"""What the kernel knows of a connection: what is under way on it, and how long a round trip takes (tcp(7)).

Where it does not say (not Linux, not TCP), nothing seems to be under way.
"""

import contextlib
import socket
import struct

from websockets.asyncio.client import ClientConnection

try:
    import fcntl
except ImportError:  # not a Unix
    fcntl = None  # type: ignore[assignment]

_SIOCOUTQ = 0x5411  # bytes that the other end's TCP has not acknowledged, sent or not (linux/sockios.h)
_RTT = struct.Struct("68xI")  # tcp_info.tcpi_rtt, in µs (linux/tcp.h)
UNSENT_BYTES = 16 * 1024  # so much the kernel takes beyond what it sends at once


class Line:
    """One connection's."""

    def __init__(self, connection: ClientConnection) -> None:
        self._transport = connection.transport
        self._socket: socket.socket | None = connection.transport.get_extra_info("socket")
        option = getattr(socket, "TCP_NOTSENT_LOWAT", None)
        if self._socket is not None and option is not None:
            with contextlib.suppress(OSError):
                self._socket.setsockopt(socket.IPPROTO_TCP, option, UNSENT_BYTES)

    def under_way(self) -> int:
        """Bytes that we have sent and that have not arrived, as far as is known."""
        ours = self._transport.get_write_buffer_size()
        if self._socket is None or fcntl is None:
            return ours
        try:
            answer = fcntl.ioctl(self._socket.fileno(), _SIOCOUTQ, b"\0\0\0\0")
        except (OSError, ValueError):  # closed meanwhile
            return ours
        count: int = struct.unpack("i", answer)[0]
        return ours + count

    def round_trip_us(self) -> int | None:
        """The kernel's smoothed estimate."""
        option = getattr(socket, "TCP_INFO", None)
        if self._socket is None or option is None:
            return None
        try:
            return _RTT.unpack(self._socket.getsockopt(socket.IPPROTO_TCP, option, _RTT.size))[0] or None
        except (OSError, ValueError, struct.error):
            return None
