"""Judged events become labelled clips that the replay lab takes as they are."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from camera_hub import cli
from camera_hub.cameras.clip import ClipSource
from camera_hub.model import EventKind, Verdict
from camera_hub.recording import Catalogue, Recorder
from camera_hub.replay.labels import read_labels
from camera_hub.store import Store, UserRecord
from tests.support import recorded
from tests.support.clocks import HandClock
from tests.support.hub import server_section, write_config
from tests.support.lane import make_lane
from tests.support.server import SECOND_US, SITE, START_US, event, ulid

AN = UserRecord("an", "Bác An", "police", "hash")
CROSSING = (16.0, 19.5)
LENGTH_S = 36.0

Run = Callable[..., Awaitable[tuple[int, str]]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """`camera-hub` with arguments: its exit code and what it said."""

    async def command(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["camera-hub", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as caught:
            await asyncio.to_thread(cli.main)  # it has a loop of its own
        said = capfd.readouterr()
        return int(str(caught.value.code)), said.out + said.err

    return command


@pytest.fixture(scope="module")
def lane(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_lane(tmp_path_factory.mktemp("clip") / "lane.mp4", seconds=LENGTH_S, crossings=(CROSSING,))


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A clip as a site sends it: two seconds around what moved."""
    return make_lane(
        tmp_path_factory.mktemp("clip") / "short.mp4", seconds=8, crossings=((2, 6),)
    ).read_bytes()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_config(tmp_path / "hub.yaml", server=server_section())


@pytest.fixture
def data(config: Path) -> Path:
    return config.parent / "data-hub"


def at(seconds: float) -> int:
    return START_US + round(seconds * SECOND_US)


async def put(
    store: Store,
    number: int,
    span: tuple[float, float | None],
    verdict: Verdict | None,
    clip: bytes | None = None,
    **more: Any,
) -> None:
    start_s, end_s = span
    told = event(number, start_us=at(start_s), end_us=None if end_s is None else at(end_s), **more)
    site = SITE
    await store.deliver_event(site, f"m{number}", told)
    if clip is not None:
        length_us = recorded.length_us(clip)
        await store.deliver_clip(
            site, f"c{number}", told.id, told.camera, told.start_us - 2 * SECOND_US, length_us, clip
        )
    if verdict is not None:
        await store.judge(told.id, verdict, "con chó nhà ông Tư", AN)


def record(data: Path, lane: Path) -> None:
    """The lane, recorded from START_US on, as its worker does it."""
    folder = data / "recordings"
    catalogue = Catalogue(folder / "catalogue.db")
    recorder = Recorder(folder, catalogue, "cong-lang", "main", 10, HandClock(START_US), lambda _: None)
    source = ClipSource(lane, pace="full-speed", start_wall_us=START_US)
    recorder.start(source.open())
    for packet in source.packets():
        recorder.write(packet)
    source.close()
    recorder.close()
    catalogue.close()


def written(folder: Path) -> dict[str, dict[str, Any]]:
    """Event → its labels; each has its clip beside it."""
    found = {}
    for file in folder.glob("*.events.json"):
        told = json.loads(file.read_text())
        assert (folder / told["clip"]).is_file()
        assert file.name.removesuffix(".events.json") == told["clip"].removesuffix(".mp4")
        found[told["event"]] = told
    assert len(list(folder.iterdir())) == 2 * len(found)
    return found


