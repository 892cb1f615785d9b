"""STUN and TURN servers as a viewer is told of them, with credentials that hold for a while. No I/O.

The credentials are those of coturn's `use-auth-secret` (draft-uberti-behave-turn-rest): the user name is
when they end and whose they are, the password its HMAC-SHA1 with the shared secret. Nobody keeps them.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass


@dataclass(frozen=True)
class IceServers:
    """What the configuration says of them. Without any, a viewer's browser asks nobody."""

    stun: tuple[str, ...] = ()
    turn: tuple[str, ...] = ()
    secret: str = ""
    valid_s: int = 14_400

    def links(self, user: str, now_us: int) -> list[str]:
        """The values of `Link` headers (WHEP, "STUN/TURN server configuration") for a user."""
        name, password = self.credentials(user, now_us)
        found = [f'<{url}>; rel="ice-server"' for url in self.stun]
        found += [
            f'<{url}>; rel="ice-server"; username="{name}"; credential="{password}"; '
            'credential-type="password"'
            for url in self.turn
        ]
        return found

    def credentials(self, user: str, now_us: int) -> tuple[str, str]:
        """User name and password for TURN, from now on for `valid_s`."""
        name = f"{now_us // 1_000_000 + self.valid_s}:{user}"
        digest = hmac.digest(self.secret.encode(), name.encode(), hashlib.sha1)
        return name, base64.b64encode(digest).decode()

    def __repr__(self) -> str:
        return f"IceServers(stun={self.stun}, turn={self.turn})"
