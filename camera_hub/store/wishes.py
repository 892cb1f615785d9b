"""`WishStore`: what is wanted of cameras, by whom and when, and what their workers answered."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import ColumnElement, and_, delete, func, insert, select, update
from sqlalchemy.engine import RowMapping

from camera_hub.model import Setting, WhyNot, Wish, WishOutcome
from camera_hub.store.database import Database, whole
from camera_hub.store.tables import wishes

MOST_KEPT = 1000  # of one setting's history: a machine that switches to and fro must not fill the disk


@dataclass(frozen=True)
class WishRecord:
    """What was wanted of one setting, and what became of it."""

    site: str
    camera: str
    key: Setting
    version: int
    value: str  # JSON; "null": as the hamlet has it
    by: str  # the account's name
    by_name: str
    said_us: int
    outcome: WishOutcome | None = None  # None: not answered yet
    why: WhyNot | None = None
    detail: str = ""
    answered_us: int | None = None

    @property
    def wish(self) -> Wish:
        """As the worker is told."""
        return Wish(self.camera, self.key.value, self.value, self.version, self.said_us)


class WishStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def newest(self) -> list[WishRecord]:
        """Of each setting of each camera, what is wanted now."""
        newest = (
            select(wishes.c.site, wishes.c.camera, wishes.c.key, func.max(wishes.c.version).label("version"))
            .group_by(wishes.c.site, wishes.c.camera, wishes.c.key)
            .subquery()
        )
        same = [wishes.c[name] == newest.c[name] for name in ("site", "camera", "key", "version")]
        query = select(wishes).join(newest, and_(*same))
        async with self._database.read() as connection:
            return [_record(row) for row in (await connection.execute(query)).mappings()]

    async def history(self, site: str, camera: str, limit: int) -> list[WishRecord]:
        """What was ever wanted of a camera, the newest first."""
        query = (
            select(wishes)
            .where(wishes.c.site == site, wishes.c.camera == camera)
            .order_by(wishes.c.said_us.desc(), wishes.c.version.desc())
            .limit(limit)
        )
        async with self._database.read() as connection:
            return [_record(row) for row in (await connection.execute(query)).mappings()]

    @whole
    async def put(self, records: Sequence[WishRecord]) -> None:
        """Adds what is wanted now, all of it or nothing; what was wanted long before is forgotten."""
        async with self._database.write() as connection:
            await connection.execute(insert(wishes), [asdict(record) for record in records])
            for record in records:
                old = wishes.c.version <= record.version - MOST_KEPT
                await connection.execute(delete(wishes).where(*_setting(record), old))

    @whole
    async def answered(self, records: Sequence[WishRecord]) -> None:
        """Notes what a worker answered."""
        async with self._database.write() as connection:
            for record in records:
                await connection.execute(
                    update(wishes)
                    .where(*_setting(record), wishes.c.version == record.version)
                    .values(
                        outcome=record.outcome,
                        why=record.why,
                        detail=record.detail,
                        answered_us=record.answered_us,
                    )
                )

    @whole
    async def remove_site(self, site: str) -> None:
        async with self._database.write() as connection:
            await connection.execute(delete(wishes).where(wishes.c.site == site))

    @whole
    async def tidy(self, before_us: int) -> None:
        """Forgets what was wanted before then, and is no more."""
        later = wishes.alias()
        replaced = (
            select(later.c.version)
            .where(
                later.c.site == wishes.c.site,
                later.c.camera == wishes.c.camera,
                later.c.key == wishes.c.key,
                later.c.version > wishes.c.version,
            )
            .exists()
        )
        async with self._database.write() as connection:
            await connection.execute(delete(wishes).where(wishes.c.said_us < before_us, replaced))


def _setting(record: WishRecord) -> tuple[ColumnElement[bool], ...]:
    here = wishes.c
    return here.site == record.site, here.camera == record.camera, here.key == record.key


def _record(row: RowMapping) -> WishRecord:
    values = dict(row)
    values["key"] = Setting(values["key"])
    values["outcome"] = None if values["outcome"] is None else WishOutcome(values["outcome"])
    values["why"] = None if values["why"] is None else WhyNot(values["why"])
    return WishRecord(**values)
