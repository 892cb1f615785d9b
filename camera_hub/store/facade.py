"""`Store`: the one door to the database and the media files. Opens, migrates, delivers, asks, tidies.

Each method is one transaction. What it raises is StoreError, in words for people.
"""

import asyncio
import hashlib
from pathlib import Path
from typing import Self

from sqlalchemy import select
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from camera_hub.clock import SYSTEM_CLOCK, Clock
from camera_hub.model import CameraInfo, Event, Verdict
from camera_hub.store import arriving, batch, enrolments, events, inbox, media, sites, users, verdicts
from camera_hub.store.alert_store import AlertStore
from camera_hub.store.database import BUSY_S, Database, StoreError, sqlite_url, whole
from camera_hub.store.dating import Dating
from camera_hub.store.inbox import UnacceptableError
from camera_hub.store.migrate import migrate
from camera_hub.store.records import (
    Cursor,
    Delivery,
    EnrolmentRecord,
    EventFilter,
    EventPage,
    Media,
    MediaKind,
    Outcome,
    SessionRecord,
    SiteRecord,
    StoredCamera,
    StoredEvent,
    StoredVerdict,
    UserRecord,
)
from camera_hub.store.tables import meta
from camera_hub.store.tidying import DAY_US, Tidying, remove_files
from camera_hub.store.wishes import WishStore

DATABASE = "camera_hub.db"


