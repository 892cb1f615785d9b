"""Passwords: Argon2id by pwdlib, in threads of its own and few at a time, since each takes 64 MiB.

Nothing here keeps or logs a password.
"""

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from camera_hub.model import HubError

AT_ONCE = 2
WAITING = 20
# Letters that are not taken for one another, read aloud or in print.
_READABLE = "abcdefghjkmnpqrstuvwxyz23456789"


class PasswordsBusyError(HubError):
    """Too many sign-ins at once."""


class Passwords:
    """`hasher` other than None replaces Argon2 with its recommended costs."""

    def __init__(self, hasher: Argon2Hasher | None = None) -> None:
        self._hash = PasswordHash((hasher or Argon2Hasher(),))
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="passwords")
        self._waiting = 0
        self._nobody = self._hash.hash(secrets.token_hex(16))

    async def hash(self, password: str) -> str:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._hash.hash, password)

    async def fits(self, password: str, password_hash: str | None) -> bool:
        """Whether it is the password. None for a user who is not there takes as long as for one who is.

        Raises PasswordsBusyError when too many wait.
        """
        if self._waiting >= WAITING:
            raise PasswordsBusyError("Too many people sign in at once; try again in a moment.")
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            known = password_hash or self._nobody
            fits = await loop.run_in_executor(self._threads, self._hash.verify, password, known)
        finally:
            self._waiting -= 1
        return fits and password_hash is not None

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def readable_password() -> str:
    """A new password of four groups of four letters, about 79 bits, that one can read out."""
    groups = ["".join(secrets.choice(_READABLE) for _ in range(4)) for _ in range(4)]
    return "-".join(groups)
