"""What the routes work with, in one place on `app.state.parts`. Made by `app.create_app`."""

import hmac
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from camera_hub.clock import Clock
from camera_hub.live.transcode import Transcodes
from camera_hub.server.attempts import Attempts
from camera_hub.server.broadcast import Updates
from camera_hub.server.passwords import Passwords
from camera_hub.server.sessions import Sessions
from camera_hub.server.settings import ServerSettings
from camera_hub.server.sites_state import SitesState
from camera_hub.server.stills import Stills
from camera_hub.store import Store


@dataclass(frozen=True)
class Parts:
    settings: ServerSettings
    clock: Clock
    store: Store
    state: SitesState
    updates: Updates
    stills: Stills
    sessions: Sessions
    passwords: Passwords
    attempts: Attempts
    transcodes: Transcodes | None = None

    def token_opens_metrics(self, authorization: str | None) -> bool:
        """Whether a request's Authorization header carries the metrics token (RFC 6750)."""
        token = self.settings.metrics_token
        scheme, _, given = (authorization or "").partition(" ")
        if not token or scheme.lower() != "bearer":
            return False
        # Headers come as Latin-1, whatever bytes they are.
        return hmac.compare_digest(given.strip().encode("latin-1"), token.encode())


def parts_of(connection: HTTPConnection) -> Parts:
    """The dependency that gives a route the parts."""
    parts = connection.app.state.parts
    assert isinstance(parts, Parts)
    return parts
