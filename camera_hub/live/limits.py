"""How many may watch at once: one count for all ways of watching."""

from collections import Counter
from collections.abc import Callable

from camera_hub.model import HubError, NotLive

IN_ALL = 600
PER_CAMERA = 300
PER_USER = 64


class TooManyViewersError(HubError):
    """As many watch as are allowed to."""

    def __init__(self, words: str, code: NotLive = NotLive.TOO_MANY) -> None:
        super().__init__(words)
        self.code = code


class Limits:
    """Places for viewers: in all, of one camera, of one user. To be used in one event loop."""

    def __init__(self, in_all: int = IN_ALL, per_camera: int = PER_CAMERA, per_user: int = PER_USER) -> None:
        self._in_all = in_all
        self._per_camera = per_camera
        self._per_user = per_user
        self._cameras: Counter[str] = Counter()
        self._users: Counter[str] = Counter()

    def take(self, owner: str, camera: str) -> Callable[[], None]:
        """A place for a user's view of a camera; what comes back gives it up. Raises TooManyViewersError."""
        if self._users[owner] >= self._per_user:
            raise TooManyViewersError(
                f"you have {self._per_user} live views open, as many as one user may; "
                "close one, here or in another window, and try again",
                NotLive.TOO_MANY_YOURS,
            )
        if self._cameras[camera] >= self._per_camera:
            raise TooManyViewersError(
                f"{self._per_camera} watch this camera already, which is the limit; try again later"
            )
        if self._cameras.total() >= self._in_all:
            raise TooManyViewersError(
                f"{self._in_all} live views are open, which is the limit; close one and try again"
            )
        self._cameras[camera] += 1
        self._users[owner] += 1
        held = True

        def give_back() -> None:
            nonlocal held
            if held:
                held = False
                for counter, key in ((self._cameras, camera), (self._users, owner)):
                    counter[key] -= 1
                    if not counter[key]:
                        del counter[key]

        return give_back
