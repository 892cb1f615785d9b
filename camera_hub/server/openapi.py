"""The API's description without a config or a database: `python -m camera_hub.server.openapi > file`.

The dashboard's types are generated from it.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastapi import APIRouter

from camera_hub.link.messages import Still
from camera_hub.server.app import create_app, openapi
from camera_hub.server.broadcast import Updates
from camera_hub.server.settings import ServerSettings
from camera_hub.server.sites_state import SitesState
from camera_hub.store import Store


class _NobodyLinked:
    def connected(self, site: str) -> bool:
        return False

    async def still(self, site: str, camera: str, height: int | None) -> Still:
        return Still(request=0, jpeg=None, at_us=0, error="the site is not connected")


def openapi_schema(routers: Sequence[APIRouter] = ()) -> dict[str, Any]:
    """OpenAPI 3.1, with the routes of `routers` beside the server's own."""
    settings = ServerSettings(data=Path("data"))
    store, updates = Store(settings.data), Updates()
    app = create_app(settings, store, SitesState(store, updates), updates, _NobodyLinked(), routers=routers)
    return openapi(app)


if __name__ == "__main__":
    json.dump(openapi_schema(), sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")
