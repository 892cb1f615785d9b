"""Brings a database to this release's tables, and says so when a newer release was there before.

The migrations lie in `migrations/versions/`, inside the package, and are run at every start by
Alembic within one transaction each.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, delete, insert, inspect, select

from camera_hub import __version__
from camera_hub.store.database import Database, StoreDamagedError, StoreNewerError
from camera_hub.store.tables import meta

MIGRATIONS = Path(__file__).parent / "migrations"
_WRITTEN_BY = "written_by"


async def migrate(database: Database) -> None:
    """Raises StoreNewerError, or another StoreError when the database cannot be used."""
    async with database.write() as connection:
        await connection.run_sync(_migrate, database.name)


def _migrate(connection: Connection, name: str) -> None:
    config = Config()
    # Alembic reads its options through configparser, where % is special.
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    heads = MigrationContext.configure(connection).get_current_heads()
    if not set(heads) <= known:
        raise StoreNewerError(
            f"{name}: this database was written by a newer camera-hub ({_writer(connection)}; this is "
            f"{__version__}); install that version, or restore the backup made before the upgrade"
        )
    if not heads and inspect(connection).get_table_names():
        raise StoreDamagedError(
            f"{name}: a database of some other program; move it away, or choose another folder for the data"
        )
    command.upgrade(config, "head")
    connection.execute(delete(meta).where(meta.c.key == _WRITTEN_BY))
    connection.execute(insert(meta).values(key=_WRITTEN_BY, value=__version__))


def _writer(connection: Connection) -> str:
    if not inspect(connection).has_table(meta.name):
        return "its version is not known"
    found = connection.scalar(select(meta.c.value).where(meta.c.key == _WRITTEN_BY))
    return str(found or "its version is not known")
