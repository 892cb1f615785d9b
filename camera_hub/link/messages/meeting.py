"""Who is there: the handshake, enrolment, keys, and no."""

from camera_hub.link.messages.base import Message
from camera_hub.model import CameraInfo


class Challenge(Message, frozen=True):
    """Server, first thing on a new connection: sign this."""

    version: int
    nonce: bytes
    speaks: int = 0
    can: tuple[str, ...] = ()


class Hello(Message, frozen=True):
    """Worker: who I am, with the challenge signed by the site's Ed25519 key."""

    version: int
    site: str
    name: str
    software: str
    signature: bytes
    cameras: tuple[CameraInfo, ...]
    speaks: int = 0
    can: tuple[str, ...] = ()
    run: str = ""  # of this start of the worker: another start has another


class Enrol(Message, frozen=True):
    """Worker, in place of Hello: let my key in, by this code. See `enrolment`."""

    version: int
    site: str
    name: str
    software: str
    nonce: bytes
    key: bytes  # the worker's public key
    code: bytes  # the public key that is made from the code
    certificate: bytes  # SHA-256 of the server's certificate as seen here; empty without TLS
    trusted: bool  # whether our own authorities vouch for it
    key_signature: bytes
    code_signature: bytes


class Enrolled(Message, frozen=True):
    """Server: your key is let in; `proof` shows that we know the code, and that all above is ours."""

    server: str  # its id, for the worker's own list
    server_time_us: int
    proof: bytes


class Welcome(Message, frozen=True):
    """Server: you are who you say."""

    server_time_us: int


class Refused(Message, frozen=True):
    """Either end: we cannot go on; `reason` is for people and says what to do."""

    code: str
    reason: str


class NotTaken(Message, frozen=True):
    """Either end: I do not know what that was, so I did nothing with it. The link goes on."""

    name: str
    id: str = ""


class NewKeyWanted(Message, frozen=True):
    """Make another key, and sign this by both."""

    nonce: bytes


class NewKey(Message, frozen=True):
    """The answer to a NewKeyWanted: the site's new key, signed by itself and by the one before."""

    key: bytes
    signature: bytes
    old_signature: bytes


class KeyTaken(Message, frozen=True):
    """This key is the site's from now on; forget the one before."""

    key: bytes
