"""Who may link: the sites that an administrator made, their workers' keys and one-time codes.

All of it is in the store; a copy in memory answers the link at once. Changes go one after another, the
store first, so that the two never say different things. What a change means for a standing link happens
before the change is answered: who is revoked, removed or replaced is cut off.
"""

import asyncio
import base64
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import structlog

from camera_hub.clock import Clock
from camera_hub.link import enrolment
from camera_hub.link.enrolment import Code, CodeRecord
from camera_hub.link.messages import Challenge, Enrol, Enrolled, Refused
from camera_hub.model import REHEARSAL, HubError
from camera_hub.server.attempts import Attempts
from camera_hub.server.certificate import own_certificate
from camera_hub.store import EnrolmentRecord, Store

log = structlog.get_logger(__name__)

CODE_VALID_US = 24 * 3600 * 1_000_000
_TRIES = "enrol"


class NoSiteError(HubError):
    """There is no such site among those that an administrator made."""


class SiteInConfigError(HubError):
    """The config names this site."""


class SiteExistsError(HubError):
    """There is a site of this id already."""


class SiteNotReadyError(HubError):
    """The site's worker cannot do now what was asked."""


class Links(Protocol):
    """The link's server end, as far as it is needed here."""

    async def cut_off(self, site: str, refused: Refused) -> None: ...

    async def want_new_key(self, site: str) -> bool: ...


