"""A stream of a camera over RTSP (RFC 2326), read by FFmpeg through PyAV; never decoded here.

Relies on FFmpeg for RTSP, RTP, basic and digest authentication, and for putting access units
together; takes its timestamps with a grain of salt (`timeline`). Sound is asked for only where somebody
wants it, and never keeps a stream alive whose pictures have stopped.
FFmpeg's own errors hold the address with its password, so none of them leaves this module.
"""

import errno
from collections.abc import Iterator
from typing import Any, Literal
from urllib.parse import quote, urlsplit, urlunsplit

import av
import av.error
from av.audio.stream import AudioStream
from av.stream import Discard
from av.video.stream import VideoStream

from camera_hub.annexb import CODECS
from camera_hub.cameras.sound import OnSound, SoundMaker, sound_info
from camera_hub.cameras.source import (
    BusyError,
    CameraError,
    EndedError,
    GivenUpError,
    LongPasswordError,
    NoKeyframeError,
    NonsenseError,
    NoPasswordError,
    NotFoundError,
    NoVideoError,
    RefusedError,
    StalledError,
    TimedOutError,
    UnauthorisedError,
    UnreachableError,
    UnsupportedError,
    WrongTransportError,
)
from camera_hub.cameras.units import FFmpegSource, UnitMaker, annexb_extradata
from camera_hub.clock import SYSTEM_CLOCK, Clock
from camera_hub.config.address import split_credentials
from camera_hub.model import Packet, SoundInfo

Transport = Literal["tcp", "udp"]

KEYFRAME_TIMEOUT_S = 30.0  # "smart" codecs go many seconds without one
CLOSE_TIMEOUT_S = 5.0
MAX_CREDENTIALS = 127  # bytes of "user:password", percent-encoded, that FFmpeg keeps
UDP_BUFFER_BYTES = 4 * 1024 * 1024  # a keyframe comes in one burst
MAX_GAP_US = 10_000_000
# With sound, FFmpeg puts both on the camera's wall clock as soon as the camera tells it (RTCP), some seconds
# after the first picture: a larger step is that, or the camera's setting its clock, and no gap.
MAX_STEP_WITH_SOUND_US = 500_000

_NO_WAY = "cannot be reached: there is no way to its network; check the address and the cables"
_NO_ANSWER = "did not answer within {timeout} s; is it on, and are address and port right?"
_CANNOT_SERVE = "answers, but cannot serve the stream now; too many may be watching it, or it is starting"
_OTHER_TRANSPORT = "answers, but not over {transport}; set `transport` to the other of tcp and udp"
_NO_RTSP = "gives an answer that is not RTSP; is the port right?"

_OPEN_ERRORS: dict[int | type[Exception], tuple[type[CameraError], str]] = {
    errno.ECONNREFUSED: (RefusedError, "refuses the connection; is it on, and is the port right?"),
    errno.EHOSTUNREACH: (UnreachableError, _NO_WAY),
    errno.ENETUNREACH: (UnreachableError, _NO_WAY),
    errno.EIO: (UnreachableError, "cannot be found under this name; check it, or give the IP address"),
    errno.ETIMEDOUT: (TimedOutError, _NO_ANSWER),
    av.error.ExitError: (TimedOutError, _NO_ANSWER),
    errno.ECONNRESET: (EndedError, "broke the connection while it was being opened"),
    errno.EPIPE: (EndedError, "broke the connection while it was being opened"),
    av.error.EOFError: (EndedError, "broke the connection while it was being opened"),
    av.error.HTTPUnauthorizedError: (UnauthorisedError, "refuses the user name or password; {credentials}"),
    av.error.HTTPForbiddenError: (UnauthorisedError, "forbids this stream to the user; {credentials}"),
    av.error.HTTPNotFoundError: (
        NotFoundError,
        "has no stream at this path; check what follows the host",
    ),
    av.error.HTTPServerError: (BusyError, _CANNOT_SERVE),
    av.error.HTTPTooManyRequestsError: (BusyError, _CANNOT_SERVE),
    av.error.HTTPOtherClientError: (
        WrongTransportError,
        "refuses to send this stream; check the path of its address, or try the other `transport`",
    ),
    errno.EPROTONOSUPPORT: (WrongTransportError, _OTHER_TRANSPORT),
}


