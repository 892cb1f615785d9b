"""Alerts for alerting systems: CAP 1.2 messages behind an Atom feed, for whoever may see alerts."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from camera_hub.alerts.telling import cap
from camera_hub.alerts.telling.texts import DEFAULT, Language, title_and_body
from camera_hub.model import REHEARSAL, Refusal
from camera_hub.server.parts import Parts, parts_of
from camera_hub.server.problems import Problem, problems
from camera_hub.server.rights import Right, needs
from camera_hub.store import ULID_PATTERN
from camera_hub.store.alert_records import AlertFilter, StoredAlert

router = APIRouter(tags=["alerts"])

NEWEST = 50
_LANGUAGES: tuple[Language, ...] = ("vi", "en")

Tools = Annotated[Parts, Depends(parts_of)]


@router.get(
    "/api/cap",
    dependencies=[needs(Right.ALERTS)],
    response_class=Response,
    responses={200: {"description": "An Atom feed (RFC 4287)", "content": {"application/atom+xml": {}}}},
)
async def get_cap_feed(request: Request, parts: Tools) -> Response:
    """The newest alerts, each with the address of its CAP message."""
    page = await parts.store.alerts.alert_page(AlertFilter(), NEWEST)
    subjects = [_subject(parts, stored) for stored in page.alerts]
    address = f"{_base(parts, request)}/api/cap"
    title = f"Camera Hub, {parts.settings.id}"
    body = cap.feed(subjects, _sender(parts), address, title, parts.clock.wall_us())
    return Response(body, media_type="application/atom+xml")


@router.get(
    "/api/cap/{id}",
    dependencies=[needs(Right.ALERTS)],
    response_class=Response,
    responses={
        200: {"description": "A CAP 1.2 message", "content": {cap.MEDIA_TYPE: {}}},
        **problems(404),
    },
)
async def get_cap(
    id: Annotated[str, Path(pattern=f"^{ULID_PATTERN}$", description="The alert's id")],  # noqa: A002
    parts: Tools,
) -> Response:
    """An alert as it is now, as a CAP 1.2 message."""
    stored = await parts.store.alerts.alert(id)
    if stored is None:
        raise Problem(404, f"There is no alert {id}.", code=Refusal.NO_ALERT)
    return Response(cap.message(_subject(parts, stored), _sender(parts)), media_type=cap.MEDIA_TYPE)


def _subject(parts: Parts, stored: StoredAlert) -> cap.Subject:
    facts = {language: parts.messages.facts(stored, language) for language in _LANGUAGES}
    words = {language: title_and_body(DEFAULT[language], facts[language]) for language in _LANGUAGES}
    return cap.Subject(stored.alert, stored.site == REHEARSAL, facts, words)


def _sender(parts: Parts) -> str:
    return f"camera-hub.{parts.settings.id}"


def _base(parts: Parts, request: Request) -> str:
    return parts.settings.public_url.rstrip("/") or str(request.base_url).rstrip("/")
