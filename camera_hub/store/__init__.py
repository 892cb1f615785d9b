"""The server's database and the media files beside it: tables, migrations, queries.

`Store` is the door, `Store.alerts` the one to alerts, `Store.wishes` to what is wanted of cameras; `events`,
`verdicts`, `sites`, `enrolments`, `users`, `inbox`, `alerts` and `telling` hold the queries, `batch` what is
delivered in one transaction, `media` the files, `arriving` those that are not whole yet.
Relies on one data folder that no other server uses (camera_hub/folder.py holds it).

Invariants, held by the tests:

1. A durable message of a site takes effect exactly once: its row in `inbox` and its effect are
   committed together, and only then is it acknowledged. The same id with another content is refused.
2. An event in `events` is its highest revision that ever arrived; `event_zones` holds exactly the
   zones of that revision.
3. A row in `media` names a complete file: the file is written, synced and renamed before the row
   is committed. A file without a row is litter; `Store.tidy` removes it.
4. A picture or a clip may arrive before its event. It is kept, and shown once the event is there.
5. Nothing of one site can change another site's events, whatever ids it sends.
6. Every instant is an integer of microseconds since the Unix epoch, UTC.
7. No password, no session token and no one-time code is stored, only what checks them. A code is used for one
   key at most, whoever asks at the same time.
8. A row in `verdicts` is never changed, and goes with its event alone. An event's verdict is that of its row
   with the highest number; a row without one takes back what was said before. No delivery touches them.
"""

from camera_hub.store.database import (
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreFullError,
    StoreNewerError,
)
from camera_hub.store.dating import Dating
from camera_hub.store.facade import Store
from camera_hub.store.inbox import UnacceptableError
from camera_hub.store.records import (
    CURSOR_PATTERN,
    ULID_PATTERN,
    Cursor,
    Delivery,
    EnrolmentRecord,
    EventFilter,
    EventPage,
    Media,
    MediaKind,
    Outcome,
    SessionRecord,
    SiteRecord,
    StoredCamera,
    StoredEvent,
    StoredVerdict,
    UserRecord,
)
from camera_hub.store.wishes import WishRecord

__all__ = [
    "CURSOR_PATTERN",
    "ULID_PATTERN",
    "Cursor",
    "Dating",
    "Delivery",
    "EnrolmentRecord",
    "EventFilter",
    "EventPage",
    "Media",
    "MediaKind",
    "Outcome",
    "SessionRecord",
    "SiteRecord",
    "Store",
    "StoreBusyError",
    "StoreDamagedError",
    "StoreError",
    "StoreFullError",
    "StoreNewerError",
    "StoredCamera",
    "StoredEvent",
    "StoredVerdict",
    "UnacceptableError",
    "UserRecord",
    "WishRecord",
]
