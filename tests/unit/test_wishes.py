"""What servers want of a worker's cameras: what holds, what is refused in which words, what is kept."""

import json
from pathlib import Path
from typing import get_args

import pytest
from pydantic import SecretStr

from camera_hub.config import CameraConfig, LinkConfig, StreamsConfig, ZoneConfig
from camera_hub.config.link import SettingName
from camera_hub.ingest.wishes import FILE, Wishes
from camera_hub.model import Answer, Setting, WhyNot, Wish, WishOutcome
from tests.support.clocks import START_US, HandClock

GATE = CameraConfig(
    id="cong-lang",
    name="Cổng làng",
    streams=StreamsConfig(main="rtsp://10.0.0.2/1", sub="rtsp://10.0.0.2/2"),
    record=("main",),
    password=SecretStr("bí mật"),
    zones=(ZoneConfig(name="Lòng đường", polygon=((0, 0), (1, 0), (1, 1))),),
)
ALL = frozenset(Setting)
OWN, COMMUNE = "this machine", "tuc-tranh"


def wish(key: str, value: object, version: int = 1, *, camera: str = "cong-lang", said_s: float = 0) -> Wish:
    return Wish(camera, key, json.dumps(value), version, START_US + round(said_s * 1e6))


def wishes(
    folder: Path, clock: HandClock | None = None, may_change: dict[str, frozenset[Setting]] | None = None
) -> Wishes:
    return Wishes(folder, [GATE], may_change or {OWN: ALL, COMMUNE: ALL}, clock or HandClock())


async def said(of: Wishes, server: str, *wanted: Wish) -> list[tuple[str, WhyNot | str | None]]:
    """Of each answer, the outcome, and why or who."""
    answers = (await of.take(server, wanted)).answers
    return [(one.outcome.value, one.why or one.detail or None) for one in answers]


async def test_what_is_wanted_holds_and_the_rest_stays_as_the_file_has_it(tmp_path: Path) -> None:
    made = wishes(tmp_path)
    zone = {"name": "Sân", "polygon": [[0, 0], [0.5, 0], [0.5, 0.5]]}
    wanted = [wish("detect", False), wish("record", False), wish("name", "Cổng mới"), wish("zones", [zone])]
    assert await said(made, OWN, *wanted) == [("applied", None)] * 4
    now = made.camera("cong-lang")
    assert (now.motion.enabled, now.recorded_streams, now.name) == (False, (), "Cổng mới")
    assert [one.name for one in now.zones] == ["Sân"]
    assert (now.streams, now.password) == (GATE.streams, GATE.password)
    back = [wish(key, None, 2) for key in ("detect", "record", "name", "zones")]
    assert await said(made, OWN, *back) == [("applied", None)] * 4
    assert made.camera("cong-lang") == GATE


async def test_recording_on_means_what_the_file_records_or_else_all(tmp_path: Path) -> None:
    made = wishes(tmp_path)
    await said(made, OWN, wish("record", True))
    assert made.camera("cong-lang").recorded_streams == ("main",)
    silent = Wishes(tmp_path, [GATE.model_copy(update={"record": ()})], {OWN: ALL}, HandClock())
    assert silent.camera("cong-lang").recorded_streams == ("main", "sub")


@pytest.mark.parametrize(
    ("wanted", "why", "words"),
    [
        (wish("detect", "no"), WhyNot.INVALID, "neither true nor false"),
        (Wish("cong-lang", "record", "{", 1, 0), WhyNot.INVALID, "no JSON"),
        (Wish("cong-lang", "name", "[" * 100_000, 1, 0), WhyNot.INVALID, "no JSON"),
        (Wish("cong-lang", "name", '"' + "a" * 300_000 + '"', 1, 0), WhyNot.INVALID, "longer than"),
        (wish("name", ""), WhyNot.INVALID, "name"),
        (wish("zones", [{"name": "A", "polygon": [[0, 0], [1, 0], [2, 1]]}]), WhyNot.INVALID, "outside"),
        (wish("zones", [{"name": "A", "polygon": [[0, 0]]}]), WhyNot.INVALID, "zones[0].polygon"),
        (wish("masks", [{"name": "A", "holes": 1}]), WhyNot.INVALID, "no such key"),
        (wish("streams", {"main": "rtsp://evil/"}), WhyNot.UNKNOWN_KEY, "no setting 'streams'"),
        (wish("detect", False, camera="cua-sau"), WhyNot.NO_CAMERA, "no camera 'cua-sau'"),
    ],
)
async def test_what_cannot_be_is_refused_key_by_key(
    tmp_path: Path, wanted: Wish, why: WhyNot, words: str
) -> None:
    made = wishes(tmp_path)
    refused, good = (await made.take(OWN, [wanted, wish("lines", [])])).answers
    assert (refused.outcome, refused.why) == (WishOutcome.REFUSED, why)
    assert words in refused.detail
    assert len(refused.detail) <= 1000
    assert good.outcome is WishOutcome.APPLIED
    assert made.camera("cong-lang") == GATE.model_copy(update={"lines": ()})


