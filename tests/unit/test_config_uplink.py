"""The uplink's keys: what they mean, and what cannot be."""

from datetime import time
from pathlib import Path

import pytest

from camera_hub.config import ConfigError, LinkConfig, load_config


def link(folder: Path, text: str) -> LinkConfig:
    file = folder / "hub.yaml"
    file.write_text(f"site: {{id: khe-coc, name: Xóm Khe Cốc}}\nlink: {{{text}}}\n")
    return load_config(file).link


def test_an_uplink_that_can_be_so(tmp_path: Path) -> None:
    found = link(tmp_path, "uplink: {limit_kbit: 4000, per_day_mb: 500, hours: 22:00-05:30}, keep_gb: 0.5")
    assert (found.uplink.limit_kbit, found.uplink.per_day_mb) == (4000, 500)
    assert found.uplink.times == (time(22), time(5, 30))
    assert (found.keep_bytes, found.keep_days) == (500_000_000, 30)


def test_without_keys_there_is_no_bound(tmp_path: Path) -> None:
    uplink = link(tmp_path, "").uplink
    assert (uplink.limit_kbit, uplink.per_day_mb, uplink.times) == (None, None, None)


@pytest.mark.parametrize(
    ("uplink", "said"),
    [
        ("limit_kbit: 10", "limit_kbit: `10` is too small; give a number from 64 on"),
        ("per_day_mb: 0", "per_day_mb: `0` is"),
        ("hours: nachts", "hours: `nachts` is no span of a day; write it as 22:00-05:00"),
        ("hours: 22:00-24:00", "hours: `22:00-24:00` is no span of a day"),
        ("hours: 05:00-05:00", "hours: `05:00-05:00` begins and ends at once"),
    ],
)
def test_an_uplink_that_cannot_be_so(tmp_path: Path, uplink: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        link(tmp_path, f"uplink: {{{uplink}}}")
    assert f"link.uplink.{said}" in str(caught.value)
