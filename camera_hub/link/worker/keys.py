"""A worker's key for one server, and the next one while it is being changed.

Promises: at every moment, also after a power cut, the key that the server has is on the disk. The next key
is kept beside the old one until the server has said which it takes; when the old one is refused meanwhile,
the next one is tried.
"""

from pathlib import Path

from camera_hub.link.handshake import SiteKey


class WorkerKey:
    """`path` None: the key cannot be changed by the server, since a person wrote it into its config."""

    def __init__(self, key: SiteKey, path: Path | None = None) -> None:
        self._key = key
        self._path = path
        self._tried_next = False

    @classmethod
    def of(cls, path: Path) -> "WorkerKey":
        """The key in `path`, which may be changed. Raises HubError."""
        return cls(SiteKey.load_or_make(path), path)

    def to_show(self) -> SiteKey:
        """The key to sign in with."""
        return self.next_key() if self._tried_next else self._key

    def refused(self) -> None:
        """The key that was shown is not the server's: perhaps it took the other one."""
        self._tried_next = not self._tried_next and self._next_path is not None and self._next_path.exists()

    def accepted(self) -> None:
        """The key that was shown is the server's."""
        if self._tried_next:
            self.taken(self.next_key().public_bytes())

    @property
    def may_change(self) -> bool:
        return self._path is not None

    def next_key(self) -> SiteKey:
        """The key that shall be the site's; made once. Raises HubError when it cannot be kept."""
        assert self._next_path is not None
        return SiteKey.load_or_make(self._next_path)

    def taken(self, public: bytes) -> bool:
        """The server takes this key: it is ours from now on. False when it is not the next one."""
        path, next_path = self._path, self._next_path
        if path is None or next_path is None or not next_path.exists():
            return False
        key = self.next_key()
        if key.public_bytes() != public:
            return False
        next_path.rename(path)
        self._key, self._tried_next = key, False
        return True

    @property
    def _next_path(self) -> Path | None:
        return None if self._path is None else self._path.with_suffix(".next")
