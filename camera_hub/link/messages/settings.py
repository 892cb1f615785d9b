"""What a server wants of a site's cameras, what becomes of it, and what the site tells of them anew."""

from camera_hub.link.messages.base import Message
from camera_hub.model import Answer, CameraInfo, Wish


class Configure(Message, frozen=True):
    """Server: this is wanted, besides what was wanted before of other settings. Sent whole at each link."""

    wishes: tuple[Wish, ...]


class Configured(Message, frozen=True):
    """Worker: the answers to a Configure; and again of its own accord, when one of them is another now."""

    answers: tuple[Answer, ...]


class CamerasChanged(Message, frozen=True):
    """Worker: these are the site's cameras from now on, in place of the Hello's."""

    cameras: tuple[CameraInfo, ...]
