"""The servers that this worker was enrolled at: kept beside its recordings, never in the configuration.

In `servers/` of the data folder each has NAME.json (what it is and how it is known), NAME.key (the key that
it let in, mode 600) and, where its authority was given, NAME.pem. Promises: a server is there whole or not
at all, also after a power cut; what is there is never half of an older and half of a newer enrolment.
"""

import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from camera_hub.config import LinkServerConfig
from camera_hub.folder import write_whole
from camera_hub.link.handshake import SiteKey
from camera_hub.model import HubError

FOLDER = "servers"


class EnrolledServer(msgspec.Struct, frozen=True):
    """A server that took this worker in."""

    name: str
    url: str
    site: str  # our site's id there
    key: str  # the key's file, within the folder
    certificate_sha256: str  # hex; empty where authorities vouch for the server
    ca_file: str  # the authorities' file, within the folder; empty for those of this machine
    enrolled_us: int

    @property
    def enrolled(self) -> datetime:
        return datetime.fromtimestamp(self.enrolled_us / 1e6, UTC)


class EnrolledServers:
    """Those of one worker, under `data`."""

    def __init__(self, data: Path) -> None:
        self.folder = data / FOLDER

    def all(self) -> list[EnrolledServer]:
        """By name. Raises HubError naming a file that is damaged."""
        return [_read(path) for path in sorted(self.folder.glob("*.json"))]

    def stamp(self) -> frozenset[tuple[str, int]]:
        """Another one when a server came, went or was enrolled at anew; not when a key changed."""
        found = set()
        for path in self.folder.glob("*.json"):
            with contextlib.suppress(FileNotFoundError):  # it has just gone
                found.add((path.name, path.stat().st_mtime_ns))
        return frozenset(found)

    def links(self, named: Sequence[LinkServerConfig] = ()) -> list[LinkServerConfig]:
        """As the worker dials them. Raises HubError where the config names one of them (`named`) too."""
        twice = {server.name for server in self.all()} & {server.name for server in named}
        if twice:
            name = min(twice)
            raise HubError(
                f"link.servers names the server {name!r}, and this worker was enrolled at one of that name, "
                f"too; take it out of the configuration, or run: camera-hub servers CONFIG --forget {name}"
            )
        return [
            LinkServerConfig.model_construct(
                name=server.name,
                url=server.url,
                ca_file=self.folder / server.ca_file if server.ca_file else None,
                certificate_sha256=server.certificate_sha256,
            )
            for server in self.all()
        ]

    def key_file(self, name: str) -> Path | None:
        """Where the key for this server lies; None for a server that the config names."""
        path = self.folder / f"{name}.json"
        return self.folder / _read(path).key if path.exists() else None

    def key_for_code(self, code_public: bytes) -> tuple[SiteKey, Path]:
        """A fresh key for this enrolment; the same one when it is tried again, for the code holds for one."""
        path = self.folder / f"code-{code_public.hex()[:16]}.key"
        return SiteKey.load_or_make(path), path

    def add(self, server: EnrolledServer, ca_file: Path | None) -> None:
        """Keeps the server, in place of an older one of that name. Raises HubError when it cannot be kept.

        `ca_file` is copied: it is the authority's certificate, where `server.ca_file` is to hold it.
        """
        path = self.folder / f"{server.name}.json"
        before = _read(path) if path.exists() else None
        try:
            if server.ca_file and ca_file is not None:
                write_whole(self.folder / server.ca_file, ca_file.read_bytes())
            write_whole(path, msgspec.json.format(msgspec.json.encode(server), indent=2) + b"\n")
            if before is not None:
                self._forget_files(before, but=server)
            self._forget_unused_keys()
        except OSError as exc:
            raise HubError(
                f"{self.folder}: what the server said cannot be kept ({exc.strerror}); mend that, and enter "
                "the same command again"
            ) from exc

    def forget(self, name: str) -> None:
        """Raises HubError when there is no such server."""
        path = self.folder / f"{name}.json"
        if not path.exists():
            raise HubError(
                f"this worker was not enrolled at a server {name!r}; `camera-hub servers` lists them"
            )
        before = _read(path)
        path.unlink()
        self._forget_files(before)

    def _forget_unused_keys(self) -> None:
        """Those made for codes that came to nothing."""
        used = {server.key for server in self.all()}
        for path in self.folder.glob("code-*.key"):
            if path.name not in used:
                path.unlink()

    def _forget_files(self, server: EnrolledServer, but: EnrolledServer | None = None) -> None:
        kept = {but.key, but.ca_file} if but else set()
        key = Path(server.key)
        for name in {server.key, key.with_suffix(".next").name, server.ca_file} - kept - {""}:
            (self.folder / name).unlink(missing_ok=True)


def _read(path: Path) -> EnrolledServer:
    try:
        return msgspec.json.decode(path.read_bytes(), type=EnrolledServer)
    except (OSError, msgspec.DecodeError, msgspec.ValidationError) as exc:
        raise HubError(f"{path}: cannot be read ({exc}); remove it and run `camera-hub enrol` again") from exc
