"""Sessions: a random token in a cookie, of which the store keeps only the SHA-256.

A session ends when it is ended, when it was not used for `IDLE_US`, and at the latest `LONGEST_US`
after the sign-in.
"""

import hashlib
import secrets

from camera_hub.clock import Clock
from camera_hub.store import SessionRecord, Store

DAY_US = 86_400 * 1_000_000
IDLE_US = 7 * DAY_US
LONGEST_US = 30 * DAY_US
_SEEN_EVERY_US = 300 * 1_000_000  # how exactly the last use is kept; each write costs the disk


class Sessions:
    """Makes, finds and ends sessions."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def begin(self, user: str) -> str:
        """A new session's token."""
        token = secrets.token_urlsafe(32)
        await self._store.add_session(_hash(token), user, self._clock.wall_us() + LONGEST_US)
        return token

    async def find(self, token: str | None) -> SessionRecord | None:
        """The session of a token, None when there is none or it is over."""
        if not token or len(token) > 128:
            return None
        session = await self._store.session(_hash(token), IDLE_US)
        if session is not None and self._clock.wall_us() - session.seen_us > _SEEN_EVERY_US:
            await self._store.session_seen(session.token_hash)
        return session

    async def still_good(self, session: SessionRecord) -> bool:
        """Whether a session found before is not over yet; being asked is being used."""
        found = await self._store.session(session.token_hash, IDLE_US)
        if found is not None and self._clock.wall_us() - found.seen_us > _SEEN_EVERY_US:
            await self._store.session_seen(found.token_hash)
        return found is not None

    async def end(self, session: SessionRecord) -> None:
        await self._store.end_session(session.token_hash)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()
