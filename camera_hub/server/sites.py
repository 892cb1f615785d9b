"""Sites: which there are and how they do. Also the server's own version."""

from typing import Annotated

from fastapi import APIRouter, Depends

from camera_hub import __version__
from camera_hub.server.parts import Parts, parts_of
from camera_hub.server.rights import Right, needs
from camera_hub.server.shapes import Sites, Version

router = APIRouter(tags=["sites"])


@router.get("/api/sites", dependencies=[needs(Right.SITES)])
async def list_sites(parts: Annotated[Parts, Depends(parts_of)]) -> Sites:
    """All sites that this server knows."""
    return Sites(sites=parts.state.sites())


@router.get("/api/version", dependencies=[needs(Right.ACCOUNT)])
async def get_version() -> Version:
    return Version(version=__version__)
