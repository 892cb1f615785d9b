"""Configuration files for tests, and what is said of them."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from camera_hub.config import ConfigError, load_config

SITE = "site: {id: khe-coc, name: Xóm Khe Cốc}\n"
CAMERA = SITE + "cameras:\n- id: cong\n  name: Cổng\n  streams: {main: rtsp://10.0.0.1/a}\n"

Write = Callable[[str], Path]


def written(folder: Path, text: str) -> Path:
    """A configuration file."""
    file = folder / "hub.yaml"
    file.write_text(text)
    return file


def problems(file: Path, environment: dict[str, str] | None = None) -> list[str]:
    """What load_config complains of, without the folder's name."""
    with pytest.raises(ConfigError) as caught:
        load_config(file, environment or {})
    assert str(caught.value).splitlines() == [str(problem) for problem in caught.value.problems]
    return [line.replace(f"{file.parent}{os.sep}", "") for line in str(caught.value).splitlines()]
