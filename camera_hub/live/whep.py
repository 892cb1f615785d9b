"""Live video to browsers by WebRTC: a viewer's offer in, an answer out (WHEP, draft-ietf-wish-whep).

Promises: the camera's own H.264 goes out, packed into RTP and never decoded or encoded; a viewer starts
from the cached group of pictures and is at the live edge at once; a session ends when it is deleted,
when its connection fails, or when its stream can no longer be carried, and leaves nothing behind. A
viewer who lost a picture gets the cached group again, since no camera can be asked for a keyframe.
"""

import asyncio
import secrets
from collections.abc import Callable, Coroutine
from fractions import Fraction
from typing import Any

import av
import structlog
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from camera_hub.clock import SYSTEM_CLOCK, Clock
from camera_hub.live import peer
from camera_hub.live.channel import LiveChannel, Opened, Paused, Viewer
from camera_hub.live.offer import OfferError, finish_answer, h264_profile, read_offer
from camera_hub.live.timeline import Pacer, Timeline
from camera_hub.model import HubError, NotLive, Packet, StreamInfo

log = structlog.get_logger(__name__)

MAX_SESSIONS = 64
READY_S = 6.0  # for the first packet of a stream that has to be fetched from its site
CONNECT_S = 15.0  # from the answer until the viewer is there
CLOSE_S = 5.0
RESTART_US = 2_000_000  # between two repeats of the cached group for a viewer who lost a picture
PACE_BYTES_S = 5_000_000
PACE_BURST_BYTES = 64 * 1024

_RTP_CLOCK = Fraction(1, 90_000)
_ANY_PROFILE = bytes.fromhex("42e01f")


class TooManyViewersError(HubError):
    """As many watch as are allowed to."""

    code = NotLive.TOO_MANY


class NotLiveError(HubError):
    """The stream cannot be shown now."""

    def __init__(self, words: str, code: NotLive = NotLive.NO_PICTURE) -> None:
        super().__init__(words)
        self.code = code


class CannotCarryError(NotLiveError):
    """WebRTC cannot carry what this camera sends."""


def _check_carried(channel: LiveChannel, info: StreamInfo) -> None:
    if info.codec != "h264":
        name = {"hevc": "H.265"}.get(info.codec, info.codec)
        raise CannotCarryError(
            f"this camera's {channel.stream} stream is {name}, which is not shown live by WebRTC; "
            "set the stream to H.264 in the camera",
            NotLive.CODEC,
        )
    if channel.reordered:
        raise CannotCarryError(
            f"this camera's {channel.stream} stream has B-frames, whose order WebRTC cannot carry; "
            "set the stream to baseline profile, or B-frames to 0, in the camera",
            NotLive.B_FRAMES,
        )


class _Track(MediaStreamTrack):
    """A viewer's packets as aiortc's sender takes them: encoded, when they are due."""

    kind = "video"

    def __init__(
        self, channel: LiveChannel, viewer: Viewer, ended: Callable[[str], None], clock: Clock
    ) -> None:
        super().__init__()
        self._channel = channel
        self._viewer = viewer
        self._ended = ended
        self._clock = clock
        self._timeline: Timeline | None = None
        self._pacer: Pacer | None = None
        self._restarted_us = 0

    def picture_lost(self) -> None:
        """The viewer cannot go on without a keyframe."""
        now = self._clock.monotonic_us()
        if self._timeline is not None and now - self._restarted_us >= RESTART_US:
            self._restarted_us = now
            self._viewer.restart()

    async def recv(self) -> "av.Packet[Any]":
        """The next packet. Raises MediaStreamError when no more comes."""
        packet = await self._next_packet()
        if packet is None:
            raise MediaStreamError
        timeline, pacer = self._timeline, self._pacer
        now = self._clock.monotonic_us()
        if timeline is None or pacer is None:
            timeline = self._timeline = Timeline(now)
            pacer = self._pacer = Pacer(PACE_BYTES_S, PACE_BURST_BYTES, now)
        wait_s = pacer.wait_s(len(packet.data), now)
        if wait_s > 0:
            await asyncio.sleep(wait_s)
            now = self._clock.monotonic_us()
        sent = av.Packet(packet.data)
        sent.pts = timeline.rtp_time(packet.pts_us, now)
        sent.time_base = _RTP_CLOCK
        return sent

    async def _next_packet(self) -> Packet | None:
        if self._timeline is None:
            self._viewer.restart()  # what waited while the connection was made is no longer the newest
        reason = ""
        try:
            async for item in self._viewer:
                match item:
                    case Packet():
                        if self._channel.reordered and self._channel.info is not None:
                            _check_carried(self._channel, self._channel.info)
                        return item
                    case Opened(info=info):
                        _check_carried(self._channel, info)
                    case Paused():
                        pass  # the dashboard knows; the session waits for the camera
            reason = self._viewer.reason
        except CannotCarryError as exc:
            reason = str(exc)
        self._ended(reason)
        return None


