"""HTTP to addresses that people give us, without a way into the own network.

A name is resolved once, every address it has must be a public one, and the connection goes to the address
that was looked at: a name that changes in between (DNS rebinding) leads nowhere else. Redirects are not
followed. What is answered is read up to a bound.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx

from camera_hub.alerts.telling.message import NotDeliveredError

CONNECT_S = 5.0
WHOLE_S = 15.0
MAX_ANSWER_BYTES = 4096


class Answer(NamedTuple):
    status: int
    text: str  # its beginning
    retry_after_s: float


async def post(url: str, body: bytes, headers: Mapping[str, str], *, inside: bool = False) -> Answer:
    """Sends the body. `inside` lets the address be one of the own network or machine.

    Raises NotDeliveredError in words when no answer came.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host:
        raise NotDeliveredError("the address is no web address; it begins with https://", again=False)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address = await _address(host, port, inside=inside)
    literal = f"[{address}]" if ":" in address else address
    target = httpx.URL(url).copy_with(host=literal, port=port)
    named = f"{host}:{parts.port}" if parts.port else host
    sending = {**headers, "Host": named}
    try:
        async with (
            asyncio.timeout(WHOLE_S),
            httpx.AsyncClient(
                verify=_tls(),
                timeout=httpx.Timeout(WHOLE_S, connect=CONNECT_S),
                follow_redirects=False,
                trust_env=False,
            ) as client,
        ):
            request = client.build_request(
                "POST", target, content=body, headers=sending, extensions={"sni_hostname": host}
            )
            answer = await client.send(request, stream=True)
            try:
                return Answer(answer.status_code, await _beginning(answer), _retry_after_s(answer))
            finally:
                await answer.aclose()
    except (TimeoutError, httpx.TimeoutException):
        raise NotDeliveredError(f"{host} did not answer within {WHOLE_S:.0f} s") from None
    except httpx.HTTPError as exc:
        raise NotDeliveredError(f"{host} could not be reached ({str(exc) or type(exc).__name__})") from exc


@cache
def _tls() -> ssl.SSLContext:
    """Made once: reading all authorities takes 20 ms, in which the server does nothing else."""
    return httpx.create_ssl_context(trust_env=False)


async def _address(host: str, port: int, *, inside: bool) -> str:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as exc:
        raise NotDeliveredError(f"the name {host} is not known; is it spelt right?") from exc
    addresses = [str(one[4][0]) for one in found]
    if not inside:
        for address in addresses:
            if not is_public(address):
                raise NotDeliveredError(
                    f"{host} is {address}, an address of the own network; an administrator can allow that "
                    "for this channel",
                    again=False,
                )
    return addresses[0]


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
    async for chunk in answer.aiter_bytes():
        data += chunk
        if len(data) >= MAX_ANSWER_BYTES:
            break
    return data[:MAX_ANSWER_BYTES].decode(errors="replace")


def _retry_after_s(answer: httpx.Response) -> float:
    text = answer.headers.get("retry-after", "")
    return min(float(text), 86_400.0) if text.isascii() and text.isdigit() else 0.0
