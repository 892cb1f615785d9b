"""What a server wants of a camera, laid over what the file says: checked by the file's own sections."""

from pathlib import Path
from typing import Any

from pydantic import JsonValue, TypeAdapter, ValidationError

from camera_hub.config.camera import CameraConfig
from camera_hub.config.document import Document
from camera_hub.config.words import describe
from camera_hub.model import HubError, Setting

MAX_VALUE_CHARS = 256 * 1024  # as JSON; 50 zones of 100 corners each have some 200 kB

_json: TypeAdapter[Any] = TypeAdapter(JsonValue)


class PushedError(HubError):
    """A value that the configuration file could not have; says why."""


def with_setting(camera: CameraConfig, key: Setting, value: str) -> CameraConfig:
    """`camera` with one setting changed to `value` (JSON). Raises PushedError in words.

    `record: true` for a camera of which the file keeps nothing means all of its streams.
    """
    if len(value) > MAX_VALUE_CHARS:
        raise PushedError(f"{key}: is longer than {MAX_VALUE_CHARS} characters")
    try:
        given = _json.validate_json(value)
    except ValidationError as exc:
        raise PushedError(f"{key}: is no JSON") from exc
    data = camera.model_dump(exclude_unset=True)
    match key:
        case Setting.DETECT | Setting.RECORD if not isinstance(given, bool):
            raise PushedError(f"{key}: is neither true nor false")
        case Setting.DETECT:
            data["motion"] = {**data.get("motion", {}), "enabled": given}
        case Setting.RECORD if not given:
            data["record"] = []
        case Setting.RECORD:
            data["record"] = camera.recorded_streams or camera.stream_names
        case _:
            data[key.value] = given
    try:
        return CameraConfig.model_validate(data)
    except ValidationError as exc:
        document = Document(Path(), data)
        describe(document, exc, CameraConfig)
        said = "; ".join(f"{problem.key}: {problem.text}" for problem in document.problems)
        raise PushedError(said or f"{key}: cannot be used") from exc
