"""`camera-hub replay`, as a tester and as a CI job call it: what is printed, written, and left with."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from camera_hub import cli
from tests.support.walker_clips import encode, walker

Replay = Callable[..., int]

SPEC_CLIP = ["clip", "duration_s", "fps", "frames", "frames_decoded", "wall_s", "cpu_s", "events", "score"]
SPEC_EVENT = ["start_s", "end_s", "kind", "score", "zones", "track"]
MEASURES = ["found", "missed", "false", "precision", "recall", "f1", "false_per_hour", "quiet_reported"]
MORE = ["delay_median_s", "delay_p95_s", "decoded_share", "tamper_found", "tamper_missed", "tamper_false"]

CONFIG = """
site: {id: thu, name: Thử}
storage: {path: data}
cameras:
  - id: ngo
    name: Ngõ
    streams: {main: rtsp://127.0.0.1/ngo}
    zones: [{name: Lòng đường, polygon: [[0, 0.5], [1, 0.5], [1, 1], [0, 1]]}]
    lines: [{name: Cổng, points: [[0.5, 1], [0.5, 0]], right_is: ra}]
  - id: che
    name: Che
    streams: {main: rtsp://127.0.0.1/che}
    masks: [{name: Cả, polygon: [[0, 0], [1, 0], [1, 1], [0, 1]]}]
link: {servers: [{name: xa, url: "ws://127.0.0.1:8787/api/link"}]}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips: `walk` with right labels, `night/none` with labels of nothing, `bare` without."""
    folder = tmp_path_factory.mktemp("clips")
    (folder / "night").mkdir()
    encode(folder / "walk.mp4", walker())
    encode(folder / "night" / "none.mp4", walker(8, []))
    encode(folder / "bare.avi", walker(), codec="mpeg4")
    (folder / "notes.txt").write_text("no clip")
    (folder / ".hidden.mp4").write_text("no clip")
    write_labels(
        folder / "walk", {"events": [{"start_s": 4, "end_s": 8, "what": "person"}], "conditions": ["day"]}
    )
    write_labels(folder / "night" / "none", {"events": [{"start_s": 2, "end_s": 5}], "conditions": ["night"]})
    return folder


def write_labels(stem: Path, document: dict[str, Any]) -> None:
    stem.with_name(f"{stem.name}.events.json").write_text(json.dumps(document))


@pytest.fixture
def replay(monkeypatch: pytest.MonkeyPatch) -> Replay:
    def run(*arguments: object) -> int:
        monkeypatch.setattr(sys, "argv", ["camera-hub", "replay", *map(str, arguments), "--jobs", "1"])
        monkeypatch.setenv("COLUMNS", "80")
        with pytest.raises(SystemExit) as caught:
            cli.main()
        assert isinstance(caught.value.code, int)
        return caught.value.code

    return run


def test_json_is_one_object_and_nothing_else(
    replay: Replay, made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert replay(made, "--json", "-") == 0
    said = capsys.readouterr()
    assert said.err == ""
    results = json.loads(said.out)
    assert results["version"] == 1
    assert [clip["clip"] for clip in results["clips"]] == [
        f"{made}/bare.avi",
        f"{made}/night/none.mp4",
        f"{made}/walk.mp4",
    ]
    for clip in results["clips"]:
        assert set(SPEC_CLIP) <= set(clip)
        assert "error" not in clip
    bare, none, walk = results["clips"]
    (event,) = walk["events"]
    assert set(SPEC_EVENT) <= set(event)
    assert (event["kind"], event["zones"]) == ("motion", [])
    assert all(len(point) == 3 for point in event["track"])
    assert bare["score"] is None
    assert [walk["score"][key] for key in ("found", "missed", "false", "f1")] == [1, 0, 0, 1.0]
    assert [none["score"][key] for key in ("found", "missed", "false", "f1")] == [0, 1, 0, 0.0]
    total = results["total"]
    assert (total["clips"], total["events"], total["frames"]) == (3, 2, 360)
    assert {*MEASURES, *MORE} <= set(total["score"])
    assert total["score"]["f1"] == 0.6667
    assert {name: score["missed"] for name, score in total["per_condition"].items()} == {"day": 0, "night": 1}


def test_clips_are_named_as_given(
    replay: Replay, made: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(made)
    assert replay("./walk.mp4", "night/", "./walk.mp4", "--json", "-") == 0
    results = json.loads(capsys.readouterr().out)
    assert [clip["clip"] for clip in results["clips"]] == ["./walk.mp4", "night/none.mp4"]


def test_a_stranger_reads_the_summary_on_80_columns(
    replay: Replay, made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert replay(made) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert "0:04.1–0:07.9" in out
    assert "missed none.mp4  0:02.0–0:05.0  motion" in out
    assert "note bare.avi gate off: MPEG4 in avi is not H.264 or H.265" in " ".join(out.split())
    assert "events found" in out
    assert "1 of 2" in out
    assert "The score is about the 2 clips with labels" in out


def test_a_clip_that_cannot_be_read_is_told_and_the_others_go_on(
    replay: Replay, made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert replay(made / "notes.txt", made / "walk.mp4", "--json", "-") == 1
    said = capsys.readouterr()
    bad, good = json.loads(said.out)["clips"]
    assert bad["error"].startswith("the clip notes.txt is not a video that can be read")
    assert bad["score"] is None
    assert set(SPEC_CLIP) <= set(bad)
    assert len(good["events"]) == 1
    assert said.err == f"camera-hub: {bad['error']}\n"


def test_a_name_that_is_no_utf_8(replay: Replay, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / os.fsdecode(b"ng\xf5.mp4")).write_bytes(b"")
    assert replay(tmp_path, "--json", "-") == 1
    (clip,) = json.loads(capsys.readouterr().out)["clips"]
    assert clip["clip"] == f"{tmp_path}/ng�.mp4"
    assert replay(tmp_path, "--junit", tmp_path / "out.xml") == 1
    assert "ng�.mp4" in (tmp_path / "out.xml").read_text()


def test_labels_from_a_folder_and_from_a_file(
    replay: Replay, made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_labels(tmp_path / "none", {"events": []})
    (tmp_path / "night").mkdir()
    write_labels(tmp_path / "night" / "none", {"events": [], "conditions": ["of the same place"]})
    assert replay(made, "--labels", tmp_path, "--json", "-") == 0
    clips = json.loads(capsys.readouterr().out)["clips"]
    assert [clip["score"] is not None for clip in clips] == [False, True, False]
    assert clips[1]["conditions"] == ["of the same place"]
    file = tmp_path / "of-mine.json"
    file.write_text('{"events": [{"start_s": 20, "end_s": 30}]}')
    assert replay(made / "walk.mp4", "--labels", file, "--json", "-") == 0
    score = json.loads(capsys.readouterr().out)["total"]["score"]
    assert (score["missed"], score["false"]) == (1, 1)


def test_label_errors_name_file_and_key_before_anything_runs(
    replay: Replay, made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_labels(tmp_path / "walk", {"events": [{"start_s": 3.2, "end_s": 3.0}]})
    write_labels(tmp_path / "none", {"events": [{"start_s": "x", "end_s": 3.0}]})
    assert replay(made, "--labels", tmp_path, "--json", "-") == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert f"{tmp_path}/walk.events.json: events[0].end_s: must be after start_s (3.2)" in said.err
    assert f'{tmp_path}/none.events.json: events[0].start_s: is "x"; give a number' in said.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["{made}", "--labels", "{made}/walk.events.json"],
            "is no folder, and there are 3 clips; give a folder",
        ),
        (["{made}", "--labels", "{tmp}"], "has labels for none of the clips"),
        (["{made}/walk.mp4", "--labels", "{tmp}/no.json"], "no.json: is not there"),
        (["{tmp}"], "there is no video file in"),
        (["{made}", "--json", "{tmp}/no/out.json"], "there is no folder {tmp}/no to write out.json into"),
        (["{made}", "--report", "{tmp}"], "is a folder; give the path of a file"),
        (["{made}", "--camera", "ngo"], "give --config as well"),
        (["{made}", "--config", "{config}"], "has several cameras; say which by --camera: ngo, che"),
        (["{made}", "--config", "{config}", "--camera", "x"], "has no camera x; it has ngo, che"),
        (["{made}", "--baseline", "{tmp}/no.json"], "no.json is not there; make it by --json"),
        (
            ["{made}", "--baseline", "{made}/walk.events.json"],
            "is not what `camera-hub replay --json` writes",
        ),
        (["{made}", "--baseline", "{made}/walk.mp4"], "is not what `camera-hub replay --json` writes"),
    ],
)
def test_what_cannot_work_is_said_before_anything_runs(
    replay: Replay,
    made: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    config = tmp_path / "hub" / "hub.yaml"
    config.parent.mkdir()
    config.write_text(CONFIG)
    filled = [text.format(made=made, tmp=tmp_path, config=config) for text in arguments]
    assert replay(*filled) == 2
    heard = capsys.readouterr()
    assert said.format(tmp=tmp_path) in heard.err
    assert heard.out == ""
    assert "Traceback" not in heard.err


def test_zones_and_masks_come_from_the_camera_of_a_configuration(
    replay: Replay, made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "hub.yaml"
    config.write_text(CONFIG)
    assert replay(made / "walk.mp4", "--config", config, "--camera", "ngo", "--json", "-") == 0
    (event,) = json.loads(capsys.readouterr().out)["clips"][0]["events"]
    assert event["zones"] == ["Lòng đường"]
    ((zone, stayed_s),) = event["stays"]
    assert zone == "Lòng đường"
    assert 2 < stayed_s < 4.5
    (crossing,) = event["crossings"]
    assert (crossing["line"], crossing["to"], crossing["to_is"]) == ("Cổng", "right", "ra")
    assert crossing["t_s"] == pytest.approx(6.0, abs=0.3)
    assert (event["entry"], event["exit"]) == ("left", "right")
    assert replay(made / "walk.mp4", "--config", config, "--camera", "ngo") == 0
    assert "crossed Cổng, to ra: 1 time" in capsys.readouterr().out
    assert replay(made / "walk.mp4", "--config", config, "--camera", "che", "--json", "-") == 0
    assert json.loads(capsys.readouterr().out)["clips"][0]["events"] == []


def test_files_for_machines_and_people(
    replay: Replay, made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, xml, html = tmp_path / "out.json", tmp_path / "out.xml", tmp_path / "out.html"
    assert replay(made, made / "notes.txt", "--json", out, "--junit", xml, "--report", html) == 1
    assert json.loads(out.read_text())["total"]["clips"] == 4
    suite = ET.parse(xml).getroot()[0]
    assert [suite.attrib[key] for key in ("tests", "failures", "errors", "skipped")] == ["4", "1", "1", "1"]
    tags = {case.attrib["name"]: [child.tag for child in case] for case in suite}
    assert tags == {"bare.avi": ["skipped"], "none.mp4": ["failure"], "walk.mp4": [], "notes.txt": ["error"]}
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert failure.text == "missed motion 0:02.0–0:05.0"
    assert "<!DOCTYPE html>" in html.read_text()
    assert "cannot be read" in capsys.readouterr().out


def test_a_baseline_is_a_gate(
    replay: Replay, made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    earlier = tmp_path / "earlier.json"
    assert replay(made, "--json", earlier) == 0
    capsys.readouterr()
    assert replay(made, "--baseline", earlier) == 0
    assert capsys.readouterr().out.endswith("Not worse than the baseline.\n")

    config = tmp_path / "hub.yaml"
    config.write_text(CONFIG)
    masked = ("--config", config, "--camera", "che")
    assert replay(made, *masked, "--baseline", earlier, "--json", "-") == 1
    said = capsys.readouterr()
    assert json.loads(said.out)["total"]["events"] == 0  # still one object, and nothing else
    assert f"worse  {made}/walk.mp4: missed: motion 0:04.0–0:08.0" in said.err
    assert f"worse  {made}/walk.mp4: F1 1.000 → 0.000" in said.err
    assert "Worse than the baseline." in said.err

    masked_run = tmp_path / "masked.json"
    assert replay(made, *masked, "--json", masked_run) == 0
    capsys.readouterr()
    assert replay(made, "--baseline", masked_run) == 0
    out = capsys.readouterr().out
    assert f"better  {made}/walk.mp4: no longer missed: motion 0:04.0–0:08.0" in out
    assert out.endswith("Better than the baseline.\n")


def test_a_baseline_without_a_clip_in_common_is_no_gate(
    replay: Replay, made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    earlier = tmp_path / "earlier.json"
    assert replay(made / "bare.avi", "--json", earlier) == 0
    capsys.readouterr()
    assert replay(made / "walk.mp4", "--baseline", earlier) == 2
    assert "nothing was compared" in capsys.readouterr().err
