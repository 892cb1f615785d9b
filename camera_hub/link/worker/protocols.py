"""What the worker's end of the link relies on: an outbox, and the worker itself."""

from collections.abc import Sequence
from typing import Protocol

from camera_hub.link.messages import (
    Configure,
    Configured,
    Health,
    Lane,
    RangeWanted,
    Shed,
    Spans,
    SpansWanted,
    Still,
    StillRequest,
)
from camera_hub.link.worker.outgoing import Numbered
from camera_hub.model import CameraInfo, StreamName


class Outbox(Protocol):
    """Durable messages for one server, numbered in the order they were put in. May raise HubError."""

    async def newest(self) -> int:
        """The greatest number there is; what is put in later has a greater one."""

    async def unacknowledged(
        self, lane: Lane, after: int, until: int | None, limit: int
    ) -> Sequence[Numbered]:
        """Those of a lane with numbers in (after, until], the smallest first."""

    async def acknowledge(self, ids: Sequence[str]) -> None: ...

    def depth(self) -> int:
        """How many there are."""

    def shed(self) -> Sequence[Shed]:
        """What was let go lately, unsent."""


class OpenRange(Protocol):
    """A range of recordings that is being read."""

    start_us: int
    codec: str
    width: int
    height: int
    size: int | None

    def read(self, most: int) -> bytes:
        """The next bytes, none at the end. Blocks; raises OSError and EOFError."""

    def close(self) -> None: ...


class Recordings(Protocol):
    """What is recorded, for a server that looks back."""

    async def spans(self, asked: SpansWanted) -> Spans: ...

    async def open_range(self, asked: RangeWanted) -> OpenRange:
        """Raises NotRecordedError."""


class Hamlet(Protocol):
    """What a server may ask of the worker."""

    @property
    def recordings(self) -> Recordings: ...

    def cameras(self) -> tuple[CameraInfo, ...]: ...

    def health(self) -> Health: ...

    def watch(self, server: str, camera: str, stream: StreamName, on: bool) -> None:
        """Send the server's link a stream's packets, from the newest keyframe on; or stop."""

    def listen(self, server: str, camera: str, stream: StreamName, on: bool) -> None:
        """Send the sound of a stream that the server's link has, too; or stop."""

    def unwatch_all(self, server: str) -> None: ...

    async def still(self, request: StillRequest) -> Still: ...

    async def configure(self, server: str, wanted: Configure) -> Configured:
        """What the server wants of the cameras; answered when it is kept, and done as far as it may be."""
