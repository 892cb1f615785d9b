"""Enrols this worker at a server by a one-time code: what `camera-hub enrol` does.

The protocol is `link.enrolment`'s; this is its way over the wire, and what is kept of it afterwards. The key
of each enrolment is its own, so that revoking it at one server says nothing about another.
"""

import asyncio
import re
import ssl
from dataclasses import dataclass
from pathlib import Path

from websockets.asyncio.client import ClientConnection

from camera_hub import __version__
from camera_hub.clock import SYSTEM_CLOCK, Clock
from camera_hub.config import Config
from camera_hub.ingest.enrolled import EnrolledServer, EnrolledServers
from camera_hub.link import enrolment
from camera_hub.link.enrolment import Code, Seen
from camera_hub.link.handshake import SiteKey
from camera_hub.link.messages import Challenge, Enrolled, LinkError, Refused, decode_from_server, encode
from camera_hub.link.worker.dialling import FAILURES, Address, Dialler, by_its_dates, seen_certificate
from camera_hub.model import HubError

ANSWER_S = 20.0
NAME = re.compile(r"(?=.{1,63}\Z)[a-z0-9]+(-[a-z0-9]+)*")
CLOCK_APART_US = 60_000_000


@dataclass(frozen=True)
class Done:
    """What came of it, for the person at the terminal."""

    server: EnrolledServer
    encrypted: bool
    clock_apart_s: int  # this machine's less the server's; 0 when they agree within a minute


async def enrol(
    config: Config,
    url: str,
    code_text: str,
    *,
    name: str | None = None,
    ca_file: Path | None = None,
    clock: Clock = SYSTEM_CLOCK,
) -> Done:
    """Enrols at the server at `url`, in place of an older enrolment there. Raises HubError in words.

    `name` is ours for the server, else it is the server's own. `ca_file` is its authority's certificate.
    """
    code, url = Code(code_text), enrolment.link_url(url)
    servers = EnrolledServers(config.storage.path)
    key, key_path = servers.key_for_code(code.record.public)
    address = Address(url, ca_file, proxy=config.link.proxy_url())
    answer, seen = await _ask(address, code, key, config)
    server = EnrolledServer(
        name=name or answer.server,
        url=url,
        site=config.site.id,
        key=key_path.name,
        certificate_sha256="" if seen.trusted else seen.certificate.hex(),
        ca_file=f"{key_path.stem}.pem" if ca_file is not None and seen.trusted else "",
        enrolled_us=clock.wall_us(),
    )
    _check_name(server, config, servers)
    await asyncio.to_thread(servers.add, server, ca_file)
    apart_us = clock.wall_us() - answer.server_time_us
    apart_s = round(apart_us / 1e6) if abs(apart_us) > CLOCK_APART_US else 0
    return Done(server, encrypted=bool(seen.certificate), clock_apart_s=apart_s)


def _check_name(server: EnrolledServer, config: Config, servers: EnrolledServers) -> None:
    # It becomes a file's name, and comes from the server or the terminal.
    if not NAME.fullmatch(server.name):
        raise HubError(
            f"{server.name!r} cannot be our name for a server; enter the same command with --name NAME, of "
            "small letters, digits and hyphens"
        )
    if any(one.name == server.name for one in config.link.servers):
        raise HubError(
            f"the configuration names a server {server.name!r} already, under link.servers; take it out "
            "there, or give this one another name: enter the same command with --name NAME"
        )
    before = next((one for one in servers.all() if one.name == server.name), None)
    if before is not None and before.url != server.url:
        raise HubError(
            f"this worker is enrolled at a server {server.name!r} already, at {before.url}. Where it is "
            "another one, enter the same command with --name NAME; where it has moved, first: camera-hub "
            f"servers CONFIG --forget {server.name}"
        )


async def _ask(address: Address, code: Code, key: SiteKey, config: Config) -> tuple[Enrolled, Seen]:
    """By the authorities' judgement first; where they know nothing of the server, the code vouches for it."""
    dialler = Dialler(address)
    try:
        try:
            async with dialler.connection() as socket, asyncio.timeout(ANSWER_S):
                return await _shake_hands(socket, code, key, config, trusted=True)
        except ssl.SSLCertVerificationError as exc:
            if by_its_dates(exc) or address.ca_file is not None:
                raise
        async with dialler.unchecked() as socket, asyncio.timeout(ANSWER_S):
            return await _shake_hands(socket, code, key, config, trusted=False)
    except FAILURES as exc:
        raise LinkError(dialler.in_words(exc)) from exc


async def _shake_hands(
    socket: ClientConnection, code: Code, key: SiteKey, config: Config, *, trusted: bool
) -> tuple[Enrolled, Seen]:
    asked = decode_from_server(await _received(socket))
    if not isinstance(asked, Challenge):
        raise LinkError("what answers there is no Camera Hub server; check the address")
    seen = Seen(seen_certificate(socket), trusted)
    told = enrolment.enrol(asked, code, key, config.site.id, config.site.name, __version__, seen)
    await socket.send(encode(told))
    answer = decode_from_server(await _received(socket))
    if isinstance(answer, Refused):
        raise LinkError(f"the server refused: {answer.reason}", code=answer.code)
    if not isinstance(answer, Enrolled):
        raise LinkError(f"the server answered with a {type(answer).__name__}; is it a Camera Hub server?")
    enrolment.check_enrolled(asked, told, answer, code)
    return answer, seen


async def _received(socket: ClientConnection) -> bytes:
    data = await socket.recv()
    if isinstance(data, str):
        raise LinkError("what answers there is no Camera Hub server; check the address")
    return data