class Store:
    """Open it with `open` or `async with`; `url` other than None is a SQLAlchemy URL of another database."""

    def __init__(
        self,
        folder: Path,
        *,
        url: URL | str | None = None,
        clock: Clock = SYSTEM_CLOCK,
        busy_s: float = BUSY_S,
    ) -> None:
        self.folder = folder
        self._clock = clock
        self._database = Database(url or sqlite_url(folder / DATABASE), busy_s)
        self.alerts = AlertStore(self._database, clock)
        self.wishes = WishStore(self._database)
        self._tidying = Tidying(self._database, folder, clock)

    async def open(self) -> None:
        """Makes or migrates the database. Raises StoreNewerError, StoreDamagedError, StoreBusyError …"""
        try:
            await asyncio.to_thread(self.folder.mkdir, parents=True, exist_ok=True)
        except OSError as exc:
            raise StoreError(
                f"{self.folder}: cannot be made ({exc.strerror}); choose another folder"
            ) from exc
        try:
            await migrate(self._database)
        except BaseException:
            # A connection left open is a thread left running, and the process would not end.
            await self.close()
            raise

    async def close(self) -> None:
        await self._database.close()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def ping(self) -> None:
        """Raises StoreError when the database does not answer, or not as it should."""
        try:
            async with self._database.read() as connection:
                await connection.execute(select(meta.c.value))
        except SQLAlchemyError as exc:
            raise StoreError(f"{self._database.name}: does not answer as it should ({exc})") from exc

    # -- what the sites bring ------------------------------------------------------------

    @whole
    async def site_linked(self, site: str, name: str, software: str, cameras: tuple[CameraInfo, ...]) -> None:
        async with self._database.write() as connection:
            await sites.linked(connection, site, name, software, cameras, self._clock.wall_us())

    @whole
    async def cameras_told(self, site: str, cameras: tuple[CameraInfo, ...]) -> None:
        """A linked site's cameras are others than they were."""
        async with self._database.write() as connection:
            await sites.cameras_told(connection, site, cameras)

    @whole
    async def site_heard(self, site: str) -> None:
        """Notes the time of the site's last sign of life."""
        async with self._database.write() as connection:
            await sites.heard(connection, site, self._clock.wall_us())

    @whole
    async def deliver_events(
        self, site: str, told: batch.Told, dating: Dating | None = None
    ) -> list[Delivery | UnacceptableError]:
        """Revisions of events, each with its message's id, each exactly once, in one transaction.

        Of each what became of it; an error stands for what will never be taken, and harms no other.
        `dating` sees to times that cannot be right.
        """
        async with self._database.write() as connection:
            return await batch.deliver(connection, site, told, self._clock.wall_us(), dating)

    async def deliver_event(self, site: str, message_id: str, event: Event) -> Delivery:
        """An event's revision, exactly once. Raises UnacceptableError for what will never be taken."""
        (outcome,) = await self.deliver_events(site, [(message_id, event)])
        if isinstance(outcome, UnacceptableError):
            raise outcome
        return outcome

    @whole
    async def deliver_picture(
        self,
        site: str,
        message_id: str,
        event_id: str,
        camera: str,
        at_us: int,
        jpeg: bytes,
        dating: Dating | None = None,
    ) -> Delivery:
        """An event's picture, exactly once; of two pictures the later one stays."""
        inbox.check_message(message_id, event_id, camera, at_us)
        at_us -= dating.off_us(at_us) if dating else 0
        return await self._deliver_media(site, message_id, event_id, MediaKind.PICTURE, at_us, jpeg)

    @whole
    async def deliver_clip(
        self,
        site: str,
        message_id: str,
        event_id: str,
        camera: str,
        start_us: int,
        duration_us: int,
        mp4: bytes,
        dating: Dating | None = None,
    ) -> Delivery:
        """An event's clip, exactly once; of two clips the one that ends later stays."""
        end_us = start_us + duration_us
        inbox.check_message(message_id, event_id, camera, start_us, end_us)
        end_us -= dating.off_us(end_us) if dating else 0
        return await self._deliver_media(site, message_id, event_id, MediaKind.CLIP, end_us, mp4)

    async def _deliver_media(
        self, site: str, message_id: str, event_id: str, kind: MediaKind, at_us: int, content: bytes
    ) -> Delivery:
        sha256 = hashlib.sha256(content).hexdigest()
        async with self._database.read() as connection:
            if await inbox.taken(connection, site, message_id, sha256):
                return Delivery(Outcome.DUPLICATE, await events.get(connection, event_id))
        # The file comes first, so that no row ever names one that is not there.
        item = await asyncio.to_thread(
            media.write, self.folder, site, event_id, kind, message_id, at_us, content
        )
        try:
            async with self._database.write() as connection:
                notes = await inbox.take(connection, site, {message_id: sha256}, self._clock.wall_us())
                note = notes[message_id]
                if isinstance(note, UnacceptableError):
                    raise note
                if not note:
                    outcome, replaced = Outcome.DUPLICATE, None
                else:
                    kept, replaced = await events.put_media(connection, item)
                    outcome = Outcome.APPLIED if kept else Outcome.STALE
                stored = await events.get(connection, event_id)
                candidates = [item.path] if replaced is None else [item.path, replaced]
                known = await events.known_paths(connection, candidates)
        except UnacceptableError:
            await remove_files(self.folder, [item.path])
            raise
        # After any other error the row may be committed or not: the file stays, at worst as litter.
        await remove_files(self.folder, [path for path in candidates if path not in known])
        return Delivery(outcome, stored)

    # -- clips in pieces -----------------------------------------------------------------

    async def clip_begun(self, site: str, message_id: str, sha256: str, size: int) -> int | None:
        """How many bytes of a clip have arrived; None where it was delivered before.

        Raises UnacceptableError where it will never be taken.
        """
        inbox.check_clip(message_id, sha256)
        async with self._database.read() as connection:
            if await inbox.taken(connection, site, message_id, sha256):
                return None
        path = arriving.path_of(self.folder, site, message_id, sha256)
        there = await asyncio.to_thread(arriving.size, path)
        await asyncio.to_thread(arriving.make_room, path, size - there)
        return there

    async def clip_piece(self, site: str, message_id: str, sha256: str, at: int, data: bytes) -> int:
        """Adds a piece; gives how many bytes there are then. A piece beyond what is there is not added."""
        path = arriving.path_of(self.folder, site, message_id, sha256)

        def add() -> int:
            there = arriving.size(path)
            return arriving.add(path, at, data) if at <= there < at + len(data) else there

        return await asyncio.to_thread(add)

    async def clip_whole(self, site: str, message_id: str, sha256: str) -> bytes | None:
        """What has arrived; None where it is not what was offered, and then nothing of it is left."""
        return await asyncio.to_thread(
            arriving.take, arriving.path_of(self.folder, site, message_id, sha256), sha256
        )

    async def clip_done(self, site: str, message_id: str, sha256: str) -> None:
        """Its pieces are needed no more: it was delivered, or never will be."""
        path = arriving.path_of(self.folder, site, message_id, sha256)
        await asyncio.to_thread(arriving.remove, path)

    # -- what people ask -----------------------------------------------------------------

    async def event(self, event_id: str) -> StoredEvent | None:
        async with self._database.read() as connection:
            return await events.get(connection, event_id)

    async def event_page(self, wanted: EventFilter, limit: int, cursor: Cursor | None = None) -> EventPage:
        async with self._database.read() as connection:
            return await events.page(connection, wanted, limit, cursor)

    async def event_media(self, event_id: str, kind: MediaKind) -> Media | None:
        async with self._database.read() as connection:
            return await events.get_media(connection, event_id, kind)

    async def sites(self) -> list[SiteRecord]:
        async with self._database.read() as connection:
            return await sites.all_sites(connection)

    async def cameras(self) -> list[StoredCamera]:
        async with self._database.read() as connection:
            return await sites.all_cameras(connection)

    # -- what people say of events -------------------------------------------------------

    @whole
    async def judge(
        self, event_id: str, verdict: Verdict | None, note: str, user: UserRecord
    ) -> tuple[StoredEvent, bool] | None:
        """Adds what `user` says of an event; None takes back what was said before.

        Gives the event as it is now and whether anything changed; None where there is no such event.
        The one door for a verdict, wherever it is spoken.
        """
        said = StoredVerdict(verdict, note, user.name, user.display_name, self._clock.wall_us())
        async with self._database.write() as connection:
            if await events.get(connection, event_id) is None:
                return None
            changed = await verdicts.put(connection, event_id, said)
            now = await events.get(connection, event_id)
            assert now is not None
            return now, changed

    async def verdicts(self, event_id: str) -> list[StoredVerdict]:
        """All that was ever said of an event, the newest last."""
        async with self._database.read() as connection:
            return await verdicts.history(connection, event_id)

    # -- who may link --------------------------------------------------------------------

    async def enrolments(self) -> list[EnrolmentRecord]:
        async with self._database.read() as connection:
            return await enrolments.everyone(connection)

    @whole
    async def put_enrolment(self, record: EnrolmentRecord) -> None:
        async with self._database.write() as connection:
            await enrolments.put(connection, record)

    @whole
    async def remove_enrolment(self, site: str) -> None:
        async with self._database.write() as connection:
            await enrolments.remove(connection, site)

    @whole
    async def use_code(self, site: str, code_public: str, key: str) -> EnrolmentRecord | None:
        """A code's one use, in one transaction; None when it cannot be used (again) or has expired."""
        async with self._database.write() as connection:
            used = await enrolments.use_code(connection, site, code_public, key, self._clock.wall_us())
            return await enrolments.get(connection, site) if used else None

    @whole
    async def change_key(self, site: str, old: str, new: str) -> EnrolmentRecord | None:
        """A site's new key, if `old` is still its key and not revoked; None otherwise."""
        async with self._database.write() as connection:
            changed = await enrolments.change_key(connection, site, old, new, self._clock.wall_us())
            return await enrolments.get(connection, site) if changed else None

    # -- people and their sessions -------------------------------------------------------

    async def user(self, name: str) -> UserRecord | None:
        async with self._database.read() as connection:
            return await users.get(connection, name)

    async def users(self) -> list[UserRecord]:
        async with self._database.read() as connection:
            return await users.all_users(connection)

    async def has_users(self) -> bool:
        async with self._database.read() as connection:
            return await users.count(connection) > 0

    @whole
    async def put_user(self, user: UserRecord, *, end_sessions: bool = False) -> None:
        """Makes the user, or changes it whole."""
        async with self._database.write() as connection:
            await users.put(connection, user)
            if end_sessions:
                await users.end_sessions_of(connection, user.name)

    @whole
    async def remove_config_users_but(self, names: set[str]) -> list[str]:
        """Removes users that came from the config and are no longer in it; gives their names."""
        async with self._database.write() as connection:
            return await users.remove_config_users_but(connection, names)

    @whole
    async def set_password(self, name: str, password_hash: str, keep_session: str) -> None:
        """Changes the password and ends all the user's sessions but one."""
        async with self._database.write() as connection:
            await users.set_password(connection, name, password_hash)
            await users.end_sessions_of(connection, name, but=keep_session)

    @whole
    async def add_session(self, token_hash: str, name: str, expires_us: int) -> None:
        async with self._database.write() as connection:
            await users.add_session(connection, token_hash, name, self._clock.wall_us(), expires_us)

    async def session(self, token_hash: str, idle_us: int) -> SessionRecord | None:
        async with self._database.read() as connection:
            return await users.get_session(connection, token_hash, self._clock.wall_us(), idle_us)

    @whole
    async def session_seen(self, token_hash: str) -> None:
        async with self._database.write() as connection:
            await users.session_seen(connection, token_hash, self._clock.wall_us())

    @whole
    async def end_session(self, token_hash: str) -> None:
        async with self._database.write() as connection:
            await users.end_session(connection, token_hash)

    # -- tidying -------------------------------------------------------------------------

    @whole
    async def tidy(self, keep_days: int, max_media_bytes: int, session_idle_us: int) -> None:
        """Keeps what is kept within its bounds, the oldest first, and removes litter.

        Events older than `keep_days` go with their media; of the rest, the oldest pictures and clips
        go until all media is within `max_media_bytes`. Their events stay.
        """
        await self._tidying.tidy(keep_days, max_media_bytes, session_idle_us)
        await self.wishes.tidy(self._clock.wall_us() - keep_days * DAY_US)

    @whole
    async def make_room(self, free_bytes: int) -> None:
        """Has the oldest pictures and clips go until so much of the disk is free, or none is left."""
        await self._tidying.make_room(free_bytes)
