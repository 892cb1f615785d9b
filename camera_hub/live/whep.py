"""Live video to browsers by WebRTC: a viewer's offer in, an answer out (WHEP, draft-ietf-wish-whep).

Promises: the camera's own H.264 goes out, packed into RTP and never decoded or encoded; a viewer starts
from the cached group of pictures and is at the live edge at once; a session ends when it is deleted,
when its connection fails, or when its stream can no longer be carried, and leaves nothing behind. A
viewer who lost a picture gets the cached group again, since no camera can be asked for a keyframe.
"""

import asyncio
import secrets
from collections.abc import Callable, Coroutine, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import structlog
from aiortc import RTCPeerConnection, RTCSessionDescription

from camera_hub.clock import SYSTEM_CLOCK, Clock
from camera_hub.live import peer
from camera_hub.live.channel import LiveChannel, Opened, Paused, Viewer
from camera_hub.live.feed import NotLiveError, check_carried
from camera_hub.live.fragment import Fragment, write_fragment
from camera_hub.live.limits import Limits, TooManyViewersError
from camera_hub.live.offer import MAX_CANDIDATES, OfferError, finish_answer, h264_profile, read_offer
from camera_hub.live.path import MediaPath
from camera_hub.live.rtp import Packetiser
from camera_hub.live.sender import Source, VideoSender
from camera_hub.model import Packet

__all__ = ["READY_S", "NotLiveError", "TooManyViewersError", "WhepSessions"]

log = structlog.get_logger(__name__)

READY_S = 6.0  # for the first packet of a stream that has to be fetched from its site
CONNECT_S = 15.0  # from the answer until the viewer is there
CLOSE_S = 5.0

_ANY_PROFILE = bytes.fromhex("42e01f")


class _Session:
    """One viewer's connection."""

    def __init__(self, session_id: str, owner: str, channel: LiveChannel, sender: VideoSender) -> None:
        self.id = session_id
        self.tag = session_id  # of its ICE; another after ICE began anew
        self.owner = owner
        self.channel = channel
        self.sender = sender
        self.connection: RTCPeerConnection | None = None
        self.candidates = 0  # that the viewer sent after its offer
        self.give_back: Callable[[], None] = lambda: None
        self.too_late: asyncio.TimerHandle | None = None

    async def close(self) -> None:
        self.give_back()
        self.sender.close()
        if self.too_late is not None:
            self.too_late.cancel()
        if self.connection is not None:
            try:
                await asyncio.wait_for(self.connection.close(), CLOSE_S)
            except TimeoutError:
                log.warning("a viewer's connection did not close in time", session=self.id)


