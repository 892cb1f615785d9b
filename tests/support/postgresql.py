"""A PostgreSQL of the tests' own, on a free port of this machine, with a database for each folder."""

import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import URL

from tests.support import needs
from tests.support.waiting import free_port, until_blocking


class Server:
    """A running server; `url` makes an empty database at the first call for a folder."""

    def __init__(self, programs: Path, folder: Path, port: int) -> None:
        self.port = port
        self._programs = programs
        self._folder = folder
        self._made: set[str] = set()

    def url(self, of: Path) -> URL:
        name = f"hub_{hashlib.sha256(str(of).encode()).hexdigest()[:16]}"
        if name not in self._made:
            self.run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "hub", name)
            self._made.add(name)
        return URL.create("postgresql+asyncpg", "hub", None, "127.0.0.1", self.port, name)

    @property
    def socket(self) -> dict[str, str]:
        """How it is reached by its Unix socket, as a URL's query."""
        return {"host": str(self._folder), "port": str(self.port)}

    def run(self, program: str, *arguments: str) -> None:
        """A program of PostgreSQL's, as the user that it may run as."""
        subprocess.run(
            [str(self._programs / program), *arguments],
            check=True,
            capture_output=True,
            user=_user(),
            cwd=self._folder,
        )


@contextmanager
def postgresql(fsync: bool = False) -> Iterator[Server]:
    """`fsync`: what is committed is forced to the disk, as in life; tests need not wait for that.

    PostgreSQL refuses to run as root: there it runs as the user `postgres` that its package makes."""
    programs = needs.postgresql()
    folder = Path(tempfile.mkdtemp(prefix="camera-hub-pg-"))
    try:
        user = _user()
        if user is not None:
            shutil.chown(folder, user)
        server = Server(programs, folder, free_port())
        data = str(folder / "data")
        server.run("initdb", "-D", data, "-U", "hub", "--auth=trust", "--encoding=UTF8", "--no-sync")
        settings = f"-h 127.0.0.1 -p {server.port} -k {folder} -c fsync={'on' if fsync else 'off'}"
        server.run("pg_ctl", "-D", data, "-o", settings, "-l", str(folder / "log"), "-w", "start")
        try:
            until_blocking(lambda: (folder / "data" / "postmaster.pid").exists())
            yield server
        finally:
            server.run("pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _user() -> str | None:
    if os.geteuid() != 0:
        return None
    return pwd.getpwnam("postgres").pw_name
