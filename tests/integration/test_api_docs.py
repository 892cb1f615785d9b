"""docs/api.md says what the server does: its routes with their rights, and its numbers."""

import re
from pathlib import Path

from camera_hub.link.messages import Health
from camera_hub.model import CameraHealth, CameraState
from camera_hub.server.rights import RIGHTS, Right, rights_by_path
from camera_hub.server.serve import assemble
from camera_hub.server.settings import ServerSettings
from camera_hub.store import Store
from tests.support.needs import ROOT
from tests.support.server import SITE, START_US, hello, running_app

GUIDE = (ROOT / "docs" / "api.md").read_text()


def test_every_route_is_listed_with_its_right(tmp_path: Path) -> None:
    app = assemble(ServerSettings(tmp_path), Store(tmp_path)).app
    real = {
        f"{method} {path}": right.value
        for (path, method), rights in rights_by_path(app).items()
        for right in rights
        if path != "/{path:page}"
    }
    listed = dict(re.findall(r"^\| `([A-Z]+ /[^`]*)` \| (\w+) \|", GUIDE, re.MULTILINE))
    assert listed == real


def test_the_roles_are_as_told() -> None:
    common = {Right.ACCOUNT, Right.LIVE, Right.EVENTS, Right.ALERTS, Right.SITES}
    police = common | {Right.VERDICTS, Right.DUTY, Right.RULES}
    told = " ".join(GUIDE.split())
    assert "all have *account*, *live*, *events*, *alerts* and *sites*" in told
    assert "; `police` and `admin` have *verdicts*, *duty* and *rules* too" in told
    assert "and `admin` has *channels*, *enrol*, *configure* and *metrics*." in told
    assert {role.value: set(rights) for role, rights in RIGHTS.items()} == {
        "viewer": common,
        "police": police,
        "admin": police | {Right.CHANNELS, Right.ENROL, Right.CONFIGURE, Right.METRICS},
    }


async def test_every_number_is_listed(tmp_path: Path) -> None:
    async with running_app(tmp_path) as server:
        await server.state.site_connected(hello())
        online = CameraHealth(camera="cong-lang", state=CameraState.ONLINE, since_us=START_US)
        await server.state.health(
            SITE,
            Health(
                at_us=START_US,
                cameras=(online,),
                outbox_depth=0,
                disk_free_bytes=1,
                disk_total_bytes=1,
                recorded_bytes=1,
            ),
        )
        await server.sign_in()
        text = (await server.client.get("/metrics")).text
    kinds = dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE))
    real = {name for name in kinds if not name.startswith("camera_hub_process_")}
    listed = set(re.findall(r"^\| `(camera_hub_\w+)` \|", GUIDE, re.MULTILINE)) - {"camera_hub_process_"}
    assert listed == real
