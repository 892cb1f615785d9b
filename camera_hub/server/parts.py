"""What the routes work with, in one place on `app.state.parts`. Made by `app.create_app`."""

import hmac
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from camera_hub.alerts.engine import Neighbours
from camera_hub.alerts.telling.push import PushKey
from camera_hub.alerts.times import Calendar
from camera_hub.clock import Clock
from camera_hub.live.transcode import Transcodes
from camera_hub.server.alert_desk import AlertDesk
from camera_hub.server.alert_messages import Messages
from camera_hub.server.attempts import Attempts
from camera_hub.server.broadcast import Updates
from camera_hub.server.channels import Channels
from camera_hub.server.deliverer import Deliverer
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
    desk: AlertDesk
    channels: Channels
    messages: Messages
    deliverer: Deliverer
    push_key: PushKey
    calendar: Calendar
    neighbours: Neighbours
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