class WhepSessions:
    """All WebRTC viewers of this server. To be used in one event loop.

    `ports` are the UDP ports to use, by default any; `stun` the servers that tell us our public address.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        ready_s: float = READY_S,
        clock: Clock = SYSTEM_CLOCK,
        ports: range | None = None,
        stun: Sequence[str] = (),
    ) -> None:
        self._limits = limits or Limits()
        self._ports = ports
        self._stun = stun
        self._ready_s = ready_s
        self._clock = clock
        self._sessions: dict[str, _Session] = {}
        self._packetisers: WeakKeyDictionary[LiveChannel, Packetiser] = WeakKeyDictionary()
        self._closing: set[asyncio.Task[None]] = set()
        self._closed = False

    def __len__(self) -> int:
        return len(self._sessions)

    async def create(
        self,
        offer_sdp: str,
        channel: LiveChannel,
        owner: str = "",
        lesser: Callable[[], LiveChannel] | None = None,
    ) -> tuple[str, str]:
        """Begin to send a stream; the session's id and the SDP answer.

        `lesser` gives the smaller stream of the camera, for a viewer who cannot keep up with this one.
        Raises OfferError for an offer that cannot be used, TooManyViewersError, NotLiveError when nothing
        comes from the camera, CannotCarryError when WebRTC cannot carry what comes.
        """
        self._check_open()
        read_offer(offer_sdp, _ANY_PROFILE)  # before a camera is woken for nothing
        give_back = self._limits.take(owner, channel.camera)
        try:
            async with channel.subscribe() as viewer:
                first = await self._first_packet(channel, viewer)
                session = self._session(owner, channel, lesser)
                try:
                    profile = h264_profile(first.data) or _ANY_PROFILE
                    answer = await self._negotiate(session, offer_sdp, profile)
                    self._check_open()
                except BaseException:
                    await session.close()
                    raise
        except BaseException:
            give_back()
            raise
        session.give_back = give_back
        self._sessions[session.id] = session
        session.too_late = asyncio.get_running_loop().call_later(
            CONNECT_S, self._end, session.id, "the viewer did not connect"
        )
        log.info("viewer admitted", session=session.id, camera=channel.camera, stream=channel.stream)
        return session.id, answer

    def tag(self, session_id: str, owner: str = "") -> str | None:
        """What the ETag of this owner's session is; None when there is no such session."""
        session = self._owned(session_id, owner)
        return None if session is None else session.tag

    async def patch(self, session_id: str, owner: str, fragment: Fragment) -> str | None:
        """Tell a session of the viewer's candidates, or begin its ICE anew, as the fragment's ufrag says.

        Gives our fragment when ICE began anew; its tag is another then. Raises OfferError for a fragment
        that cannot be used, NotLiveError when the session has ended.
        """
        session = self._owned(session_id, owner)
        if session is None or session.connection is None:
            raise NotLiveError("the session has ended")
        transceiver = session.connection.getTransceivers()[0]
        candidates = fragment.candidates[: MAX_CANDIDATES - session.candidates]
        answer = None
        if fragment.ufrag not in ("", peer.remote_ufrag(transceiver.sender)):
            if not fragment.password:
                raise OfferError("the fragment has an ice-ufrag and no ice-pwd")
            ufrag, password, ours = peer.restart_ice(transceiver.sender, fragment.ufrag, fragment.password)
            answer = write_fragment(transceiver.mid or "0", ufrag, password, ours)
            session.tag = secrets.token_urlsafe(16)
            session.candidates = 0
            candidates = fragment.candidates[:MAX_CANDIDATES]
            log.info("a viewer's network changed", session=session.id, camera=session.channel.camera)
        session.candidates += len(candidates)
        await peer.add_candidates(transceiver.sender, candidates)
        return answer

    async def delete(self, session_id: str, owner: str = "") -> bool:
        """End a session of this owner's; False when there is none."""
        if self._owned(session_id, owner) is None:
            return False
        self._end(session_id, "the viewer left")
        await asyncio.gather(*self._closing, return_exceptions=True)
        return True

    def shown(self, session_id: str) -> str:
        """What a viewer is sent now, as in "main" or "sub keyframes"; empty when there is no such session."""
        session = self._sessions.get(session_id)
        return "" if session is None else session.sender.shows

    async def close(self) -> None:
        """End all sessions and take no more."""
        self._closed = True
        for session_id in list(self._sessions):
            self._end(session_id, "the server stops")
        await asyncio.gather(*self._closing, return_exceptions=True)

    def _owned(self, session_id: str, owner: str) -> _Session | None:
        session = self._sessions.get(session_id)
        return session if session is not None and session.owner == owner else None

    def _check_open(self) -> None:
        if self._closed:
            raise NotLiveError("the server stops")

    async def _first_packet(self, channel: LiveChannel, viewer: Viewer) -> Packet:
        try:
            async with asyncio.timeout(self._ready_s):
                async for item in viewer:
                    match item:
                        case Opened(info=info):
                            check_carried(channel, info)
                        case Paused(reason=reason):
                            raise NotLiveError(reason)
                        case Packet():
                            if channel.info is not None:
                                check_carried(channel, channel.info)  # the group that came with it tells more
                            return item
        except TimeoutError:
            raise NotLiveError(
                f"no picture came from the camera's {channel.stream} stream within {self._ready_s:g} s"
            ) from None
        raise NotLiveError(viewer.reason)

    def _session(
        self, owner: str, channel: LiveChannel, lesser: Callable[[], LiveChannel] | None
    ) -> _Session:
        """A session that watches and has no connection yet."""
        session_id = secrets.token_urlsafe(16)
        sources = [Source(lambda: channel, self._packetiser)]
        if lesser is not None:
            sources.append(Source(lesser, self._packetiser))
        sender = VideoSender(sources, lambda reason: self._end(session_id, reason), self._clock)
        sender.enter()
        return _Session(session_id, owner, channel, sender)

    def _packetiser(self, channel: LiveChannel) -> Packetiser:
        return self._packetisers.setdefault(channel, Packetiser())

    async def _negotiate(self, session: _Session, offer_sdp: str, profile: bytes) -> str:
        offer = read_offer(offer_sdp, profile)
        connection = session.connection = peer.new_peer(self._stun)

        def state_changed() -> None:
            match connection.connectionState:
                case "connected" if session.too_late is not None:
                    session.too_late.cancel()
                case "failed" | "closed":
                    self._end(session.id, f"the connection {connection.connectionState}")

        def secured(secured: peer.Secured) -> None:
            session.sender.start(MediaPath(secured))

        connection.on("connectionstatechange", state_changed)
        sender = connection.addTransceiver("video", direction="sendonly").sender
        peer.gather_on(sender, self._ports)
        peer.take_over(sender, session.sender, secured)
        try:
            await connection.setRemoteDescription(RTCSessionDescription(sdp=offer.sdp, type="offer"))
            await connection.setLocalDescription()
        except peer.PortsTakenError:
            raise TooManyViewersError(
                "all UDP ports that live views may use (live.udp_ports) are taken; "
                "close a live view and try again, or give the server more ports"
            ) from None
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
        session.give_back()
        log.info(
            "viewer gone",
            session=session_id,
            camera=session.channel.camera,
            stream=session.channel.stream,
            reason=reason,
            shown=session.sender.shows,
            packets=session.sender.sent,
            again=session.sender.again,
            dropped=session.sender.dropped,
        )
        self._spawn(session.close())

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
