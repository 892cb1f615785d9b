"""Viewers are told of STUN and TURN servers, with credentials that a real coturn takes until they end."""

import asyncio
import shutil
import subprocess
import time
from pathlib import Path

import aioice

from camera_hub.live.ice import IceServers
from tests.support.coturn import SECRET, coturn

NOW_US = 1_780_000_000_500_000


def test_credentials_are_those_of_coturns_scheme() -> None:
    """openssl reckons the same."""
    servers = IceServers(turn=("turn:a",), secret="north", valid_s=3600)
    name, password = servers.credentials("lan", NOW_US)
    assert name == "1780003600:lan"
    if shutil.which("openssl"):
        command = ["openssl", "dgst", "-sha1", "-hmac", "north", "-binary"]
        digest = subprocess.run(command, input=name.encode(), capture_output=True, check=True).stdout
        encoded = subprocess.run(["base64"], input=digest, capture_output=True, check=True).stdout
        assert password == encoded.decode().strip()


def test_the_links_of_headers() -> None:
    servers = IceServers(("stun:a:3478",), ("turn:b?transport=udp", "turns:b"), "north", 60)
    stun, turn, turns = servers.links("lan", NOW_US)
    assert stun == '<stun:a:3478>; rel="ice-server"'
    assert turn.startswith(
        '<turn:b?transport=udp>; rel="ice-server"; username="1780000060:lan"; credential="'
    )
    assert turn.endswith('credential-type="password"')
    assert turns.startswith("<turns:b>")
    assert IceServers().links("lan", NOW_US) == []
    assert "north" not in repr(servers)


async def relayed(port: int, name: str, password: str) -> list[str]:
    """The types of the candidates that a client of the TURN server gets."""
    connection = aioice.Connection(
        ice_controlling=True,
        turn_server=("127.0.0.1", port),
        turn_username=name,
        turn_password=password,
        transport_policy=aioice.TransportPolicy.RELAY,
    )
    try:
        await connection.gather_candidates()
        return [candidate.type for candidate in connection.local_candidates]
    finally:
        await connection.close()


async def test_coturn_takes_them_until_they_end(tmp_path: Path) -> None:
    servers = IceServers(turn=("turn:127.0.0.1",), secret=SECRET, valid_s=60)
    async with coturn(tmp_path) as port:
        for _ in range(50):
            if found := await relayed(port, *servers.credentials("lan", time.time_ns() // 1000)):
                break
            await asyncio.sleep(0.1)
        assert found == ["relay"]
        name, _ = servers.credentials("lan", time.time_ns() // 1000)
        assert await relayed(port, name, "wrong") == []
        assert await relayed(port, *servers.credentials("lan", time.time_ns() // 1000 - 120_000_000)) == []
