"""How a worker's key becomes known to a server: by a code that an administrator makes, used once.

Goals: who has no code gets no key in, and learns nothing of a code by listening, by playing the server,
or by standing between; a server's certificate that no authority vouches for is vouched for by the code.
Pure: no I/O, no clock. docs/decisions/0033 has the threats and what was left out.

From the code (80 random bits) both ends derive an Ed25519 key pair and a secret of the server's. The
server keeps only the public key and that secret, never the code. The worker signs with the code's key and
with its own: both nonces, both keys, and the certificate that it saw (`Enrol`). The server compares the
certificate with its own, and proves by an HMAC over the same that it knows the code (`Enrolled`).
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

import msgspec

from camera_hub.link.handshake import NONCE_BYTES, SiteKey, check_challenge, verify, version_refusal
from camera_hub.link.messages import OLDEST_VERSION, Challenge, Enrol, Enrolled, LinkError, Refused, Skill

LINK_PATH = "/api/link"
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U
_CODE_SIGNS = 16  # 80 bits: nobody tries them all, not even away from the server
_GROUP = 4
_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


@dataclass(frozen=True)
class CodeRecord:
    """What a server keeps of a code: enough to check it, not enough to use it."""

    public: bytes
    server_secret: bytes = field(repr=False)


class Code:
    """A one-time code, as text for people and as keys for the two ends."""

    def __init__(self, text: str) -> None:
        """Raises LinkError when `text` is no code; case, hyphens and O for 0 do not matter."""
        signs = text.strip().upper().translate(_MISREAD)
        if len(signs) != _CODE_SIGNS or any(sign not in _ALPHABET for sign in signs):
            raise LinkError(
                "that is no code; it has four groups of four letters and digits, as in "
                "7K2M-Q4TD-9XHB-3WNC; copy it from the dashboard, all of it",
                code="no-code",
            )
        self._signs = signs
        self.key = SiteKey.from_seed(self._derive(b"worker"))
        self.record = CodeRecord(self.key.public_bytes(), self._derive(b"server"))

    @classmethod
    def make(cls) -> Self:
        return cls("".join(secrets.choice(_ALPHABET) for _ in range(_CODE_SIGNS)))

    def __str__(self) -> str:
        return "-".join(self._signs[at : at + _GROUP] for at in range(0, _CODE_SIGNS, _GROUP))

    def __repr__(self) -> str:
        return "Code(...)"

    def _derive(self, purpose: bytes) -> bytes:
        return hmac.digest(self._signs.encode(), b"camera-hub enrol 1\0" + purpose, "sha256")


@dataclass(frozen=True)
class Seen:
    """The server's certificate as the worker saw it: SHA-256 (empty without TLS), and who vouches for it."""

    certificate: bytes
    trusted: bool


def fingerprint(sha256: bytes) -> str:
    """For people: `AB:CD:...`, as browsers and openssl show it."""
    return sha256.hex(":").upper()


def certificate_sha256(der: bytes) -> bytes:
    return hashlib.sha256(der).digest()


def enrol(
    asked: Challenge, code: Code, key: SiteKey, site: str, name: str, software: str, seen: Seen
) -> Enrol:
    """The worker's request. Raises LinkError when the server cannot enrol anybody."""
    check_challenge(asked)
    if Skill.ENROL not in asked.can:
        raise LinkError(
            "this server is of an older release that knows no codes; bring it to this release, or write what "
            "`camera-hub key` prints here into its config, under server.sites",
            code="version",
        )
    unsigned = Enrol(
        version=OLDEST_VERSION,
        site=site,
        name=name,
        software=software,
        nonce=secrets.token_bytes(NONCE_BYTES),
        key=key.public_bytes(),
        code=code.record.public,
        certificate=seen.certificate,
        trusted=seen.trusted,
        key_signature=b"",
        code_signature=b"",
    )
    signed = _transcript(asked, unsigned)
    return msgspec.structs.replace(
        unsigned, key_signature=key.sign(signed), code_signature=code.key.sign(signed)
    )