async def test_an_events_own_clip_is_labelled_by_its_verdict(
    config: Path, data: Path, tmp_path: Path, short: bytes, run: Run
) -> None:
    async with Store(data) as store:
        await put(store, 1, (100, 104), Verdict.REAL, short)
        await put(store, 2, (200, 204), Verdict.FALSE, short)
        await put(store, 3, (300, 304), Verdict.REAL)
        await put(store, 4, (400, None), Verdict.REAL, short)
        await put(store, 5, (500, 504), None, short)
        await put(store, 6, (103, 110), None)
        await put(store, 7, (100, 104), None, camera="nha-van-hoa")
    code, said = await run("labels", "export", config, "--out", tmp_path / "out")
    assert code == 0, said
    assert "2 events exported: 1 real, 1 false; 1 without clip, 1 still going on." in said
    assert f"{ulid(3)}: has no clip" in said
    found = written(tmp_path / "out")
    assert set(found) == {ulid(1), ulid(2)}
    real, false = found[ulid(1)], found[ulid(2)]
    assert real["events"] == [{"start_s": 2.0, "end_s": 6.0, "what": "mover"}]
    assert real["maybe"] == [{"start_s": 5.0, "end_s": 8.0}]
    assert (false["events"], false["maybe"], false["verdict"]) == ([], [], "false")
    assert (real["camera"], real["conditions"]) == ("khe-coc.cong-lang", [])
    assert datetime.fromisoformat(real["start"]) == datetime.fromtimestamp(at(98) // SECOND_US, UTC)
    for file in (tmp_path / "out").glob("*.events.json"):
        read_labels(file)


async def test_names_and_notes_stay_here_unless_they_are_asked_for(
    config: Path, data: Path, tmp_path: Path, short: bytes, run: Run
) -> None:
    async with Store(data) as store:
        await put(store, 1, (100, 104), Verdict.REAL, short)
    await run("labels", "export", config, "--out", tmp_path / "out")
    (file,) = (tmp_path / "out").glob("*.json")
    assert "An" not in file.read_text()
    assert "ông Tư" not in file.read_text()
    await run("labels", "export", config, "--out", tmp_path / "named", "--with-names")
    (told,) = written(tmp_path / "named").values()
    assert (told["by"], told["note"]) == ("Bác An", "con chó nhà ông Tư")


async def test_what_lies_there_is_never_written_over(
    config: Path, data: Path, tmp_path: Path, short: bytes, run: Run
) -> None:
    out = tmp_path / "out"
    async with Store(data) as store:
        await put(store, 1, (100, 104), Verdict.REAL, short)
        await run("labels", "export", config, "--out", out)
        before = {path: path.read_bytes() for path in out.iterdir()}
        code, said = await run("labels", "export", config, "--out", out)
        assert (code, "1 event exported: 1 real, 0 false; 0 without clip." in said) == (0, True)
        await store.judge(ulid(1), Verdict.FALSE, "", AN)
    code, said = await run("labels", "export", config, "--out", out)
    assert (code, "says otherwise" in said, "1 left as they were" in said) == (0, True, True)
    assert {path: path.read_bytes() for path in out.iterdir()} == before


async def test_a_verdict_that_was_taken_back_is_no_label(
    config: Path, data: Path, tmp_path: Path, short: bytes, run: Run
) -> None:
    async with Store(data) as store:
        await put(store, 1, (100, 104), Verdict.REAL, short)
        await store.judge(ulid(1), None, "", AN)
    code, said = await run("labels", "export", config, "--out", tmp_path / "out")
    assert (code, "0 events exported" in said) == (0, True)
    assert not (tmp_path / "out").exists()


async def test_days_and_cameras_can_be_chosen(
    config: Path, data: Path, tmp_path: Path, short: bytes, run: Run
) -> None:
    """START_US is 03:26:40 of 29 May in Vietnam, still the 28th in UTC."""
    day_s = 86_400
    async with Store(data) as store:
        await put(store, 1, (-day_s, 4 - day_s), Verdict.REAL, short)
        await put(store, 2, (0, 4), Verdict.REAL, short)
        await put(store, 3, (day_s, day_s + 4), Verdict.REAL, short)
        await put(store, 4, (0, 4), Verdict.REAL, short, camera="nha-van-hoa")

    async def exported(name: str, *options: str) -> set[str]:
        code, said = await run("labels", "export", config, "--out", tmp_path / name, *options)
        assert code == 0, said
        return set(written(tmp_path / name))

    only = ("--camera", "khe-coc.cong-lang")
    assert await exported("day", "--since", "2026-05-29", "--until", "2026-05-29", *only) == {ulid(2)}
    assert await exported("since", "--since", "2026-05-29T03:27", *only) == {ulid(3)}
    assert await exported("until", "--until", "2026-05-28", *only) == {ulid(1)}
    assert await exported("other", "--camera", "nha-van-hoa") == {ulid(4)}
    code, said = await run("labels", "export", config, "--out", tmp_path / "x", "--since", "hôm qua")
    assert (code, "write it like 2026-11-25" in said) == (2, True)


async def test_where_the_recordings_are_the_clip_has_what_was_before_and_after(
    config: Path, data: Path, tmp_path: Path, lane: Path, short: bytes, run: Run
) -> None:
    record(data, lane)
    out = tmp_path / "out"
    async with Store(data) as store:
        await put(store, 1, CROSSING, Verdict.REAL, short)
        await put(store, 2, (500, 504), Verdict.FALSE, short)  # its recording has gone
    await run("labels", "export", config, "--out", out)
    found = written(out)
    assert found[ulid(1)]["events"] == [{"start_s": 10.0, "end_s": 13.5, "what": "mover"}]
    assert found[ulid(1)]["duration_s"] == pytest.approx(23.5, abs=0.2)
    assert found[ulid(2)]["duration_s"] == 8
    before = {path: path.read_bytes() for path in out.iterdir()}
    for segment in (data / "recordings").rglob("*.mp4"):
        segment.unlink()
    _, said = await run("labels", "export", config, "--out", out)
    assert "2 events exported" in said, said
    assert {path: path.read_bytes() for path in out.iterdir()} == before


async def test_the_lab_takes_the_clips_as_they_are_and_finds_what_was_real(
    config: Path, data: Path, tmp_path: Path, lane: Path, run: Run
) -> None:
    record(data, lane)
    out = tmp_path / "out"
    async with Store(data) as store:
        await put(store, 1, CROSSING, Verdict.REAL)
        await put(store, 2, (25, 26), Verdict.FALSE)  # nothing moves there
    await run("labels", "export", config, "--out", out)
    code, said = await run("replay", out, "--json", tmp_path / "result.json", "--jobs", 1)
    assert code == 0, said
    total = json.loads((tmp_path / "result.json").read_text())["total"]
    assert (total["score"]["found"], total["score"]["missed"], total["score"]["false"]) == (2, 0, 0), total


async def test_a_covered_camera_is_labelled_as_that(
    config: Path, data: Path, tmp_path: Path, short: bytes, run: Run
) -> None:
    async with Store(data) as store:
        await put(store, 1, (100, 104), Verdict.REAL, short, kind=EventKind.TAMPER)
    await run("labels", "export", config, "--out", tmp_path / "out")
    (told,) = written(tmp_path / "out").values()
    assert (told["events"], told["tamper"]) == ([], [{"start_s": 2.0, "end_s": 6.0}])


async def test_a_clip_of_another_time_labels_nothing(
    config: Path, data: Path, tmp_path: Path, short: bytes, run: Run
) -> None:
    async with Store(data) as store:
        await put(store, 1, (100, 104), Verdict.REAL, short)
        early = msgspec.structs.replace(event(1, revision=2), start_us=at(50), end_us=at(54))
        await store.deliver_event(SITE, "late", early)
    _, said = await run("labels", "export", config, "--out", tmp_path / "out")
    assert "1 without clip" in said


async def test_a_folder_without_a_server_is_named(config: Path, data: Path, tmp_path: Path, run: Run) -> None:
    code, said = await run("labels", "export", config, "--out", tmp_path / "out")
    assert (code, "holds no server's data" in said) == (1, True)
    assert not data.exists()


async def test_a_folder_that_cannot_be_written_is_named(
    config: Path, data: Path, tmp_path: Path, short: bytes, run: Run
) -> None:
    async with Store(data) as store:
        await put(store, 1, (100, 104), Verdict.REAL, short)
    (tmp_path / "out").write_text("a file")
    code, said = await run("labels", "export", config, "--out", tmp_path / "out")
    assert (code, "choose another folder with --out" in said) == (1, True)
    assert "Traceback" not in said
