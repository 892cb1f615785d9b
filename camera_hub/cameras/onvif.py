"""What a camera tells of its own streams (ONVIF Core and Media, through onvif-zeep-async).

From its profiles `main` is the largest in H.264, and `sub` the smallest that is still good for
a wall of pictures and for motion. The library brings the service descriptions (WSDL) with it;
nothing is ever loaded from elsewhere. It is imported on use, since it is large, and most cameras
are given by their addresses.
"""

import asyncio
import ipaddress
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from camera_hub.cameras.source import (
    CameraError,
    NoOnvifError,
    NoPasswordError,
    NoVideoError,
    RefusedError,
    TimedOutError,
    UnauthorisedError,
    UnreachableError,
    UnsupportedError,
)
from camera_hub.config.address import split_credentials

SUB_WIDTHS = range(320, 705)  # px; smaller shows nobody, larger costs too much to decode
TIMEOUT_S = 15.0
CLOCK_OFF_S = 5.0  # cameras refuse a log-in whose time is this far from theirs, or somewhat further


class Profile(NamedTuple):
    """A media profile of a camera."""

    token: str
    codec: str  # as ONVIF names it: "H264", "H265", "JPEG", "MPEG4"
    width: int  # px
    height: int  # px


class StreamUrls(NamedTuple):
    """A camera's RTSP addresses, without credentials; `sub` is None where it has but one stream."""

    main: str
    sub: str | None


def choose(profiles: list[Profile]) -> tuple[Profile, Profile | None] | None:
    """The profiles for main and sub; None when there is none in H.264."""
    usable = sorted((p for p in profiles if p.codec == "H264"), key=lambda p: (p.width * p.height, p.token))
    if not usable:
        return None
    main = usable.pop()
    others = [p for p in usable if (p.width, p.height) != (main.width, main.height)]
    fitting = [p for p in others if p.width in SUB_WIDTHS]
    larger = [p for p in others if p.width >= SUB_WIDTHS.stop]
    return main, next(iter(fitting or larger), None)


def reachable(url: str, host: str) -> str:
    """The address with `host` in place of one that can only be wrong: none, 0.0.0.0, or this machine
    itself, where the camera is another; and without credentials."""
    parts = urlsplit(split_credentials(url).address)
    told = parts.hostname or ""
    if told and not _is_nowhere(told, host):
        return urlunsplit(parts)
    bare = f"[{host}]" if ":" in host else host
    port = f":{parts.port}" if parts.port else ""
    return urlunsplit(parts._replace(netloc=bare + port))


def resolve(
    host: str, port: int, username: str | None, password: str | None, timeout_s: float = TIMEOUT_S
) -> StreamUrls:
    """Ask the camera for its streams. Blocks; not for a thread in which an event loop runs.

    Raises CameraError.
    """
    return asyncio.run(resolve_async(host, port, username, password, timeout_s))


async def resolve_async(
    host: str, port: int, username: str | None, password: str | None, timeout_s: float = TIMEOUT_S
) -> StreamUrls:
    """Ask the camera for its streams. Raises CameraError."""
    asked = _Asked(host, port, username, password)
    try:
        async with asyncio.timeout(timeout_s):
            return await asked.urls()
    except CameraError:
        raise
    except Exception as exc:
        # The library's errors are of many kinds, and may hold what was sent.
        error = asked.error(exc, timeout_s)
    raise error