def refusal(asked: Challenge, told: Enrol, known: CodeRecord, ours: bytes | None) -> Refused | None:
    """Why the server does not take the request; None when it is who holds the code.

    `known` is what the server keeps of the code that is named; `ours` is the SHA-256 of the certificate
    that it shows, None where it does not know it. Whether the code is still good is not asked.
    """
    refused = version_refusal(told)
    if refused is not None:
        return refused
    signed = _transcript(asked, told)
    if (
        len(told.nonce) < NONCE_BYTES
        or not hmac.compare_digest(told.code, known.public)
        or not verify(told.code, told.code_signature, signed)
        or not verify(told.key, told.key_signature, signed)
    ):
        return wrong_code()
    if ours is not None and not hmac.compare_digest(ours, told.certificate):
        return Refused(
            code="other-certificate",
            reason="the worker sees another certificate than this server's own: somebody stands between, "
            "such as a proxy that opens TLS, or the web server has a new one; nothing was changed. The "
            f"server's is {fingerprint(ours)}, the worker sees {fingerprint(told.certificate) or 'none'}",
        )
    if ours is None and told.certificate and not told.trusted:
        return Refused(
            code="unknown-certificate",
            reason="no authority that the worker knows vouches for this server's certificate, and the "
            "server itself does not know which one it shows; name its file in the server's config "
            "(server.tls.certificate), or give the worker the authority's certificate: camera-hub enrol "
            "--ca-file FILE",
        )
    return None


def wrong_code() -> Refused:
    return Refused(
        code="wrong-code",
        reason="this server has no such code, or no more; compare it sign by sign with the dashboard's, or "
        "have a new one made there",
    )


def enrolled(asked: Challenge, told: Enrol, known: CodeRecord, server: str, server_time_us: int) -> Enrolled:
    """The server's answer to a request that it took."""
    proof = _proof(known.server_secret, asked, told, server, server_time_us)
    return Enrolled(server=server, server_time_us=server_time_us, proof=proof)


def check_enrolled(asked: Challenge, told: Enrol, answer: Enrolled, code: Code) -> None:
    """Raises LinkError when the answer is not of the server that made the code."""
    proof = _proof(code.record.server_secret, asked, told, answer.server, answer.server_time_us)
    if not hmac.compare_digest(proof, answer.proof):
        raise LinkError(
            "whoever answered does not know the code: it is not the server that made it, or somebody stands "
            "between. Nothing was changed here; have the code cancelled on the dashboard, and check "
            "the address",
            code="impostor",
        )


def link_url(text: str) -> str:
    """Where to link, from whatever address of the server people have: the dashboard's, or the link's own.

    Raises LinkError when it is no address.
    """
    text = text.strip()
    wrong = LinkError(
        f"{text!r} is no address of a server; give the dashboard's, like https://hub.example.vn",
        code="no-address",
    )
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        port, host = parts.port, parts.hostname
    except ValueError:
        raise wrong from None
    secure = {"https": "wss", "wss": "wss", "http": "ws", "ws": "ws"}.get(parts.scheme.lower())
    if not host or secure is None or port == 0 or parts.username is not None or " " in host:
        raise wrong
    at = f"[{host}]" if ":" in host else host
    # Behind a web server the hub may live below a path, which the link's own address then tells.
    path = parts.path.rstrip("/") if parts.path.rstrip("/").endswith(LINK_PATH) else LINK_PATH
    return f"{secure}://{at}{f':{port}' if port else ''}{path}"


def _transcript(asked: Challenge, told: Enrol) -> bytes:
    """All that is agreed, in a coding that has one reading only."""
    return msgspec.msgpack.encode(
        (
            "camera-hub enrol 1",
            asked.nonce,
            told.nonce,
            told.version,
            told.site,
            told.name,
            told.software,
            told.key,
            told.code,
            told.certificate,
            told.trusted,
        )
    )


def _proof(secret: bytes, asked: Challenge, told: Enrol, server: str, server_time_us: int) -> bytes:
    what = (
        "camera-hub enrolled 1",
        hashlib.sha256(_transcript(asked, told)).digest(),
        server,
        server_time_us,
    )
    return hmac.digest(secret, msgspec.msgpack.encode(what), "sha256")
