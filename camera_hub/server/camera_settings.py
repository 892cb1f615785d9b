"""A camera's settings from afar: what is wanted of it, and by whom it was wanted.

What is wanted is kept and told to the hamlet's worker, now or when it is back; whether the hamlet lets us,
its worker says. Each change is in the history with who made it.
"""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from camera_hub.config import CameraConfig, LineConfig, StreamsConfig, ZoneConfig
from camera_hub.config.pushed import PushedError, with_setting
from camera_hub.config.section import ShortText
from camera_hub.model import Setting
from camera_hub.server.cameras import CameraId, find_camera
from camera_hub.server.parts import Parts, parts_of
from camera_hub.server.problems import Problem, problems
from camera_hub.server.rights import Right, needs
from camera_hub.server.shapes import Camera, Wanted
from camera_hub.store import SessionRecord

router = APIRouter(tags=["cameras"])

MOST = 200  # of a camera's history

Tools = Annotated[Parts, Depends(parts_of)]
Changer = Annotated[SessionRecord, needs(Right.CONFIGURE)]

_ANY = CameraConfig(id="any", name="any", streams=StreamsConfig(main="rtsp://any/1"))


class SettingsChange(BaseModel):
    """What is to be otherwise; a key that is not given stays, null leaves it to the hamlet."""

    model_config = ConfigDict(extra="forbid")

    detect: bool | None = Field(
        default=None, strict=True, description="Whether to look for what moves, and for tampering"
    )
    record: bool | None = Field(default=None, strict=True, description="Whether to keep its streams on disk")
    name: ShortText | None = Field(default=None, description="What people call it")
    zones: list[ZoneConfig] | None = None
    masks: list[ZoneConfig] | None = None
    lines: list[LineConfig] | None = None


class WantedValue(Wanted):
    """With its value."""

    value: Any = Field(description="As SettingsChange has it; null where it is left to the hamlet")


class CameraSettings(BaseModel):
    """What was wanted of a camera's settings, the newest first; of each, the newest is wanted now."""

    wanted: list[WantedValue]


@router.get("/api/cameras/{id}/settings", dependencies=[needs(Right.CONFIGURE)], responses=problems(404))
async def get_settings(id: CameraId, parts: Tools) -> CameraSettings:  # noqa: A002 - the path's own word
    camera = find_camera(parts, id)
    records = await parts.state.wishes.history(camera.site, id.partition(".")[2], MOST)
    return CameraSettings(
        wanted=[
            WantedValue(**parts.state.wanted(record).model_dump(), value=msgspec.json.decode(record.value))
            for record in records
        ]
    )


@router.patch("/api/cameras/{id}/settings", responses=problems(404, 422))
async def change_settings(
    id: CameraId,  # noqa: A002 - the path's own word
    given: SettingsChange,
    session: Changer,
    parts: Tools,
) -> Camera:
    """Wants other settings of a camera. `wanted` of the answer says what becomes of it."""
    site, _, name = find_camera(parts, id).id.partition(".")
    told = given.model_dump(mode="json", include=given.model_fields_set)
    values = {Setting(key): msgspec.json.encode(value).decode() for key, value in told.items()}
    for key, value in values.items():
        try:
            if told[key.value] is not None:
                with_setting(_ANY, key, value)
        except PushedError as exc:
            raise Problem(422, f"{exc}.") from exc
    if values:
        await parts.state.wishes.want(site, name, values, session.user.name, session.user.display_name)
    return find_camera(parts, id)
