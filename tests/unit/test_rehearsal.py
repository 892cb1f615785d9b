"""Clips become cameras of a rehearsal; what the hub acknowledged is told once, with its delay."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.config import Config
from camera_hub.link.handshake import SiteKey
from camera_hub.link.messages import Durable, EventNews, EventPicture, Lane, Shed
from camera_hub.link.worker.outgoing import Numbered
from camera_hub.model import REHEARSAL, REHEARSAL_KEY, CameraHealth, CameraState
from camera_hub.rehearsal.cast import MOST, CastError, cast, ids
from camera_hub.rehearsal.told import Told
from camera_hub.server.broadcast import Updates
from camera_hub.server.rehearsal import rehearsal_site
from camera_hub.server.settings import KnownSite
from camera_hub.server.sites_state import SitesState
from camera_hub.store import Store
from tests.support.clocks import HandClock
from tests.support.made_clips import make_clip
from tests.support.server import JPEG, SECOND_US, START_US, event, hello

VALID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    camera = {
        "id": "cong-lang",
        "name": "Cổng làng",
        "streams": {"main": "rtsp://192.0.2.1/main", "sub": "rtsp://192.0.2.1/sub"},
        "username": "admin",
        "password": "mat-khau",
        "motion": {"sensitivity": "high"},
        "zones": [{"name": "Lòng đường", "polygon": [[0, 0.5], [1, 0.5], [0.5, 1]]}],
        "masks": [{"name": "Cây", "polygon": [[0, 0], [0.2, 0], [0.1, 0.2]]}],
    }
    return Config.model_validate(
        {
            "site": {"id": "khe-coc", "name": "Xóm Khe Cốc"},
            "storage": {"path": str(tmp_path / "data")},
            "cameras": [camera],
            "server": {},
        }
    )


def test_a_clips_name_becomes_an_id() -> None:
    found = ids(["Ngõ nhà ông Tư", "Đêm mưa (2)", "ĐÊM_MƯA 2", "日本", "--", "a" * 200])
    assert found == ["ngo-nha-ong-tu", "dem-mua-2", "dem-mua-2-2", "clip", "clip-2", "a" * 56]


@given(st.lists(st.text(), max_size=30))
def test_ids_are_valid_and_no_two_the_same(names: list[str]) -> None:
    found = ids(names)
    assert len(set(found)) == len(names)
    assert all(VALID.fullmatch(id_) and len(id_) <= 63 for id_ in found)


def test_the_rehearsal_is_a_site_of_its_own_in_a_folder_of_its_own(config: Config, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "Ngõ.mp4", seconds=1)
    plan = cast(config, [str(clip)], None, loop=False)
    assert (plan.site.id, plan.site.name) == (REHEARSAL, "Diễn tập")
    assert plan.storage.path == tmp_path / "data" / "rehearsal"
    assert (plan.link.servers, plan.server, plan.users) == ((), None, ())
    (camera,) = plan.cameras
    assert (camera.id, camera.name, camera.stream_names) == ("ngo", "Ngõ", ("main",))
    assert camera.streams is not None
    assert Path(camera.streams.main) == clip
    assert (camera.clip.loop, camera.clip.pace, camera.zones) == (False, "real-time", ())


def test_a_clip_may_take_the_settings_of_a_camera_but_not_its_password(
    config: Config, tmp_path: Path
) -> None:
    (camera,) = cast(config, [str(make_clip(tmp_path / "a.mp4", seconds=1))], "cong-lang", loop=True).cameras
    original = config.cameras[0]
    assert (camera.zones, camera.masks, camera.motion) == (original.zones, original.masks, original.motion)
    assert (camera.username, camera.password, camera.clip.loop) == (None, None, True)


def test_every_clip_that_cannot_be_played_is_named(config: Config, tmp_path: Path) -> None:
    good = make_clip(tmp_path / "good.mp4", seconds=1)
    other = make_clip(tmp_path / "other.avi", codec="mpeg4", seconds=1)
    with pytest.raises(CastError) as caught:
        cast(config, [str(good), str(other), str(tmp_path / "gone.mp4")], None, loop=False)
    said = str(caught.value)
    assert "good.mp4" not in said
    assert "other.avi cannot be a camera as it is (mpeg4)" in said
    assert "gone.mp4 does not exist" in said


def test_a_camera_that_is_not_there_is_named_with_those_that_are(config: Config, tmp_path: Path) -> None:
    with pytest.raises(CastError, match="no camera san; it has: cong-lang"):
        cast(config, [str(make_clip(tmp_path / "a.mp4", seconds=1))], "san", loop=False)


def test_too_many_clips_at_once_are_refused(config: Config, tmp_path: Path) -> None:
    with pytest.raises(CastError, match=f"at most {MOST}"):
        cast(config, [str(tmp_path / f"{number}.mp4") for number in range(MOST + 1)], None, loop=False)


class Waiting:
    """An outbox with these messages."""

    def __init__(self, *messages: Durable) -> None:
        self.messages = messages
        self.acknowledged: list[str] = []

    async def newest(self) -> int:
        return len(self.messages)

    async def unacknowledged(
        self, lane: Lane, after: int, until: int | None, limit: int
    ) -> Sequence[Numbered]:
        return [Numbered(number, message) for number, message in enumerate(self.messages)][:limit]

    def depth(self) -> int:
        return len(self.messages)

    def shed(self) -> Sequence[Shed]:
        return ()

    async def acknowledge(self, ids: Sequence[str]) -> None:
        self.acknowledged += ids


async def test_an_event_is_told_once_with_where_in_the_clip_it_was_and_how_late() -> None:
    said: list[str] = []
    clock = HandClock(START_US + 66_500_000)
    told = Told(clock, said.append)
    began_us = START_US - SECOND_US
    told.cameras([CameraHealth(camera="cong-lang", state=CameraState.ONLINE, since_us=began_us)])
    told.cameras([CameraHealth(camera="cong-lang", state=CameraState.ONLINE, since_us=began_us + 9)])
    first = event(1, start_us=START_US + 65_700_000)
    later = event(1, start_us=first.start_us, revision=2, end_us=first.start_us + 1)
    waiting = Waiting(
        EventNews(id="a", event=first),
        EventPicture("b", first.id, "cong-lang", 0, JPEG),
        EventNews(id="c", event=later),
    )
    heard = told.through(waiting)
    found = await heard.unacknowledged(Lane.EVENT, 0, None, 16)
    assert [message.id for _, message in found] == ["a", "b", "c"]
    await heard.acknowledge(["a", "b"])
    await heard.acknowledge(["c"])
    assert waiting.acknowledged == ["a", "b", "c"]
    assert said == ["01:06  cong-lang  motion  told after 0.8 s"]
    assert told.summary().startswith("1 event told; from the mover's first picture to the hub: 0.8 s")


def test_a_rehearsal_in_which_nothing_moved_says_so() -> None:
    assert Told(HandClock(), lambda _: None).summary().startswith("No event was told")


async def test_the_server_lets_rehearsals_in_from_the_first_one_on(tmp_path: Path) -> None:
    async with Store(tmp_path) as store:
        state = SitesState(store, Updates(), (), HandClock(), lambda: rehearsal_site(tmp_path))
        await state.load()
        assert state.site_key(REHEARSAL) is None
        assert state.sites() == []
        key = SiteKey.load_or_make(tmp_path / REHEARSAL_KEY)
        assert state.site_key(REHEARSAL) == key.public_text()
        assert state.site_key("khe-coc") is None
        await state.site_connected(hello(REHEARSAL))
        await state.site_gone(REHEARSAL)
        again = SitesState(store, Updates(), (), HandClock(), lambda: rehearsal_site(tmp_path))
        await again.load()
        assert [(site.id, site.name, site.connected) for site in again.sites()] == [
            (REHEARSAL, "Diễn tập", False)
        ]


async def test_a_site_that_the_configuration_names_so_keeps_its_own_key(tmp_path: Path) -> None:
    SiteKey.load_or_make(tmp_path / REHEARSAL_KEY)
    async with Store(tmp_path) as store:
        named = KnownSite(REHEARSAL, "Xóm Diễn Tập", "its own key")
        state = SitesState(store, Updates(), (named,), HandClock(), lambda: rehearsal_site(tmp_path))
        assert state.site_key(REHEARSAL) == "its own key"


def test_a_key_that_others_may_read_lets_nobody_in(tmp_path: Path) -> None:
    SiteKey.load_or_make(tmp_path / REHEARSAL_KEY)
    (tmp_path / REHEARSAL_KEY).chmod(0o644)
    assert rehearsal_site(tmp_path) is None
