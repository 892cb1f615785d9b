"""How a worker reaches a server: by TLS, through a proxy where there is one, to the one that it knows.

A server is trusted by one of: the authorities of this machine, those in `ca_file`, or the one certificate
whose SHA-256 is `certificate_sha256` (pinned; then neither its dates nor its names matter). `in_words` says
what went wrong and what to do.
"""

import contextlib
import ipaddress
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidMessage,
    InvalidProxy,
    InvalidProxyStatus,
    InvalidStatus,
    InvalidURI,
    ProxyError,
)
from websockets.proxy import get_proxy, parse_proxy
from websockets.uri import parse_uri

from camera_hub.link.enrolment import certificate_sha256, fingerprint
from camera_hub.link.messages import MAX_MESSAGE_BYTES, LinkError
from camera_hub.model import HubError

OPEN_S = 10.0
FAILURES = (OSError, ConnectionClosed, InvalidHandshake, InvalidURI, InvalidProxy, TimeoutError)
"""What opening and using a connection raises besides HubError."""

_EXPIRED, _NOT_YET_VALID = 10, 9  # X509_V_ERR_*, of OpenSSL


@dataclass(frozen=True)
class Address:
    """A server as a worker dials it. `proxy` None: as the environment says (HTTPS_PROXY, NO_PROXY)."""

    url: str
    ca_file: Path | None = None
    certificate_sha256: str = ""  # hex
    proxy: str | None = field(default=None, repr=False)  # may hold a password

    @property
    def is_here(self) -> bool:
        """On this machine, which no proxy stands before."""
        host = urlsplit(self.url).hostname or ""
        with contextlib.suppress(ValueError):
            return ipaddress.ip_address(host).is_loopback
        return host == "localhost"


class Dialler:
    """Opens connections to one server. Raises HubError when `ca_file` is none."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._tls = _tls_context(address)

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[ClientConnection]:
        """One connection, to the server that is known. Raises LinkError when it shows another certificate."""
        async with self._connect(self._tls) as socket:
            self._check_pin(socket)
            yield socket

    def unchecked(self) -> connect:
        """One to whoever answers: nothing may be told to it before it has proved itself."""
        return self._connect(trusting_nobody())

    def _connect(self, tls: ssl.SSLContext | None) -> connect:
        return connect(
            self.address.url,
            ssl=tls,
            proxy=self._proxy(),
            max_size=MAX_MESSAGE_BYTES,
            compression=None,  # video and JPEG do not shrink
            open_timeout=OPEN_S,
            ping_interval=10,
            ping_timeout=15,
            close_timeout=1,
            user_agent_header=None,
        )

    def _proxy(self) -> str | None:
        if self.address.is_here:
            return None
        return self.address.proxy or get_proxy(parse_uri(self.address.url))

    def _check_pin(self, socket: ClientConnection) -> None:
        pinned = self.address.certificate_sha256
        if not pinned:
            return
        seen = seen_certificate(socket)
        if seen.hex() != pinned.lower():
            raise LinkError(
                f"the certificate of {self.address.url} is not the one that was pinned: it is "
                f"{fingerprint(seen) or 'none'}, pinned is {fingerprint(bytes.fromhex(pinned))}. Where the "
                "server has a new one, make a code on its page of hamlets and run `camera-hub enrol` "
                "again; where nobody changed it, somebody stands between",
                code="certificate-changed",
            )

    def in_words(self, exc: BaseException) -> str:
        """What a failure of this connection means for people."""
        url = self.address.url
        match exc:
            case InvalidProxy() | ProxyError():
                return _proxy_in_words(exc)
            case ssl.SSLCertVerificationError():
                return _untrusted_in_words(exc, url)
            case ConnectionRefusedError():
                said = f"nothing listens at {self._first_hop()}"
            case ssl.SSLError():
                said = f"{url} does not speak TLS as it should ({exc.reason}); is its address http://?"
            case InvalidStatus():
                said = (
                    f"{url} is a web server, but no Camera Hub that can be linked to (status "
                    f"{exc.response.status_code}); check the address, and that the web server passes "
                    "WebSockets on"
                )
            case InvalidMessage():
                said = f"{url} does not answer as a web server does; check the address and its port"
            case TimeoutError():
                said = f"{self._first_hop()} did not answer within {OPEN_S:.0f} s"
            case ConnectionClosed():
                said = "the server closed the connection"
            case _:
                said = f"cannot link to {url}: {exc}"
        return said

    def _first_hop(self) -> str:
        """What is dialled: the server, or the proxy before it; without the proxy's password."""
        proxy = self._proxy()
        if proxy is None:
            return self.address.url
        named = parse_proxy(proxy)
        return f"the proxy {named.host}:{named.port}, on the way to {self.address.url}"


def seen_certificate(socket: ClientConnection) -> bytes:
    """SHA-256 of the certificate that the server showed; empty without TLS."""
    tls: ssl.SSLObject | None = socket.transport.get_extra_info("ssl_object")
    der = None if tls is None else tls.getpeercert(binary_form=True)
    return certificate_sha256(der) if der else b""


def trusting_nobody() -> ssl.SSLContext:
    """For a server whose certificate is checked by other means, once it has been seen."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def by_its_dates(exc: ssl.SSLCertVerificationError) -> bool:
    """Whether a certificate is refused because of the time alone."""
    return exc.verify_code in (_EXPIRED, _NOT_YET_VALID)


def _tls_context(address: Address) -> ssl.SSLContext | None:
    if not address.url.startswith("wss:"):
        return None
    if address.certificate_sha256:
        return trusting_nobody()
    try:
        return ssl.create_default_context(cafile=address.ca_file)
    except (OSError, ssl.SSLError) as exc:
        raise HubError(
            f"{address.ca_file}: not a certificate that can be used to check {address.url} ({exc})"
        ) from exc


def _untrusted_in_words(exc: ssl.SSLCertVerificationError, url: str) -> str:
    said = f"the certificate of {url} is not trusted: {exc.verify_message}"
    if by_its_dates(exc):
        return f"{said}; look at this machine's clock first (timedatectl), then at the certificate's dates"
    return said


def _proxy_in_words(exc: BaseException) -> str:
    remedy = "check link.proxy in the configuration, or HTTPS_PROXY in the environment"
    if isinstance(exc, InvalidProxyStatus):
        status = exc.response.status_code
        if status == 407:
            return (
                "the proxy asks for a user name and a password (status 407); write them into link.proxy: "
                "http://${PROXY_USER}:${PROXY_PASSWORD}@HOST:PORT"
            )
        return f"the proxy refuses to connect us (status {status}); have it let us through, or {remedy}"
    cause = exc.__cause__
    return f"the proxy cannot be used ({cause or type(exc).__name__}); {remedy}"
