"""What servers want of this site's cameras: checked, kept on disk, and laid over the configuration.

Of several servers that want different things of one setting, the one that said so last has its way (by its
own clock, but never later than the wish arrived here); the others are told. A server may want only what the
configuration lets it (`may_change`): what it no longer lets, or the cameras no longer take, does not hold.
Promises: what is answered as applied is on disk, and holds after a kill and without a link; a file that is
damaged costs only the time until the servers, which keep what they want, have linked again.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec
import structlog

from camera_hub.clock import Clock
from camera_hub.config import CameraConfig
from camera_hub.config.pushed import PushedError, with_setting
from camera_hub.folder import write_whole
from camera_hub.link.messages import Configured
from camera_hub.model import Answer, Setting, WhyNot, Wish, WishOutcome

log = structlog.get_logger(__name__)

FILE = "wishes.json"
NO_WISH = "null"

_Place = tuple[str, str, str]
"""(server, camera, key)"""


class KeptWish(msgspec.Struct, frozen=True):
    """A wish as it is on disk."""

    server: str
    wish: Wish
    said_us: int  # not later than it arrived
    number: int  # in the order of arrival


class Wishes:
    """Those of all servers of a worker."""

    def __init__(
        self,
        folder: Path,
        cameras: Sequence[CameraConfig],
        may_change: Mapping[str, frozenset[Setting]],
        clock: Clock,
    ) -> None:
        """`may_change`: of each server that is linked to, what it may change."""
        self._file = folder / FILE
        self._in_file = {camera.id: camera for camera in cameras}
        self._may_change = may_change
        self._clock = clock
        self._kept = self._read()
        # What each server wants, as it said since our start, and what it was answered.
        self._told: dict[str, dict[tuple[str, str], Wish]] = {server: {} for server in may_change}
        self._answers: dict[str, tuple[Answer, ...]] = {}
        self._writing = asyncio.Lock()

    def camera(self, camera_id: str) -> CameraConfig:
        """The camera as it is to be now."""
        camera = self._in_file[camera_id]
        for key in Setting:
            holds = self._holds(camera_id, key)
            if holds is not None:
                camera = with_setting(camera, key, holds.wish.value)
        return camera

    async def take(self, server: str, wishes: Sequence[Wish]) -> Configured:
        """Keeps what a server wants (anew), as far as it may be; gives what became of it.

        Not to be cancelled: what is on disk and what holds would be two things.
        """
        async with self._writing:
            now_us = self._clock.wall_us()
            kept = dict(self._kept)
            for wish in wishes:
                place = (server, wish.camera, wish.key)
                before = kept.get(place)
                if self._refusal(server, wish) is not None or (before and before.wish == wish):
                    continue
                if wish.value == NO_WISH:
                    kept.pop(place, None)
                else:
                    number = max((one.number for one in kept.values()), default=0) + 1
                    kept[place] = KeptWish(server, wish, min(wish.said_us, now_us), number)
            try:
                if kept != self._kept:
                    await asyncio.to_thread(write_whole, self._file, msgspec.json.encode([*kept.values()]))
            except OSError as exc:
                log.error("what a server wants cannot be kept", server=server, error=str(exc))
                return Configured(tuple(_not_kept(wish, exc) for wish in wishes))
            self._kept = kept
            told = self._told[server]
            for wish in wishes:
                if wish.camera in self._in_file and wish.key in list(Setting):
                    told[wish.camera, wish.key] = wish
            self._answers[server] = self._answers_to(server, told.values())
            return Configured(self._answers_to(server, wishes))

    def other_answers(self) -> dict[str, Configured]:
        """By server, the answers that are others now than they were when they were given last."""
        changed = {}
        for server, told in self._told.items():
            answers, before = self._answers_to(server, told.values()), self._answers.get(server, ())
            if answers != before:
                changed[server] = Configured(tuple(one for one in answers if one not in before))
                self._answers[server] = answers
        return changed

    def _answers_to(self, server: str, wishes: Iterable[Wish]) -> tuple[Answer, ...]:
        return tuple(self._answer(server, wish) for wish in wishes)

    def _answer(self, server: str, wish: Wish) -> Answer:
        refused = self._refusal(server, wish)
        if refused is not None:
            return refused
        holds = self._holds(wish.camera, Setting(wish.key))
        if wish.value != NO_WISH and holds is not None and holds.wish.value != wish.value:
            return _answer(wish, WishOutcome.OVERRULED, detail=holds.server)
        return _answer(wish, WishOutcome.APPLIED)

    def _holds(self, camera: str, key: Setting) -> KeptWish | None:
        """The wish that has its way."""
        found = [self._kept.get((server, camera, key.value)) for server in self._may_change]
        good = [one for one in found if one is not None and self._refusal(one.server, one.wish) is None]
        return max(good, key=lambda one: (one.said_us, one.number), default=None)

    def _refusal(self, server: str, wish: Wish) -> Answer | None:
        """Why a wish is refused, as the answer to it; None where it is not."""
        if wish.key not in list(Setting):
            known = ", ".join(Setting)
            return _refused(
                wish, WhyNot.UNKNOWN_KEY, f"there is no setting {wish.key[:64]!r}; there are {known}"
            )
        if wish.value == NO_WISH:
            return None  # that the hamlet has its way needs no leave
        if Setting(wish.key) not in self._may_change.get(server, ()):
            return _refused(
                wish,
                WhyNot.NOT_ALLOWED,
                f"the site's configuration does not let this server change {wish.key!r}; its operator may "
                "allow it (may_change, under link)",
            )
        camera = self._in_file.get(wish.camera)
        if camera is None:
            return _refused(wish, WhyNot.NO_CAMERA, f"the site has no camera {wish.camera[:64]!r}")
        try:
            with_setting(camera, Setting(wish.key), wish.value)
        except PushedError as exc:
            return _refused(wish, WhyNot.INVALID, str(exc)[:1000])
        return None

    def _read(self) -> dict[_Place, KeptWish]:
        try:
            kept = msgspec.json.decode(self._file.read_bytes(), type=list[KeptWish])
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.DecodeError, msgspec.ValidationError) as exc:
            log.error(
                "what servers want cannot be read; they say it again", file=str(self._file), error=str(exc)
            )
            return {}
        return {(one.server, one.wish.camera, one.wish.key): one for one in kept}


def _answer(wish: Wish, outcome: WishOutcome, why: WhyNot | None = None, detail: str = "") -> Answer:
    return Answer(wish.camera, wish.key, wish.version, outcome, why, detail)


def _refused(wish: Wish, why: WhyNot, detail: str) -> Answer:
    return _answer(wish, WishOutcome.REFUSED, why, detail)


def _not_kept(wish: Wish, exc: OSError) -> Answer:
    text = f"the site's disk takes nothing ({exc.strerror}); it is asked again at the next link"
    return _refused(wish, WhyNot.NOT_KEPT, text)
