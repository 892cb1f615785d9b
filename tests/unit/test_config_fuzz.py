"""Whatever stands in the file, the answer is a configuration or a ConfigError that names the file."""

import re
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from camera_hub.config import ConfigError, load_config
from tests.support.needs import ROOT

SAMPLE = re.sub(r"\$\{\w+\}", "hunter2-hunter2", (ROOT / "config" / "khe-coc.yaml").read_text())
LINES = [line for line in SAMPLE.splitlines() if line.strip() and not line.lstrip().startswith("#")]
PIECES = [
    *"[]{}:,-'\"&*#!|>%@`\t\n ",
    "null",
    "- ",
    ": ",
    "<<: ",
    "1e999",
    "0x",
    "!!python/name:os",
    "2026-01-01",
    "é",
    "\x00",
]

unhurried = settings(
    deadline=None,
    max_examples=120,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def answer(folder: Path, text: str) -> None:
    file = folder / "hub.yaml"
    file.write_text(text, encoding="utf-8")
    try:
        load_config(file, {})
    except ConfigError as exc:
        said = exc
    else:
        return
    assert said.problems
    assert all(problem.file == str(file) for problem in said.problems)
    assert "hunter2" not in str(said)


@given(st.text(max_size=200))
@example("a: !!binary x")
@example("? [1]\n: 2")
@example("{[1]: 2}")
@example("a: {<<: 1}")
@example("<<: [1]\nsite: 2")
@example("site: &a {b: *a}")
@unhurried
def test_any_text(tmp_path: Path, text: str) -> None:
    answer(tmp_path, text)


@given(
    st.integers(0, len(LINES) - 1),
    st.integers(0, 80),
    st.integers(0, 12),
    st.lists(st.sampled_from(PIECES), max_size=3).map("".join),
)
@unhurried
def test_a_sample_with_a_slip_of_the_hand(tmp_path: Path, line: int, at: int, gone: int, put: str) -> None:
    changed = LINES[line][:at] + put + LINES[line][at + gone :]
    answer(tmp_path, "\n".join([*LINES[:line], changed, *LINES[line + 1 :]]))


@given(st.integers(0, len(LINES) - 1), st.integers(0, 12), st.permutations(range(4)))
@unhurried
def test_a_sample_with_lines_lost_and_moved(tmp_path: Path, line: int, lost: int, order: list[int]) -> None:
    rest = LINES[line + lost :]
    moved = [rest[index] for index in order if index < len(rest)]
    answer(tmp_path, "\n".join([*LINES[:line], *moved, *rest[4:]]))
