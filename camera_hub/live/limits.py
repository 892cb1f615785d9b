"""How many may watch at once: one count for all ways of watching."""

from collections.abc import Callable

from camera_hub.live.whep import TooManyViewersError

IN_ALL = 600


class Limits:
    """Places for viewers. To be used in one event loop."""

    def __init__(self, in_all: int = IN_ALL) -> None:
        self._in_all = in_all
        self._taken = 0

    def take(self, owner: str, camera: str) -> Callable[[], None]:
        """A place for a user's view of a camera; what comes back gives it up. Raises TooManyViewersError."""
        if self._taken >= self._in_all:
            raise TooManyViewersError(
                f"{self._in_all} live views are open, which is the limit; close one and try again"
            )
        self._taken += 1
        held = True

        def give_back() -> None:
            nonlocal held
            if held:
                held = False
                self._taken -= 1

        return give_back
