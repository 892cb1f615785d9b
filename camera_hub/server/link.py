"""Where workers link: the WebSocket at /api/link, handed to the link's server end.

No session: a worker proves itself by its site's key, inside the link, or once by a code.
"""

from typing import Protocol

import structlog
from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect, WebSocketState

from camera_hub.link.server.site import Socket
from camera_hub.model import HubError
from camera_hub.server.rights import Right, needs

log = structlog.get_logger(__name__)


class Serves(Protocol):
    """The link's server end, as far as this route needs it."""

    async def serve(self, socket: Socket, address: str) -> None: ...


class _Socket:
    """A WebSocket in the link's own words; it raises EOFError when the worker has gone."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket

    async def receive(self) -> bytes:
        try:
            return await self._socket.receive_bytes()
        except (WebSocketDisconnect, KeyError, RuntimeError) as exc:
            # KeyError: a text message, which the link does not have.
            raise EOFError from exc

    async def send(self, data: bytes) -> None:
        try:
            await self._socket.send_bytes(data)
        except (WebSocketDisconnect, RuntimeError) as exc:
            raise EOFError from exc

    async def close(self) -> None:
        if self._socket.application_state is WebSocketState.DISCONNECTED:
            return
        try:
            await self._socket.close()
        except (WebSocketDisconnect, RuntimeError):
            return


def router(end: Serves) -> APIRouter:
    routes = APIRouter()

    @routes.websocket("/api/link", dependencies=[needs(Right.WORKER)])
    async def link(socket: WebSocket) -> None:
        await socket.accept()
        try:
            await end.serve(_Socket(socket), socket.client.host if socket.client else "")
        except HubError as exc:
            # Such as a full disk: nothing was acknowledged, and the worker sends it again later.
            log.error("what a site brought could not be kept", error=str(exc))

    return routes