class _Session:
    """One viewer's connection."""

    def __init__(self, owner: str, channel: LiveChannel, viewer: Viewer) -> None:
        self.id = secrets.token_urlsafe(16)
        self.owner = owner
        self.channel = channel
        self.viewer = viewer
        self.connection: RTCPeerConnection | None = None
        self.track: _Track | None = None
        self.too_late: asyncio.TimerHandle | None = None

    async def close(self) -> None:
        self.viewer.leave()
        if self.too_late is not None:
            self.too_late.cancel()
        if self.track is not None:
            self.track.stop()
        if self.connection is not None:
            try:
                await asyncio.wait_for(self.connection.close(), CLOSE_S)
            except TimeoutError:
                log.warning("a viewer's connection did not close in time", session=self.id)


class WhepSessions:
    """All WebRTC viewers of this server. To be used in one event loop."""

    def __init__(
        self, max_sessions: int = MAX_SESSIONS, ready_s: float = READY_S, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self._max_sessions = max_sessions
        self._ready_s = ready_s
        self._clock = clock
        self._sessions: dict[str, _Session] = {}
        self._preparing = 0
        self._closing: set[asyncio.Task[None]] = set()
        self._closed = False

    def __len__(self) -> int:
        return len(self._sessions)

    async def create(self, offer_sdp: str, channel: LiveChannel, owner: str = "") -> tuple[str, str]:
        """Begin to send a stream; the session's id and the SDP answer.

        Raises OfferError for an offer that cannot be used, TooManyViewersError, NotLiveError when nothing
        comes from the camera, CannotCarryError when WebRTC cannot carry what comes.
        """
        self._check_open()
        if len(self._sessions) + self._preparing >= self._max_sessions:
            raise TooManyViewersError(
                f"{self._max_sessions} live views are open, which is the limit; close one and try again"
            )
        read_offer(offer_sdp, _ANY_PROFILE)  # before a camera is woken for nothing
        self._preparing += 1
        viewer = channel.subscribe()
        session = _Session(owner, channel, viewer)
        try:
            await viewer.__aenter__()
            first = await self._first_packet(channel, viewer)
            answer = await self._negotiate(session, offer_sdp, h264_profile(first.data) or _ANY_PROFILE)
            self._check_open()
        except BaseException:
            await session.close()
            raise
        finally:
            self._preparing -= 1
        self._sessions[session.id] = session
        session.too_late = asyncio.get_running_loop().call_later(
            CONNECT_S, self._end, session.id, "the viewer did not connect"
        )
        log.info("viewer admitted", session=session.id, camera=channel.camera, stream=channel.stream)
        return session.id, answer

    async def delete(self, session_id: str, owner: str = "") -> bool:
        """End a session of this owner's; False when there is none."""
        session = self._sessions.get(session_id)
        if session is None or session.owner != owner:
            return False
        self._end(session_id, "the viewer left")
        await asyncio.gather(*self._closing, return_exceptions=True)
        return True

    async def close(self) -> None:
        """End all sessions and take no more."""
        self._closed = True
        for session_id in list(self._sessions):
            self._end(session_id, "the server stops")
        await asyncio.gather(*self._closing, return_exceptions=True)

    def _check_open(self) -> None:
        if self._closed:
            raise NotLiveError("the server stops")

    async def _first_packet(self, channel: LiveChannel, viewer: Viewer) -> Packet:
        try:
            async with asyncio.timeout(self._ready_s):
                async for item in viewer:
                    match item:
                        case Opened(info=info):
                            _check_carried(channel, info)
                        case Paused(reason=reason):
                            raise NotLiveError(reason)
                        case Packet():
                            return item
        except TimeoutError:
            raise NotLiveError(
                f"no picture came from the camera's {channel.stream} stream within {self._ready_s:g} s"
            ) from None
        raise NotLiveError(viewer.reason)

    async def _negotiate(self, session: _Session, offer_sdp: str, profile: bytes) -> str:
        offer = read_offer(offer_sdp, profile)
        connection = session.connection = peer.new_peer()

        def ended(reason: str) -> None:
            self._end(session.id, reason)

        track = session.track = _Track(session.channel, session.viewer, ended, self._clock)

        def state_changed() -> None:
            match connection.connectionState:
                case "connected" if session.too_late is not None:
                    session.too_late.cancel()
                case "failed" | "closed":
                    self._end(session.id, f"the connection {connection.connectionState}")

        connection.on("connectionstatechange", state_changed)
        sender = connection.addTransceiver(track, direction="sendonly").sender
        peer.allow_loopback(sender)
        peer.on_picture_loss(sender, track.picture_lost)
        try:
            await connection.setRemoteDescription(RTCSessionDescription(sdp=offer.sdp, type="offer"))
            await connection.setLocalDescription()
        except Exception as exc:
            # aiortc answers what it cannot read with whatever its parser stumbles over.
            log.info("an offer was not understood", error=repr(exc))
            raise OfferError("the SDP offer was not understood") from exc
        return finish_answer(connection.localDescription.sdp, offer)

    def _end(self, session_id: str, reason: str) -> None:
        """Take a session out and close it in the background; nothing when it has gone already."""
        session = self._sessions.pop(session_id, None)
        if session is None:
            return
        log.info(
            "viewer gone",
            session=session_id,
            camera=session.channel.camera,
            stream=session.channel.stream,
            reason=reason,
            dropped=session.viewer.dropped,
        )
        self._spawn(session.close())

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
