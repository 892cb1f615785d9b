"""Queries on sites and their cameras. Callers hold the transaction."""

import msgspec
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from camera_hub.model import CameraInfo
from camera_hub.store.records import SiteRecord, StoredCamera
from camera_hub.store.tables import cameras, sites


async def linked(
    connection: AsyncConnection,
    site: str,
    name: str,
    software: str,
    told: tuple[CameraInfo, ...],
    now_us: int,
) -> None:
    """A site is linked and told its cameras; those that it no longer has stay as names of old events."""
    values = {"name": name, "software": software, "linked_us": now_us, "last_contact_us": now_us}
    done = await connection.execute(update(sites).where(sites.c.id == site).values(values))
    if not done.rowcount:
        await connection.execute(insert(sites).values(id=site, **values))
    await cameras_told(connection, site, told)


async def cameras_told(connection: AsyncConnection, site: str, told: tuple[CameraInfo, ...]) -> None:
    """These are the site's cameras from now on."""
    await connection.execute(update(cameras).where(cameras.c.site == site).values(present=False))
    for position, camera in enumerate(told):
        facts = {**msgspec.to_builtins(camera), "position": position, "present": True}
        key = (cameras.c.site == site, cameras.c.id == camera.id)
        done = await connection.execute(update(cameras).where(*key).values(facts))
        if not done.rowcount:
            await connection.execute(insert(cameras).values(site=site, **facts))


async def heard(connection: AsyncConnection, site: str, now_us: int) -> None:
    await connection.execute(update(sites).where(sites.c.id == site).values(last_contact_us=now_us))


async def all_sites(connection: AsyncConnection) -> list[SiteRecord]:
    rows = (await connection.execute(select(sites).order_by(sites.c.id))).all()
    return [SiteRecord(row.id, row.name, row.software, row.linked_us, row.last_contact_us) for row in rows]


async def all_cameras(connection: AsyncConnection) -> list[StoredCamera]:
    """The cameras that their sites have now, in the sites' own order."""
    query = select(cameras).where(cameras.c.present).order_by(cameras.c.site, cameras.c.position)
    return [
        StoredCamera(
            row.site,
            msgspec.convert(
                {
                    "id": row.id,
                    "name": row.name,
                    "place": row.place,
                    "zones": row.zones,
                    "streams": row.streams,
                    "lines": row.lines,
                },
                CameraInfo,
            ),
        )
        for row in (await connection.execute(query)).all()
    ]
