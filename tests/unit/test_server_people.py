"""The config is the truth for its users, and a fresh server can be entered by exactly one first login."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from camera_hub.model import HubError
from camera_hub.server.passwords import Passwords, readable_password
from camera_hub.server.people import FILE, first_login, forget_first_login, sync_config_users
from camera_hub.server.settings import ConfigUser
from camera_hub.store import Store
from tests.support.server import START_US, quick_passwords

AN = ConfigUser("an", "An", "viewer", "mật khẩu đầu")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with Store(tmp_path) as opened:
        yield opened


@pytest.fixture
def passwords() -> Passwords:
    return quick_passwords()


async def _hash(store: Store, name: str = "an") -> str:
    user = await store.user(name)
    assert user is not None
    return user.password_hash


async def test_the_configs_users_come_change_and_go(store: Store, passwords: Passwords) -> None:
    await sync_config_users(store, (AN,), passwords)
    await sync_config_users(store, (replace(AN, role="police", display_name="Bác An"),), passwords)
    user = await store.user("an")
    assert user is not None
    assert (user.role, user.display_name) == ("police", "Bác An")
    await sync_config_users(store, (), passwords)
    assert await store.user("an") is None


async def test_a_password_is_hashed_anew_only_when_it_changed(store: Store, passwords: Passwords) -> None:
    await sync_config_users(store, (AN,), passwords)
    await store.add_session("token", "an", 2 * START_US)
    before = await _hash(store)
    await sync_config_users(store, (AN,), passwords)
    assert await _hash(store) == before
    assert await store.session("token", START_US) is not None
    await sync_config_users(store, (replace(AN, password="mật khẩu mới"),), passwords)
    assert await passwords.fits("mật khẩu mới", await _hash(store))
    assert await store.session("token", START_US) is None


async def test_a_password_that_the_user_changed_stays_until_the_config_has_a_new_one(
    store: Store, passwords: Passwords
) -> None:
    await sync_config_users(store, (AN,), passwords)
    await store.set_password("an", await passwords.hash("của riêng An"), keep_session="")
    await sync_config_users(store, (AN,), passwords)
    assert await passwords.fits("của riêng An", await _hash(store))
    await sync_config_users(store, (replace(AN, password="đặt lại"),), passwords)
    assert await passwords.fits("đặt lại", await _hash(store))


async def test_a_fresh_server_has_one_first_login(store: Store, passwords: Passwords) -> None:
    login = await first_login(store, passwords)
    assert login is not None
    assert login.name == "admin"
    assert await passwords.fits(login.password, await _hash(store, "admin"))
    assert login.file.stat().st_mode & 0o777 == 0o600
    assert login.password in login.file.read_text()
    assert login.password not in repr(login)
    assert await first_login(store, passwords) == login
    await forget_first_login(store.folder)
    assert await first_login(store, passwords) is None


async def test_with_users_in_the_config_there_is_no_first_login(store: Store, passwords: Passwords) -> None:
    await sync_config_users(store, (AN,), passwords)
    assert await first_login(store, passwords) is None
    assert not (store.folder / FILE).exists()


async def test_a_first_login_that_cannot_be_written_makes_no_user(store: Store, passwords: Passwords) -> None:
    (store.folder / FILE).mkdir()
    with pytest.raises(HubError, match=r"first-login\.txt"):
        await first_login(store, passwords)
    assert not await store.has_users()


async def test_somebody_who_is_not_there_fits_no_password(passwords: Passwords) -> None:
    assert not await passwords.fits("anything", None)


def test_first_passwords_differ_and_can_be_read_out() -> None:
    made = {readable_password() for _ in range(100)}
    assert len(made) == 100
    assert not set("".join(made)) & set("0O1lI ")
