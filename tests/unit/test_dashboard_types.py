"""The dashboard's API types are the server's: the description that they come from is the app's own."""

import json

from camera_hub.server.openapi import openapi_schema
from tests.support import needs

FILE = needs.ROOT / "dashboards" / "web" / "openapi.json"


def test_the_dashboards_api_description_is_the_servers() -> None:
    written = json.loads(FILE.read_text())
    assert written == json.loads(json.dumps(openapi_schema())), (
        "the API changed: run `python -m camera_hub.server.openapi > dashboards/web/openapi.json`, "
        "then `npm run check` in dashboards/web"
    )
