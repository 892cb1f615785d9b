"""Is the server alive, can it work, and its numbers for Prometheus."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from fastapi.responses import PlainTextResponse
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from camera_hub.server.metrics import registry
from camera_hub.server.parts import Parts, parts_of
from camera_hub.server.problems import Problem, problems
from camera_hub.server.rights import Right, needs
from camera_hub.server.shapes import Health
from camera_hub.store import StoreError

READY_S = 3.0

router = APIRouter(tags=["health"])


@router.get("/healthz", dependencies=[needs(Right.PUBLIC)])
async def alive() -> Health:
    """The process answers; nothing else is asked."""
    return Health(status="alive")


@router.get("/readyz", dependencies=[needs(Right.PUBLIC)], responses=problems(503))
async def ready(parts: Annotated[Parts, Depends(parts_of)]) -> Health:
    """The database answers too."""
    try:
        async with asyncio.timeout(READY_S):
            await parts.store.ping()
    except (StoreError, TimeoutError) as exc:
        # Open to all, so it says no more than that; the log has the rest.
        raise Problem(503, "The database does not answer.", {"Retry-After": "5"}) from exc
    return Health(status="ready")


@router.get(
    "/metrics",
    dependencies=[needs(Right.METRICS)],
    response_class=PlainTextResponse,
    responses={
        200: {
            "description": "Prometheus text exposition",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        },
    },
)
async def metrics(parts: Annotated[Parts, Depends(parts_of)]) -> Response:
    """By a session that may, or by `Authorization: Bearer <server.metrics_token>`."""
    return Response(generate_latest(registry(parts)), media_type=CONTENT_TYPE_LATEST)
