"""The API's description without a config or a database: `python -m camera_hub.server.openapi > file`.

The dashboard's types are generated from it.
"""

import json
import sys
from pathlib import Path
from typing import Any

from camera_hub.server.app import openapi
from camera_hub.server.serve import assemble
from camera_hub.server.settings import ServerSettings
from camera_hub.store import Store


def openapi_schema() -> dict[str, Any]:
    """OpenAPI 3.1 of all that the server answers to over HTTP."""
    settings = ServerSettings(data=Path("data"))
    return openapi(assemble(settings, Store(settings.data)).app)


if __name__ == "__main__":
    json.dump(openapi_schema(), sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")