class RtspSource(FFmpegSource):
    """One RTSP connection to one stream; see `Source`."""

    def __init__(
        self,
        url: str,
        *,
        transport: Transport = "tcp",
        username: str | None = None,
        password: str | None = None,
        open_timeout_s: float = 10.0,
        read_timeout_s: float = 10.0,
        clock: Clock = SYSTEM_CLOCK,
        on_sound: OnSound | None = None,
    ) -> None:
        """Credentials in the URL serve where none are given. Without `on_sound` the camera is not asked for
        its sound. Raises Unauthorised if the credentials are too long."""
        split = split_credentials(url)
        self._url = split.address
        super().__init__(f"the camera at {_host_port(self._url)}", clock)
        self._user_info = _user_info(
            username or split.username, password if password is not None else split.password
        )
        self._transport = transport
        self._open_timeout_s = open_timeout_s
        self._read_timeout_s = read_timeout_s
        self._on_sound = on_sound

    def packets(self) -> Iterator[Packet]:
        if self._first is not None:
            first, self._first = self._first, None
            yield first
        yield from self._rest

    def _begin(self) -> None:
        container = self._container = self._connect(sound=self._on_sound is not None)
        sound, heard = self._choose_sound(container)
        if heard is not None and sound is None:
            # Pictures whose sound cannot be used come as they do without any.
            container.close()
            container = self._container = self._connect(sound=False)
        stream = self._choose(container)
        for other in container.streams:
            if other is not stream and other is not sound:
                other.discard = Discard.all
        context = stream.codec_context
        told = annexb_extradata(context.name, context.extradata)
        fps, maker = _declared_fps(stream), None
        if sound is None or self._on_sound is None:
            self._units = UnitMaker(context.name, told, fps, MAX_GAP_US, heard, doubted=True)
        else:
            step_us = MAX_STEP_WITH_SOUND_US
            self._units = UnitMaker(context.name, told, fps, step_us, heard, step_us, doubted=True)
            maker = SoundMaker(sound, self._units, self._on_sound)
        self._rest = self._read(container, stream, self._units, maker)
        self._first = next(self._rest, None)
        if self._first is None:
            raise GivenUpError(f"{self.where} was given up while it was being opened")

    def _connect(self, *, sound: bool) -> av.container.InputContainer:
        if self._interrupted.is_set():
            raise GivenUpError(f"{self.where} was given up before it was opened")
        options = {
            "rtsp_transport": self._transport,
            "allowed_media_types": "video+audio" if sound else "video",
            "protocol_whitelist": "rtsp,rtp,tcp,udp",
            # µs, of a single socket operation: only for what PyAV's own timeout does not watch, as closing.
            "timeout": str(round((max(self._open_timeout_s, self._read_timeout_s) + CLOSE_TIMEOUT_S) * 1e6)),
            # What FFmpeg would find out by reading (and decoding) on, the parameter sets tell at once.
            "probesize": "32",
            "analyzeduration": "0",
            "fpsprobesize": "0",
        }
        if self._transport == "udp":
            options["buffer_size"] = str(UDP_BUFFER_BYTES)
        begun_us = self._clock.monotonic_us()
        try:
            return av.open(
                _with_user_info(self._url, self._user_info),
                options=options,
                timeout=(self._open_timeout_s, self._read_timeout_s),
            )
        except (av.error.FFmpegError, OSError, ValueError) as exc:
            # A timeout that FFmpeg meets while it waits for an answer, it calls invalid data.
            late = self._clock.monotonic_us() - begun_us >= self._open_timeout_s * 1e6
            error = self._open_error(TimeoutError(errno.ETIMEDOUT, "") if late else exc)
        raise error  # here, so that FFmpeg's error with the password in it is not its context

    def _choose(self, container: av.container.InputContainer) -> VideoStream:
        streams = container.streams.video
        if not streams:
            raise NoVideoError(f"{self.where} has no video in this stream; is the path of the address right?")
        named = [(stream, _codec(stream)) for stream in streams]
        chosen = next((stream for stream, codec in named if codec in CODECS), None)
        if chosen is None:
            raise UnsupportedError.of(named[0][1], self.where)
        return chosen

    def _choose_sound(
        self, container: av.container.InputContainer
    ) -> tuple[AudioStream | None, SoundInfo | None]:
        """The sound to take, None where there is none; and what there is, also where it cannot be used."""
        told = [(stream, sound_info(stream)) for stream in container.streams.audio]
        for stream, sound in told:
            if sound.usable:
                return stream, sound
        return None, told[0][1] if told else None

    def _read(
        self,
        container: av.container.InputContainer,
        stream: VideoStream,
        units: UnitMaker,
        sound: SoundMaker | None,
    ) -> Iterator[Packet]:
        """The packets from the first keyframe on."""
        time_base = stream.time_base
        assert time_base is not None
        ticks, second = time_base.numerator * 1_000_000, time_base.denominator
        opened_us = picture_us = self._clock.monotonic_us()
        for unit in self._demux(container, stream, sound):
            if self._interrupted.is_set():
                return
            now_us = self._clock.monotonic_us()
            if sound is not None and unit.stream_index == sound.index:
                sound.take(unit, now_us)
                if now_us - picture_us > self._read_timeout_s * 1e6:
                    raise StalledError(
                        f"{self.where} has sent no picture for {self._read_timeout_s:.0f} s, only sound"
                    )
                continue
            picture_us = now_us
            pts, dts = unit.pts, unit.dts
            try:
                packet = units.make(
                    bytes(unit),
                    None if pts is None else pts * ticks // second,
                    None if dts is None else dts * ticks // second,
                    keyframe=unit.is_keyframe,
                    arrival_us=now_us,
                    wall_us=self._clock.wall_us(),
                )
            except ValueError as exc:
                raise NonsenseError(
                    f"{self.where} sends a picture that cannot be understood ({exc})"
                ) from None
            if packet is not None:
                yield packet
            elif now_us - opened_us > KEYFRAME_TIMEOUT_S * 1e6:
                raise NoKeyframeError(
                    f"{self.where} has sent no keyframe for {KEYFRAME_TIMEOUT_S:.0f} s; set a keyframe "
                    "interval (I-frame interval, GOP) of about 2 s in the camera's own settings"
                )

    def _demux(
        self, container: av.container.InputContainer, stream: VideoStream, sound: SoundMaker | None
    ) -> "Iterator[av.Packet[Any]]":
        wanted = [stream.index] if sound is None else [stream.index, sound.index]
        units = container.demux(*(container.streams[index] for index in wanted))
        while True:
            try:
                unit = next(units, None)
            except (av.error.FFmpegError, OSError, ValueError) as exc:
                error = self._read_error(exc)
            else:
                if unit is not None and unit.size:
                    yield unit
                    continue
                error = EndedError(f"{self.where} ended the stream")
            raise error

    def _open_error(self, exc: Exception) -> CameraError:
        kind, words = (
            _OPEN_ERRORS.get(type(exc)) or _OPEN_ERRORS.get(_errno(exc)) or (NonsenseError, _NO_RTSP)
        )
        if kind is UnauthorisedError and not self._user_info:
            kind = NoPasswordError
        words = words.format(
            timeout=f"{self._open_timeout_s:.0f}",
            transport=self._transport,
            credentials="check them" if self._user_info else "give `username` and `password`",
        )
        return kind(f"{self.where} {words}")

    def _read_error(self, exc: Exception) -> CameraError:
        if isinstance(exc, av.error.ExitError) or _errno(exc) == errno.ETIMEDOUT:
            return StalledError(
                f"{self.where} has sent nothing for {self._read_timeout_s:.0f} s, though it is connected"
            )
        if _errno(exc) in (errno.ECONNRESET, errno.EPIPE):
            return EndedError(f"{self.where} broke the connection")
        if isinstance(exc, av.error.HTTPClientError):
            return self._open_error(exc)
        return NonsenseError(f"{self.where} sends what is not RTSP")