class Enrolments:
    """Call `load` once, after the store is open; set `links` and `on_change` before anything changes."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        server: str = "server",
        in_config: frozenset[str] = frozenset(),
        certificate: Path | None = None,
    ) -> None:
        """`server` is our own id, for the workers' lists; `certificate` the file of the one that we show."""
        self.links: Links | None = None
        self.on_change: Callable[[str], None] = lambda _: None
        self._store = store
        self._clock = clock
        self._server = server
        self._in_config = in_config
        self._certificate = certificate
        self._records: dict[str, EnrolmentRecord] = {}
        self._attempts = Attempts(clock)
        self._changing = asyncio.Lock()

    async def load(self) -> None:
        self._records = {record.site: record for record in await self._store.enrolments()}

    # -- what is asked ---------------------------------------------------------------------

    def records(self) -> list[EnrolmentRecord]:
        """Those that the config does not name: where it does, the config is the truth."""
        return [record for record in self._records.values() if record.site not in self._in_config]

    def record(self, site: str) -> EnrolmentRecord | None:
        return None if site in self._in_config else self._records.get(site)

    def key(self, site: str) -> str | None:
        record = self.record(site)
        return None if record is None else record.key

    def barred(self, site: str) -> Refused | None:
        record = self.record(site)
        return None if record is None or record.revoked_us is None else _revoked(site)

    # -- what an administrator does -----------------------------------------------------------

    async def create(self, site: str, name: str, by: str) -> Code:
        """Makes a site; gives its code. Raises SiteExistsError."""
        async with self._changing:
            if site in self._records or site in self._in_config or site == REHEARSAL:
                raise SiteExistsError(
                    f"There is a site {site} already; choose another id, or make a new code for it."
                )
            record = EnrolmentRecord(site, name, by, self._clock.wall_us())
            return await self._give_code(record)

    async def new_code(self, site: str, by: str) -> Code:
        """Another code for a site; the one before holds no more. Its worker's key goes on to hold."""
        async with self._changing:
            return await self._give_code(self._changed(site, by))

    async def revoke(self, site: str, by: str) -> None:
        """The site's key holds no more, from this moment."""
        async with self._changing:
            record = _without_code(self._changed(site, by))
            await self._keep(replace(record, revoked_us=record.revoked_us or self._clock.wall_us()))
            await self._cut(site, _revoked(site))

    async def restore(self, site: str, by: str) -> None:
        """The site's key holds again."""
        async with self._changing:
            await self._keep(replace(self._changed(site, by), revoked_us=None))

    async def remove(self, site: str) -> None:
        async with self._changing:
            self._get(site)
            await self._store.remove_enrolment(site)
            del self._records[site]
            self.on_change(site)
            await self._cut(
                site, Refused(code="unknown-site", reason=f"site {site!r} was removed from this server")
            )

    async def want_new_key(self, site: str) -> None:
        """Has a linked worker change its key. Raises SiteNotReadyError when it cannot."""
        self._get(site)
        if self.links is None or not await self.links.want_new_key(site):
            raise SiteNotReadyError(
                f"The worker of {site} is not linked, or its release is too old to change its key from here; "
                "make a new code for it instead."
            )

    # -- what a worker does -----------------------------------------------------------------

    async def enrol(self, asked: Challenge, told: Enrol, address: str) -> Enrolled | Refused:
        """A worker's request to have its key let in."""
        wait_s = self._attempts.wait_s(address, _TRIES)
        if wait_s:
            reason = f"too many wrong codes came from this address; wait {wait_s} s and try again"
            return Refused(code="too-many", reason=reason)
        try:
            answer = await self._enrol(asked, told)
        except HubError as exc:
            log.error("nobody can be enrolled now", error=str(exc))
            return Refused(code="trouble", reason="this server has a trouble of its own; its log says which")
        if isinstance(answer, Refused):
            log.warning("enrolment refused", site=told.site, address=address, reason=answer.reason)
            if answer.code == "wrong-code":
                self._attempts.failed(address, _TRIES)
        else:
            self._attempts.succeeded(address, _TRIES)
            log.info("worker enrolled", site=told.site, address=address, software=told.software)
        return answer

    async def _enrol(self, asked: Challenge, told: Enrol) -> Enrolled | Refused:
        public, key = told.code.hex(), base64.b64encode(told.key).decode()
        async with self._changing:
            record = next((one for one in self.records() if one.code_public == public), None)
            if record is None:
                return enrolment.wrong_code()
            known, certificate = _code(record), None
            if self._certificate is not None:
                certificate = await asyncio.to_thread(own_certificate, self._certificate)
            refused = enrolment.refusal(asked, told, known, certificate)
            refused = refused or self._unusable(record, told.site, key)
            if refused is not None:
                return refused
            before = record.key
            used = await self._store.use_code(record.site, public, key)
            if used is None:
                return _used_or_expired(record.site)
            self._records[used.site] = used
            self.on_change(used.site)
            if before is not None and before != key:
                await self._cut(
                    used.site, Refused(code="wrong-key", reason="another worker was enrolled for this site")
                )
            return enrolment.enrolled(asked, told, known, self._server, self._clock.wall_us())

    def _unusable(self, record: EnrolmentRecord, site: str, key: str) -> Refused | None:
        if record.site != site:
            return Refused(
                code="other-site",
                reason=f"this code is for site {record.site!r}, and the worker's config says site.id "
                f"{site!r}; make the two the same, or have a code made for that site",
            )
        expired = record.code_expires_us is not None and record.code_expires_us <= self._clock.wall_us()
        if expired or record.code_used_key not in (None, key):
            return _used_or_expired(site)
        return None

    async def change_key(self, site: str, key: bytes) -> bool:
        """The worker's new key, signed as it must be; False when the site's key is another by now."""
        async with self._changing:
            record = self.record(site)
            if record is None or record.key is None:
                return False
            changed = await self._store.change_key(site, record.key, base64.b64encode(key).decode())
            if changed is None:
                return False
            self._records[site] = changed
            self.on_change(site)
            log.info("the site has a new key", site=site)
            return True

    # -- within ------------------------------------------------------------------------------

    def _get(self, site: str) -> EnrolmentRecord:
        if site in self._in_config:
            raise SiteInConfigError(
                f"The server's config names site {site}; change it there, under server.sites."
            )
        record = self._records.get(site)
        if record is None:
            raise NoSiteError(f"There is no site {site}; somebody may have removed it.")
        return record

    def _changed(self, site: str, by: str) -> EnrolmentRecord:
        return replace(self._get(site), changed_by=by, changed_us=self._clock.wall_us())

    async def _give_code(self, record: EnrolmentRecord) -> Code:
        code = Code.make()
        await self._keep(
            replace(
                record,
                code_public=code.record.public.hex(),
                code_secret=code.record.server_secret.hex(),
                code_expires_us=self._clock.wall_us() + CODE_VALID_US,
                code_used_key=None,
            )
        )
        return code

    async def _keep(self, record: EnrolmentRecord) -> None:
        await self._store.put_enrolment(record)
        self._records[record.site] = record
        self.on_change(record.site)

    async def _cut(self, site: str, refused: Refused) -> None:
        if self.links is not None:
            await self.links.cut_off(site, refused)


def _code(record: EnrolmentRecord) -> CodeRecord:
    assert record.code_public is not None
    assert record.code_secret is not None
    return CodeRecord(bytes.fromhex(record.code_public), bytes.fromhex(record.code_secret))


def _without_code(record: EnrolmentRecord) -> EnrolmentRecord:
    return replace(record, code_public=None, code_secret=None, code_expires_us=None, code_used_key=None)


def _revoked(site: str) -> Refused:
    return Refused(
        code="revoked",
        reason=f"the key of site {site!r} was revoked on this server by an administrator; to link again, "
        "have a new code made on the dashboard's page of hamlets and run `camera-hub enrol` on the worker",
    )


def _used_or_expired(site: str) -> Refused:
    return Refused(
        code="used-code",
        reason=f"this code for site {site!r} was used by another worker, or its 24 hours are over; have a "
        "new one made on the dashboard's page of hamlets",
    )
