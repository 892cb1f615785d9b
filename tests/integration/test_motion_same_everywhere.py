"""Same clip, same configuration, same events, bit for bit: on any processor, on any number of threads.

The processors are those that this one can play: with OpenCV's, its IPP's and numpy's newer instructions
switched off, as on an old machine. Fused multiplication and addition (FMA3) rounds once where two steps
round twice, so that floating point may differ in its last bit unless the detector avoids it.
"""

import json
import os
import subprocess
import sys
from functools import cache
from typing import Any

import pytest

from tests.support.needs import ROOT

OLD = {
    "as it is": {},
    "without AVX-512": {
        "OPENCV_CPU_DISABLE": "AVX512-SKX",
        "OPENCV_IPP": "avx2",
        "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
    },
    "without AVX2 and FMA": {
        "OPENCV_CPU_DISABLE": "AVX512-SKX,AVX2,FMA3,FP16,AVX",
        "OPENCV_IPP": "sse42",
        "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
    },
    "without IPP": {"OPENCV_IPP": "disabled"},
}


@cache
def told(machine: str, threads: int) -> dict[str, Any]:
    """What the detector tells of the scene there."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.support.fingerprint", str(threads)],
        cwd=ROOT,
        env={**os.environ, **OLD[machine]},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_the_scene_has_something_to_tell() -> None:
    first = told("as it is", 1)
    kinds = [report["end_us"] for report in first["reports"] if "end_us" in report]
    assert len(kinds) >= 2
    assert any(report["crossings"] for report in first["reports"])
    assert len(first["arrays"]) > 10


@pytest.mark.parametrize(
    ("machine", "threads"),
    [
        ("as it is", 2),
        ("as it is", 4),
        ("without AVX-512", 1),
        ("without AVX2 and FMA", 1),
        ("without AVX2 and FMA", 4),
        ("without IPP", 1),
    ],
)
def test_the_same_everywhere(machine: str, threads: int) -> None:
    here, there = told("as it is", 1), told(machine, threads)
    assert there["reports"] == here["reports"]
    assert there["sights"] == here["sights"]
    assert {name for name, value in there["arrays"].items() if here["arrays"].get(name) != value} == set()
