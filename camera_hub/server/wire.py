"""Our edge to uvicorn: WebSocket frames that are made once and written to many connections.

ASGI has a message masked, framed and checked anew for every connection, through half a dozen of coroutines.
Here a frame goes from the caller to the socket in one call, and its bytes are shared. `serve` gives
`SharedFrames` to uvicorn as its WebSocket protocol; a route finds its own connection with `wire_of`.
This reaches for what uvicorn does not promise to keep; `test_live_mse` fails when a new version moves it.
"""

import contextlib
import socket
from collections.abc import Callable

from fastapi import WebSocket
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

_EXTENSION = "camera_hub.frames"
_UNSENT_BYTES = 64 * 1024


class SharedFrames(WebSocketsSansIOProtocol):
    """uvicorn's protocol, and a way past ASGI for frames that are ready to be sent."""

    resumed: Callable[[], None] | None = None

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.response.status_code == 101:  # the app's task has been made, but has not begun
            extensions: dict[str, object] = self.scope["extensions"]  # type: ignore[assignment]
            extensions[_EXTENSION] = self

    def resume_writing(self) -> None:
        super().resume_writing()
        if self.resumed is not None:
            self.resumed()

    def can_write(self) -> bool:
        """Whether the transport's buffer is below its mark; `resumed` is called when it is so again."""
        return self.writable.is_set()

    @property
    def waiting_bytes(self) -> int:
        return self.transport.get_write_buffer_size()

    def write(self, frames: bytes) -> None:
        """Whole frames, after the handshake; nothing happens once the connection is being closed."""
        if self.handshake_complete and not self.close_sent and not self.transport.is_closing():
            self.transport.write(frames)

    def abort(self) -> None:
        self.transport.abort()

    def wait_little(self) -> None:
        """Keep the kernel from holding seconds of video for one who reads slowly (tcp(7))."""
        plain: socket.socket | None = self.transport.get_extra_info("socket")
        option = getattr(socket, "TCP_NOTSENT_LOWAT", None)
        if plain is not None and option is not None:
            with contextlib.suppress(OSError):  # not over TCP
                plain.setsockopt(socket.IPPROTO_TCP, option, _UNSENT_BYTES)


def wire_of(websocket: WebSocket) -> SharedFrames:
    """The connection below a WebSocket that was accepted. Raises TypeError on another server than ours."""
    found = websocket.scope.get("extensions", {}).get(_EXTENSION)
    if not isinstance(found, SharedFrames):
        raise TypeError("live views need uvicorn with ws=SharedFrames; see server/serve.py")
    return found
