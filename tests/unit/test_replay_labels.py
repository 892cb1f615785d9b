"""Labels are read as people write them; an error names the file, the key, and what would be right."""

import json
from pathlib import Path

import pytest

from camera_hub.replay.labels import LabelError, labels_path, read_labels
from tests.support import needs


def write(folder: Path, data: object) -> Path:
    file = folder / "clip.events.json"
    file.write_text(data if isinstance(data, str) else json.dumps(data), "utf-8")
    return file


def test_everything_that_a_label_file_may_say(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        {
            "clip": "ngõ.mp4",
            "boxes": {"of": "another program"},
            "events": [{"start_s": 1, "end_s": 2.5, "what": "person", "mover": 3}],
            "maybe": [{"start_s": 5.0, "end_s": 6.0}],
            "tamper": [{"start_s": 8.0, "end_s": 9.0}],
            "conditions": ["night", "rain"],
        },
    )
    labels = read_labels(file)
    assert [(e.start_s, e.end_s, e.what) for e in labels.events] == [(1.0, 2.5, "person")]
    assert [(e.start_s, e.end_s) for e in labels.maybe] == [(5.0, 6.0)]
    assert [(e.start_s, e.end_s) for e in labels.tamper] == [(8.0, 9.0)]
    assert labels.conditions == ("night", "rain")


def test_a_file_that_windows_wrote(tmp_path: Path) -> None:
    file = tmp_path / "clip.events.json"
    file.write_bytes(b"\xef\xbb\xbf" + json.dumps({"events": []}).encode())
    assert read_labels(file).events == ()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            {"events": [{"start_s": 3.2, "end_s": 3.0}]},
            "events[0].end_s: must be after start_s (3.2), and is 3.0",
        ),
        ({"events": [{"start_s": 1, "end_s": 2}, {"start_s": 3}]}, "events[1].end_s: is missing"),
        ({"events": [{"start_s": -1, "end_s": 2}]}, "events[0].start_s: is -1; times count from the clip's"),
        ({"events": [{"start_s": "1", "end_s": 2}]}, 'events[0].start_s: is "1"; give a number of seconds'),
        ({"events": [{"start_s": True, "end_s": 2}]}, "events[0].start_s: is true; give a number of seconds"),
        ('{"events": [{"start_s": NaN, "end_s": 2}]}', "events[0].start_s: is NaN; give a number of seconds"),
        ('{"events": [{"start_s": 1, "end_s": 1e999}]}', "events[0].end_s: is Infinity; give a number"),
        ({"maybe": [[1, 2]]}, 'maybe[0]: is [1, 2]; write it as {"start_s": 1.5'),
        ({"tamper": {"start_s": 1}}, "tamper: is {"),
        ({"events": None}, "events: is null; give a list in [ ]"),
        ({"events": [{"start_s": 1, "end_s": 2, "what": 5}]}, "events[0].what: is 5; give a text in quotes"),
        ({"events": [], "conditions": "night"}, 'conditions: is "night"; give a list'),
        ({"events": [], "conditions": [""]}, "conditions[0]: is empty"),
        ({"event": []}, "has neither `events` nor `maybe` nor `tamper`; write {"),
        ([1], "is not a group of keys"),
        ('{"events": [\n  {"start_s": 1,}]}', ":2: is not JSON"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_errors_name_file_and_key(tmp_path: Path, data: object, said: str) -> None:
    file = write(tmp_path, data)
    with pytest.raises(LabelError) as caught:
        read_labels(file)
    assert str(file) in str(caught.value)
    assert said in str(caught.value)


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    file = write(tmp_path, {"events": [{"start_s": 2, "end_s": 1}, {"end_s": "x"}], "tamper": [3]})
    with pytest.raises(LabelError) as caught:
        read_labels(file)
    keys = [line.removeprefix(f"{file}: ").split(":")[0] for line in str(caught.value).splitlines()]
    assert keys == ["events[0].end_s", "events[1].start_s", "events[1].end_s", "tamper[0]"]


def test_what_is_no_text_and_what_is_not_there(tmp_path: Path) -> None:
    file = tmp_path / "clip.events.json"
    with pytest.raises(LabelError, match="is not there"):
        read_labels(file)
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(LabelError, match="is not text in UTF-8"):
        read_labels(file)
    with pytest.raises(LabelError, match="is a folder"):
        read_labels(tmp_path)


def test_where_labels_lie() -> None:
    assert labels_path(Path("a/ngo.sub.mp4")) == Path("a/ngo.sub.events.json")


def test_the_shared_clips_labels_can_be_read() -> None:
    files = sorted(needs.clips().glob("*.events.json"))
    assert len(files) >= 12
    assert all(read_labels(file).conditions for file in files)
