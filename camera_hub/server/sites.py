"""Sites: which there are, how they do, and who may link. Also the server's own version.

An administrator makes a site and gets its one-time code, which is shown this once. What they change is in
the log with their name. Sites of the config are not changed here.
"""

import contextlib
from collections.abc import Iterator
from typing import Annotated

import segno
import structlog
from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, Field

from camera_hub import __version__
from camera_hub.link.enrolment import Code, fingerprint
from camera_hub.model import Refusal
from camera_hub.server.certificate import own_certificate
from camera_hub.server.enrolments import (
    NoSiteError,
    SiteExistsError,
    SiteInConfigError,
    SiteNotReadyError,
)
from camera_hub.server.parts import Parts, parts_of
from camera_hub.server.problems import Problem, problems
from camera_hub.server.rights import Right, needs
from camera_hub.server.shapes import Site, Sites, Version
from camera_hub.store import SessionRecord

log = structlog.get_logger(__name__)

router = APIRouter(tags=["sites"])

MAX_HOST = 255  # signs of a name and its port (RFC 1035), so that the QR code holds it
ID_PATTERN = r"^[a-z0-9]+(-[a-z0-9]+)*$"

Tools = Annotated[Parts, Depends(parts_of)]
Administrator = Annotated[SessionRecord, needs(Right.ENROL)]
SiteId = Annotated[str, Path(alias="id", max_length=64, pattern=r"^[a-z0-9-]{1,64}$", examples=["khe-coc"])]


class NewSite(BaseModel):
    id: str = Field(
        min_length=1, max_length=63, pattern=ID_PATTERN, description="As `site.id` in its own config"
    )
    name: str = Field(
        min_length=1, max_length=200, pattern=r"^[^\x00]*\S[^\x00]*$", description="What people call it"
    )


class SiteChange(BaseModel):
    revoked: bool = Field(description="Whether its worker's key is refused from now on")


class NewCode(BaseModel):
    """A one-time code. It is told this once and kept nowhere."""

    site: Site
    code: str
    command: str = Field(description="What to type on the worker's machine")
    qr: str = Field(description="The command as a QR code: an SVG image as a data: URL")
    certificate: str = Field(
        description="SHA-256 of the certificate that we show; empty where we do not know it"
    )


@router.get("/api/sites", dependencies=[needs(Right.SITES)])
async def list_sites(parts: Tools) -> Sites:
    """All sites that this server knows."""
    return Sites(sites=parts.state.sites())


@router.post("/api/sites", status_code=201, responses=problems(409))
async def create_site(given: NewSite, session: Administrator, request: Request, parts: Tools) -> NewCode:
    """Makes a site, and a code by which its worker is enrolled."""
    with _problems():
        code = await parts.state.enrolments.create(given.id, given.name.strip(), session.user.display_name)
    log.info("site made", site=given.id, user=session.user.name)
    return _new_code(parts, request, given.id, code)


@router.post("/api/sites/{id}/code", status_code=201, responses=problems(404, 409))
async def create_code(site: SiteId, session: Administrator, request: Request, parts: Tools) -> NewCode:
    """Another code for a site, such as for a new machine; its last one holds no more."""
    with _problems():
        code = await parts.state.enrolments.new_code(site, session.user.display_name)
    log.info("site has a new code", site=site, user=session.user.name)
    return _new_code(parts, request, site, code)


@router.post("/api/sites/{id}/new-key", status_code=202, responses=problems(404, 409))
async def change_key(site: SiteId, session: Administrator, parts: Tools) -> None:
    """Has the site's worker change its key; it must be linked."""
    with _problems():
        await parts.state.enrolments.want_new_key(site)
    log.info("site asked for a new key", site=site, user=session.user.name)


@router.patch("/api/sites/{id}", responses=problems(404, 409))
async def change_site(site: SiteId, given: SiteChange, session: Administrator, parts: Tools) -> Site:
    """Revokes a site's key, which cuts its worker off at once, or lets it in again."""
    enrolments, by = parts.state.enrolments, session.user.display_name
    with _problems():
        await (enrolments.revoke(site, by) if given.revoked else enrolments.restore(site, by))
    log.info("site revoked" if given.revoked else "site restored", site=site, user=session.user.name)
    return _site(parts, site)


@router.delete("/api/sites/{id}", status_code=204, responses=problems(404, 409))
async def remove_site(site: SiteId, session: Administrator, parts: Tools) -> None:
    """Removes a site; its worker is cut off. Its events stay for as long as events are kept."""
    with _problems():
        await parts.state.enrolments.remove(site)
    log.info("site removed", site=site, user=session.user.name)
    await parts.state.wishes.forget(site)


@router.get("/api/version", dependencies=[needs(Right.ACCOUNT)])
async def get_version() -> Version:
    return Version(version=__version__)


@contextlib.contextmanager
def _problems() -> Iterator[None]:
    try:
        yield
    except NoSiteError as exc:
        raise Problem(404, str(exc), code=Refusal.NO_SITE) from exc
    except SiteInConfigError as exc:
        raise Problem(409, str(exc), code=Refusal.SITE_IN_CONFIG) from exc
    except SiteExistsError as exc:
        raise Problem(409, str(exc), code=Refusal.SITE_EXISTS) from exc
    except SiteNotReadyError as exc:
        raise Problem(409, str(exc), code=Refusal.SITE_NOT_READY) from exc


def _site(parts: Parts, site_id: str) -> Site:
    site = parts.state.site(site_id)
    if site is None:
        raise Problem(404, f"There is no site {site_id}; somebody may have removed it.", code=Refusal.NO_SITE)
    return site


def _new_code(parts: Parts, request: Request, site_id: str, code: Code) -> NewCode:
    """The address in it is the one that the administrator's browser has."""
    host = request.url.netloc[:MAX_HOST]
    command = f"camera-hub enrol {request.url.scheme}://{host} {code}"
    file = parts.settings.certificate
    return NewCode(
        site=_site(parts, site_id),
        code=str(code),
        command=command,
        qr=segno.make(command, error="m", micro=False).svg_data_uri(scale=4, border=2, light="#fff"),
        certificate="" if file is None else fingerprint(own_certificate(file)),
    )
