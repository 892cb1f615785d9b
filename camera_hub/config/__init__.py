"""The configuration: a YAML file, validated whole before anything starts.

An error names the file, the line, the key, what is wrong and what would be right; all errors
come at once. What comes out is frozen: a change is a new configuration. Passwords are
`SecretStr`, and no address in it holds one.

`camera.py` (with `geometry.py` and `motion.py`) and `hub.py` say what may stand in the file, in
`section.py`'s terms; `document.py` reads it, `secrets.py` fills in `${NAME}`, `words.py` words what is
wrong.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from camera_hub.config.camera import (
    CameraConfig,
    ClipConfig,
    OnvifConfig,
    StreamsConfig,
)
from camera_hub.config.document import read_document
from camera_hub.config.errors import ConfigError, Problem
from camera_hub.config.geometry import LineConfig, ZoneConfig
from camera_hub.config.hub import (
    Config,
    LogConfig,
    PracticeConfig,
    ServerConfig,
    ServerSiteConfig,
    SiteConfig,
    StorageConfig,
    UserConfig,
)
from camera_hub.config.link import LinkConfig, LinkServerConfig
from camera_hub.config.motion import ExactConfig, MotionConfig, PersonHeightConfig
from camera_hub.config.secrets import fill_in
from camera_hub.config.uplink import UplinkConfig
from camera_hub.config.words import describe

__all__ = [
    "CameraConfig",
    "ClipConfig",
    "Config",
    "ConfigError",
    "ExactConfig",
    "LineConfig",
    "LinkConfig",
    "LinkServerConfig",
    "LogConfig",
    "MotionConfig",
    "OnvifConfig",
    "PersonHeightConfig",
    "PracticeConfig",
    "Problem",
    "ServerConfig",
    "ServerSiteConfig",
    "SiteConfig",
    "StorageConfig",
    "StreamsConfig",
    "UplinkConfig",
    "UserConfig",
    "ZoneConfig",
    "json_schema",
    "load_config",
]


def load_config(path: Path | str, environment: Mapping[str, str] = os.environ) -> Config:
    """Read and validate a configuration file.

    Relative paths in it are made whole, counted from its folder. Raises ConfigError with all
    that is wrong.
    """
    file = Path(path)
    document = read_document(file)
    fill_in(document, environment)
    try:
        config = Config.model_validate(document.data, context={"folder": file.absolute().parent})
    except ValidationError as exc:
        describe(document, exc, Config)
    else:
        if not document.problems:
            return config.came_from(file)
    raise ConfigError(
        sorted(document.problems, key=lambda problem: (problem.file != str(file), problem.line or 0))
    )


def json_schema() -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of the file, by which editors complete and check it."""
    schema = Config.model_json_schema(mode="validation")
    schema.pop("description", None)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Camera Hub configuration",
        **{key: value for key, value in schema.items() if key != "title"},
    }
