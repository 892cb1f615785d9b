"""Who may sign in: the config's users, or on a fresh server an `admin` with a password of its own.

The config is the truth for the users that it names: they come, change and go with it. They may
change their password themselves; a new one in the config takes its place. A server whose store has
no user at all makes `admin`; the password lies in `first-login.txt` (mode 600) in the data folder
until it is changed.
"""

import asyncio
import os
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from camera_hub.model import HubError
from camera_hub.server.passwords import Passwords, readable_password
from camera_hub.server.rights import Role
from camera_hub.server.settings import ConfigUser
from camera_hub.store import Store, UserRecord

log = structlog.get_logger(__name__)

FILE = "first-login.txt"
ADMIN = "admin"


@dataclass(frozen=True)
class FirstLogin:
    """The first user of a fresh server, for printing once."""

    name: str
    password: str = field(repr=False)
    file: Path


async def sync_config_users(store: Store, wanted: tuple[ConfigUser, ...], passwords: Passwords) -> None:
    """Makes the store's users those of the config. A changed password ends that user's sessions."""
    gone = await store.remove_config_users_but({user.name for user in wanted})
    for name in gone:
        log.info("user removed, since the config no longer names them", user=name)
    for user in wanted:
        there = await store.user(user.name)
        same = there is not None and await passwords.fits(user.password, there.config_hash)
        if there is not None and same:
            own, given = there.password_hash, there.config_hash
        else:
            own = given = await passwords.hash(user.password)
        record = UserRecord(user.name, user.display_name or user.name, user.role, own, given)
        if record != there:
            await store.put_user(record, end_sessions=not same)


async def first_login(store: Store, passwords: Passwords) -> FirstLogin | None:
    """The first login of a fresh server, made when there is no user; None when people are there.

    It is found again at each start for as long as its file is there. Raises HubError when the file
    cannot be written.
    """
    file = store.folder / FILE
    if await store.has_users():
        return await asyncio.to_thread(_read, file)
    login = FirstLogin(ADMIN, readable_password(), file)
    # The file first: a user whose password nobody knows would lock everybody out.
    await asyncio.to_thread(_write, file, login)
    hashed = await passwords.hash(login.password)
    await store.put_user(UserRecord(ADMIN, "Admin", Role.ADMIN.value, hashed))
    return login


async def forget_first_login(data: Path) -> None:
    """Removes the file, once the password is another."""
    await asyncio.to_thread((data / FILE).unlink, missing_ok=True)


def _write(file: Path, login: FirstLogin) -> None:
    try:
        file.unlink(missing_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as out:
            out.write(f"{login.name}\n{login.password}\n")
    except OSError as exc:
        raise HubError(f"{file}: cannot be written ({exc.strerror}); check the folder's owner") from exc


def _read(file: Path) -> FirstLogin | None:
    try:
        name, password = file.read_text().splitlines()[:2]
    except (OSError, ValueError):
        return None
    return FirstLogin(name, password, file)
