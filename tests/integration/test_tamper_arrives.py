"""A camera that is turned away: from its packets to the event that people are shown, through the real hub."""

from datetime import datetime
from pathlib import Path

import pytest

from tests.support import needs
from tests.support.hub import command, server_section, signed_in, users, write_config
from tests.support.waiting import until_blocking


def test_a_turned_camera_is_an_event_that_says_so(tmp_path: Path) -> None:
    camera = {
        "id": "vuon",
        "name": "Vườn",
        "streams": {"main": str(needs.clips() / "turned-foliage.mp4")},
        "clip": {"loop": False, "pace": "full-speed"},
    }
    server = server_section()
    config = write_config(tmp_path / "hub.yaml", cameras=[camera], server=server, users=users())
    with (
        command("run", str(config), log=tmp_path / "log"),
        signed_in(int(str(server["port"]))) as browser,
    ):
        # The picture comes after the event that it is of.
        until_blocking(lambda: any(e["end"] and e["snapshot"] for e in browser.events(kind="tamper")), 40)
        (event,) = browser.events(kind="tamper")
        assert (event["cause"], event["zones"]) == ("turned", [])
        # To the end of the clip, from where the camera starts to turn at 12.9 s.
        lasted = datetime.fromisoformat(event["end"]) - datetime.fromisoformat(event["start"])
        assert lasted.total_seconds() == pytest.approx(5.4, abs=1.5)
        picture = browser.http.get(f"/api/events/{event['id']}/snapshot.jpg")
        assert picture.content.startswith(b"\xff\xd8")
