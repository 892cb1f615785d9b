"""Live views over a WebSocket: fragmented MP4 for Media Source Extensions.

Reads the request, calls `MseStreams`, listens for the viewer's leaving. What is refused is told inside the
connection, since a browser's script learns nothing of a handshake that fails.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, WebSocket
from starlette.websockets import WebSocketDisconnect

from camera_hub.live.hub import LiveHub
from camera_hub.live.messages import EndedMessage, text_frame
from camera_hub.live.mse import MseStreams, MseViewer
from camera_hub.live.whep import NotLiveError, TooManyViewersError
from camera_hub.model import NotLive, StreamName
from camera_hub.server.live import LiveCamera, Watcher
from camera_hub.server.wire import SharedFrames, wire_of

STILL_GOOD_EVERY_S = 60.0
CLOSE_S = 5.0
REFUSED = 1008  # policy violation (RFC 6455, 7.4.1): the last message says what is the matter
TRY_AGAIN = 1013  # IANA's registry: try again later

_CameraId = Annotated[str, Path(max_length=200)]
_StreamChoice = Annotated[StreamName, Query()]


def mse_router(
    hub: LiveHub,
    streams: MseStreams,
    find_camera: Callable[[str], LiveCamera | None],
    watcher: Any,
    still_good: Callable[[Any], Awaitable[bool]],
) -> APIRouter:
    """The route. `watcher` is the right that it needs, `still_good` whether a session is not over yet."""
    router = APIRouter(tags=["live"])

    @router.websocket("/api/cameras/{camera}/live.ws")
    async def watch(
        socket: WebSocket,
        camera: _CameraId,
        session: Annotated[Watcher, watcher],
        stream: _StreamChoice = "sub",
        transcode: Annotated[bool, Query()] = False,
        audio: Annotated[bool, Query()] = False,
    ) -> None:
        await socket.accept()
        wire = wire_of(socket)
        wire.wait_little()
        found = find_camera(camera)
        if found is None:
            await _refuse(socket, wire, f"There is no camera {camera}.", None, REFUSED)
            return
        if found.unavailable:
            await _refuse(socket, wire, found.unavailable, found.code)
            return
        shown = stream if stream in found.streams else found.streams[0]
        over = asyncio.Event()
        try:
            channel = hub.transcoded(camera, shown) if transcode else hub.channel(camera, shown)
            viewer = streams.watch(channel, wire, session.user.name, over.set, audio)
        except (TooManyViewersError, NotLiveError) as exc:
            await _refuse(socket, wire, str(exc), exc.code)
            return
        wire.resumed = viewer.resume
        try:
            await _until_over(socket, wire, viewer, over, lambda: still_good(session))
        finally:
            wire.resumed = None
            viewer.leave()

    return router


async def _until_over(
    socket: WebSocket,
    wire: SharedFrames,
    viewer: MseViewer,
    over: asyncio.Event,
    still_good: Callable[[], Awaitable[bool]],
) -> None:
    """Until the viewer has gone or nothing more comes; the viewer's questions are answered meanwhile."""
    listening = asyncio.create_task(_listen(socket, viewer))
    ending = asyncio.create_task(over.wait())
    try:
        while not listening.done():
            await asyncio.wait(
                (listening, ending), timeout=STILL_GOOD_EVERY_S, return_when=asyncio.FIRST_COMPLETED
            )
            if not over.is_set() and not listening.done() and not await still_good():
                viewer.end("the session is over; sign in again")
            if over.is_set():
                await _close(socket, wire, TRY_AGAIN)
                return
    finally:
        listening.cancel()
        ending.cancel()
        await asyncio.gather(listening, ending, return_exceptions=True)


async def _listen(socket: WebSocket, viewer: MseViewer) -> None:
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        viewer.answer_clock(message.get("text") or "")


async def _refuse(
    socket: WebSocket, wire: SharedFrames, words: str, code: NotLive | None, close_code: int = TRY_AGAIN
) -> None:
    wire.write(text_frame(EndedMessage(words, code)))
    await _close(socket, wire, close_code)


async def _close(socket: WebSocket, wire: SharedFrames, code: int) -> None:
    try:
        async with asyncio.timeout(CLOSE_S):  # uvicorn waits for what the viewer has not read
            await socket.close(code)
    except TimeoutError:
        wire.abort()
    except (WebSocketDisconnect, RuntimeError):
        return  # it has gone already
