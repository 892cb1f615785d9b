"""What is told of an alert, and what may come of telling it. No I/O."""

from typing import Any

import msgspec

from camera_hub.model import HubError


class Told(msgspec.Struct, frozen=True):
    """A message for people, in their language."""

    title: str
    body: str
    link: str  # opens the alert; empty where the hub has no address that others can reach
    tag: str  # messages of one tag replace each other on a phone
    urgent: bool
    jpeg: bytes | None = None
    picture: str = ""  # the picture's address; empty where there is none
    offer: str = ""  # what the button that acknowledges it is called; empty: no button
    machine: dict[str, Any] = {}  # the same for programs


class NotDeliveredError(HubError):
    """It was not delivered. `again`: another try can help; `gone`: nobody is there any more."""

    def __init__(self, words: str, *, again: bool = True, after_s: float = 0.0, gone: bool = False) -> None:
        super().__init__(words)
        self.again = again
        self.after_s = after_s  # not before so long: the receiver asked for it
        self.gone = gone
