"""The rehearsals' site: let in by a key that lies in the server's own data folder.

`camera-hub replay --live` makes it there, at the first rehearsal, while the server is running. Who can write
in that folder owns the server; nobody else gets in by it.
"""

from pathlib import Path

import structlog

from camera_hub.link.handshake import SiteKey
from camera_hub.model import REHEARSAL, REHEARSAL_KEY, HubError
from camera_hub.server.settings import KnownSite

log = structlog.get_logger(__name__)

NAME = "Diễn tập"


def rehearsal_site(data: Path) -> KnownSite | None:
    """The site of the rehearsals of this data folder; None before the first one."""
    path = data / REHEARSAL_KEY
    if not path.is_file():
        return None
    try:
        return KnownSite(REHEARSAL, NAME, SiteKey.load_or_make(path).public_text())
    except HubError as exc:
        log.warning("no rehearsal is let in", error=str(exc))
        return None