def _codec(stream: VideoStream) -> str:
    """FFmpeg's name; empty where it knows none, and then there is no codec context."""
    return getattr(stream.codec_context, "name", "")


def _declared_fps(stream: VideoStream) -> float | None:
    rate = stream.codec_context.framerate
    fps = float(rate) if rate else 0.0
    return fps if 0.1 <= fps <= 240 else None


def _host_port(url: str) -> str:
    parts = urlsplit(url)
    host = parts.hostname or "?"
    return f"[{host}]:{parts.port or 554}" if ":" in host else f"{host}:{parts.port or 554}"


def _user_info(username: str | None, password: str | None) -> str:
    """What stands before the @ (RFC 3986, 3.2.1), with every sign that could end it encoded."""
    if not username and not password:
        return ""
    info = quote(username or "", safe="") + ":" + quote(password or "", safe="")
    if len(info) > MAX_CREDENTIALS:
        raise LongPasswordError(
            "the camera's user name and password are too long: together they may have "
            f"{MAX_CREDENTIALS - 1} signs, where others than letters, digits and - . _ ~ count three and "
            "more; set a shorter password in the camera and here"
        )
    return info


def _with_user_info(url: str, user_info: str) -> str:
    if not user_info:
        return url
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{user_info}@{parts.netloc}"))


def _errno(exc: Exception) -> int:
    return getattr(exc, "errno", None) or 0
