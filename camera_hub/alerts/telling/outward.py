"""HTTP to addresses that people give us, without a way into the own network.

A name is resolved once, every address it has must be a public one, and the connection goes to the address
that was looked at: a name that changes in between (DNS rebinding) leads nowhere else. Redirects are not
followed. What is answered is read up to a bound.

Where a proxy stands on the way, it looks up the names; what we can see to be an address of the own network is
refused all the same.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple
from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass

import httpx

from camera_hub.alerts.telling.message import NotDeliveredError

CONNECT_S = 5.0
WHOLE_S = 15.0
MAX_ANSWER_BYTES = 4096


class Answer(NamedTuple):
    status: int
    text: str  # its beginning
    retry_after_s: float


async def post(
    url: str, body: bytes, headers: Mapping[str, str], *, inside: bool = False, proxy: str | None = None
) -> Answer:
    """Sends the body. `inside` lets the address be one of the own network or machine, and goes there
    directly; all others go through `proxy`, or the environment's, where there is one.

    Raises NotDeliveredError in words when no answer came.
    """
    way = await _way(url, headers, inside=inside, proxy=proxy)
    try:
        async with (
            asyncio.timeout(WHOLE_S),
            httpx.AsyncClient(
                verify=_tls(),
                timeout=httpx.Timeout(WHOLE_S, connect=CONNECT_S),
                follow_redirects=False,
                trust_env=False,
                proxy=way.proxy,
            ) as client,
        ):
            request = client.build_request(
                "POST", way.target, content=body, headers=way.headers, extensions={"sni_hostname": way.host}
            )
            answer = await client.send(request, stream=True)
            try:
                return Answer(answer.status_code, await _beginning(answer), _retry_after_s(answer))
            finally:
                await answer.aclose()
    except (TimeoutError, httpx.TimeoutException):
        raise NotDeliveredError(f"{way.host} did not answer within {WHOLE_S:.0f} s") from None
    except httpx.ProxyError as exc:
        raise NotDeliveredError(f"the proxy on the way to {way.host} did not let us through ({exc})") from exc
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        via = " by way of the proxy" if way.proxy else ""
        said = str(exc) or type(exc).__name__
        raise NotDeliveredError(f"{way.host} could not be reached{via} ({said})") from exc


class _Way(NamedTuple):
    host: str
    target: httpx.URL
    headers: dict[str, str]
    proxy: str | None


async def _way(url: str, headers: Mapping[str, str], *, inside: bool, proxy: str | None) -> _Way:
    """To the one address that was looked at; or to the proxy, which looks up the name itself."""
    try:
        parts = urlsplit(url)
        host, given_port = parts.hostname or "", parts.port
        target = httpx.URL(url)
    except (ValueError, httpx.InvalidURL):
        host, given_port, target = "", None, httpx.URL()
    if target.scheme not in ("http", "https") or not host or "%" in host:
        raise NotDeliveredError("the address is no web address; it begins with https://", again=False)
    port = given_port or (443 if target.scheme == "https" else 80)
    # Whoever asked for no compression is not sent a little that becomes very much.
    sending = {**headers, "Accept-Encoding": "identity"}
    proxy = None if inside else proxy or _environments_proxy(target.scheme, host)
    if proxy is not None:
        await _refuse_inside(host, port)
        return _Way(host, target, sending, proxy)
    address = await _address(host, port, inside=inside)
    literal, named = (f"[{one}]" if ":" in one else one for one in (address, host))
    sending["Host"] = f"{named}:{given_port}" if given_port else named
    return _Way(host, target.copy_with(host=literal, port=port), sending, None)


def _environments_proxy(scheme: str, host: str) -> str | None:
    """HTTPS_PROXY and HTTP_PROXY, but for what NO_PROXY names."""
    proxy = getproxies_environment().get(scheme)
    if not proxy or proxy_bypass(host):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


async def _refuse_inside(host: str, port: int) -> None:
    """Raises NotDeliveredError for an address or name that we see to lead into the own network. A name that
    we do not know at all may be one that the proxy knows; whom that lets in is the proxy's to say.
    """
    for address in await _found(host, port):
        _check_public(host, address)


@cache
def _tls() -> ssl.SSLContext:
    """Made once: reading all authorities takes 20 ms, in which the server does nothing else."""
    return httpx.create_ssl_context(trust_env=False)


async def _address(host: str, port: int, *, inside: bool) -> str:
    addresses = await _found(host, port)
    if not addresses:
        raise NotDeliveredError(f"the name {host} is not known; is it spelt right?")
    if not inside:
        for address in addresses:
            _check_public(host, address)
    return addresses[0]


async def _found(host: str, port: int) -> list[str]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        return []
    return [str(one[4][0]) for one in found]


def _check_public(host: str, address: str) -> None:
    if not is_public(address):
        raise NotDeliveredError(
            f"{host} is {address}, an address of the own network; an administrator can allow that "
            "for this channel",
            again=False,
        )


def is_public(address: str) -> bool:
    """Whether an IP address is one of the internet's."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is not None:
            return is_public(str(inner))
        if ip in ipaddress.ip_network("64:ff9b::/96"):
            return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
    return ip.is_global and not ip.is_multicast


async def _beginning(answer: httpx.Response) -> str:
    data = b""
    async for chunk in answer.aiter_raw():
        data += chunk
        if len(data) >= MAX_ANSWER_BYTES:
            break
    return data[:MAX_ANSWER_BYTES].decode(errors="replace")


def _retry_after_s(answer: httpx.Response) -> float:
    text = answer.headers.get("retry-after", "")
    return min(float(text), 86_400.0) if text.isascii() and text.isdigit() else 0.0