async def test_a_server_changes_only_what_it_may_and_what_it_no_longer_may_holds_no_more(
    tmp_path: Path,
) -> None:
    made = wishes(tmp_path)
    await said(made, COMMUNE, wish("detect", False), wish("name", "Cổng xã"))
    only_name = {COMMUNE: frozenset({Setting.NAME})}
    made = wishes(tmp_path, may_change=only_name)  # the operator has changed their mind
    assert (made.camera("cong-lang").motion.enabled, made.camera("cong-lang").name) == (True, "Cổng xã")
    wanted = wish("detect", False), wish("name", "Cổng xã"), wish("detect", None, 2)
    assert await said(made, COMMUNE, *wanted) == [
        ("refused", WhyNot.NOT_ALLOWED),
        ("applied", None),
        ("applied", None),
    ]
    made = wishes(tmp_path, may_change={"other": ALL})  # a server that is no longer linked to has no say
    assert made.camera("cong-lang") == GATE


async def test_a_refused_wish_leaves_the_one_before(tmp_path: Path) -> None:
    made = wishes(tmp_path)
    await said(made, OWN, wish("name", "Cổng mới"))
    assert await said(made, OWN, wish("name", 7, 2)) == [("refused", WhyNot.INVALID)]
    assert made.camera("cong-lang").name == "Cổng mới"


async def test_of_two_servers_who_spoke_last_has_its_way_and_the_other_is_told(tmp_path: Path) -> None:
    clock = HandClock()
    made = wishes(tmp_path, clock)
    clock.go(60)
    assert await said(made, OWN, wish("record", False, said_s=10)) == [("applied", None)]
    assert made.other_answers() == {}
    assert await said(made, COMMUNE, wish("record", True, said_s=20)) == [("applied", None)]
    (told,) = made.other_answers()[OWN].answers
    assert told == Answer("cong-lang", "record", 1, WishOutcome.OVERRULED, None, COMMUNE)
    assert made.other_answers() == {}  # once
    assert made.camera("cong-lang").recorded_streams == ("main",)
    # What was said long ago and arrives now does not undo what was said since.
    assert await said(made, OWN, wish("record", False, 2, said_s=15)) == [("overruled", COMMUNE)]
    # A clock that is ahead wins nothing over who speaks after it arrived.
    assert await said(made, OWN, wish("record", False, 3, said_s=1e6)) == [("applied", None)]
    clock.go(1)
    assert await said(made, COMMUNE, wish("record", True, 2, said_s=61)) == [("applied", None)]
    # Who wants the same is not overruled, and who wants nothing any more leaves it to the other.
    assert await said(made, OWN, wish("record", True, 4, said_s=30)) == [("applied", None)]
    assert await said(made, COMMUNE, wish("record", None, 3, said_s=61)) == [("applied", None)]


async def test_what_holds_is_on_disk_when_it_is_answered_and_the_same_again_changes_nothing(
    tmp_path: Path,
) -> None:
    made = wishes(tmp_path)
    await said(made, OWN, wish("detect", False))
    before = (tmp_path / FILE).stat()
    assert await said(made, OWN, wish("detect", False)) == [("applied", None)]
    assert (tmp_path / FILE).stat().st_ino == before.st_ino
    assert wishes(tmp_path).camera("cong-lang").motion.enabled is False
    # A server that was set up anew counts from 1 again: what it wants now is what it wants.
    await said(made, OWN, wish("detect", True, 9))
    assert await said(made, OWN, wish("detect", False, 2)) == [("applied", None)]
    assert made.camera("cong-lang").motion.enabled is False


@pytest.mark.parametrize("content", [b"", b"{", b'[{"server": 3}]', b"\xff"])
async def test_a_damaged_file_costs_only_until_the_servers_say_it_again(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / FILE).write_bytes(content)
    made = wishes(tmp_path)
    assert made.camera("cong-lang") == GATE
    assert await said(made, OWN, wish("detect", False)) == [("applied", None)]


async def test_a_disk_that_takes_nothing_is_said_and_nothing_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    made = wishes(tmp_path)
    monkeypatch.setattr("camera_hub.ingest.wishes.write_whole", full)
    (answer,) = (await made.take(OWN, [wish("detect", False)])).answers
    assert (answer.why, "No space" in answer.detail) == (WhyNot.NOT_KEPT, True)
    assert made.camera("cong-lang") == GATE


def test_the_configuration_names_all_settings() -> None:
    assert get_args(SettingName) == tuple(Setting)
    link = LinkConfig()
    assert set(link.own_may_change) - set(link.may_change) == {"record"}  # the one that costs evidence