class _Asked:
    """One question to one camera."""

    def __init__(self, host: str, port: int, username: str | None, password: str | None) -> None:
        self._host = host
        self._port = port
        self._username = username
        self._password = password
        self._clock_off_s = 0.0
        self.where = f"the camera at {_bracketed(host)}:{port}"

    async def urls(self) -> StreamUrls:
        from onvif import ONVIFCamera

        camera: Any = ONVIFCamera(
            self._host, self._port, self._username, self._password, no_cache=True, adjust_time=True
        )
        try:
            await camera.update_xaddrs()
            self._clock_off_s = camera.dt_diff.total_seconds() if camera.dt_diff is not None else 0.0
            camera.xaddrs = {name: reachable(url, self._host) for name, url in camera.xaddrs.items()}
            media = await camera.create_media_service()
            profiles = [_profile(told) for told in await media.GetProfiles()]
            chosen = choose(profiles)
            if chosen is None:
                raise self._none_usable(profiles)
            main, sub = chosen
            return StreamUrls(
                await self._url(media, main), await self._url(media, sub) if sub is not None else None
            )
        finally:
            await camera.close()

    async def _url(self, media: Any, profile: Profile) -> str:
        setup = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
        told = await media.GetStreamUri({"StreamSetup": setup, "ProfileToken": profile.token})
        url = str(told.Uri or "")
        if not url.startswith("rtsp://"):
            raise NoOnvifError(f"{self.where} gives no RTSP address for its stream; give it under `streams`")
        return reachable(url, self._host)

    def _none_usable(self, profiles: list[Profile]) -> CameraError:
        codecs = sorted({profile.codec for profile in profiles if profile.codec})
        if not codecs:
            return NoVideoError(f"{self.where} has no video profile; set one up in its own settings")
        return UnsupportedError.of(", ".join(codecs), self.where)

    def error(self, exc: Exception, timeout_s: float) -> CameraError:
        """What went wrong, in our words."""
        from aiohttp import ClientConnectorError
        from zeep.exceptions import Fault, TransportError

        chain = list(_chain(exc))
        if any(_is_refusal(link) for link in chain):
            kind = UnauthorisedError if self._username else NoPasswordError
            return kind(f"{self.where} refuses the user name or password{self._hint()}")
        if any(isinstance(link, TimeoutError) for link in chain):
            return TimedOutError(
                f"{self.where} gave no ONVIF answer within {timeout_s:.0f} s; is it on, is the port right?"
            )
        if any(isinstance(link, ConnectionRefusedError) for link in chain):
            return RefusedError(
                f"{self.where} refuses the connection; is it on, and is the ONVIF port right?"
            )
        if any(isinstance(link, ClientConnectorError) for link in chain):
            return UnreachableError(f"{self.where} cannot be reached; check its address and the cables")
        fault = next((link for link in chain if isinstance(link, Fault)), None)
        if fault is not None and not isinstance(fault, TransportError):
            return NoOnvifError(f"{self.where} cannot say what its streams are; give them under `streams`")
        return NoOnvifError(
            f"{self.where} does not speak ONVIF at this port; switch ONVIF on in its own settings, "
            "or give its addresses under `streams`"
        )

    def _hint(self) -> str:
        if not self._username:
            return "; give `username` and `password`"
        if abs(self._clock_off_s) < CLOCK_OFF_S:
            return "; many cameras want a user of their own for ONVIF: check that there is one"
        return (
            f"; its clock is {abs(self._clock_off_s):.0f} s {'ahead' if self._clock_off_s > 0 else 'behind'},"
            " which may be why: set its time (NTP), then check user name and password"
        )


def _profile(told: Any) -> Profile:
    encoder = getattr(told, "VideoEncoderConfiguration", None)
    resolution = getattr(encoder, "Resolution", None)
    return Profile(
        token=str(told.token),
        codec=str(getattr(encoder, "Encoding", None) or ""),
        width=int(getattr(resolution, "Width", None) or 0),
        height=int(getattr(resolution, "Height", None) or 0),
    )


def _is_refusal(exc: BaseException) -> bool:
    """Whether the error says NotAuthorized (ONVIF Core, 5.11.2.2) or HTTP 401, in one of their ways."""
    from zeep.exceptions import Fault

    if getattr(exc, "status_code", None) in (401, 403) or getattr(exc, "status", None) in (401, 403):
        return True
    if not isinstance(exc, Fault):
        return False
    text = " ".join(str(said) for said in (exc.code, exc.message, *(exc.subcodes or ())) if said)
    return "NotAuthorized" in text or "FailedAuthentication" in text or "not authorized" in text.lower()


def _chain(exc: BaseException | None) -> Iterator[BaseException]:
    """The error, and those that led to it."""
    while exc is not None:
        yield exc
        wrapped = exc.args[0] if exc.args and isinstance(exc.args[0], BaseException) else None
        exc = wrapped or exc.__cause__ or exc.__context__


def _is_nowhere(told: str, host: str) -> bool:
    try:
        address = ipaddress.ip_address(told)
    except ValueError:
        return told == "localhost" and host != "localhost"
    try:
        ours = ipaddress.ip_address(host)
    except ValueError:
        ours = None
    if address.is_unspecified or address.is_multicast or address.is_link_local or address.is_reserved:
        return True
    if address.is_loopback:
        return ours is None or not ours.is_loopback
    return address.is_private and ours is not None and ours.is_global  # behind a router that hides it


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
