"""How a worker proves itself: it signs the server's nonce with the site's Ed25519 key (RFC 8032).

Pure but for `SiteKey.load_or_make`. The server knows the site's public key; nothing secret
crosses the link, and an answer overheard is worth nothing for the next nonce. Both ends say which
versions of the link they speak; `enrolment` is how the server came to know the key.
"""

import base64
import os
import secrets
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from camera_hub.link.messages import (
    OLDEST_VERSION,
    PROTOCOL_VERSION,
    SERVER_SKILLS,
    WORKER_SKILLS,
    Challenge,
    Enrol,
    Hello,
    LinkError,
    NewKey,
    Refused,
)
from camera_hub.model import CameraInfo, HubError

NONCE_BYTES = 32


class SiteKey:
    """A site's private key, and the public one that its servers know."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private

    @classmethod
    def make(cls) -> Self:
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_seed(cls, seed: bytes) -> Self:
        """The key that these 32 bytes are the secret of."""
        return cls(Ed25519PrivateKey.from_private_bytes(seed))

    @classmethod
    def load_or_make(cls, path: Path) -> Self:
        """The key in `path` (PEM, mode 600); made there when there is none.

        Raises HubError when the file is no such key, others may read it, or it cannot be written.
        """
        try:
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                key = cls.make()
                key._save(path)
                return key
            pem, mode = path.read_bytes(), path.stat().st_mode
        except OSError as exc:
            raise HubError(
                f"{path}: the site's key cannot be kept there ({exc.strerror}); give the user that runs "
                "camera-hub the right to write there, or set storage.path to another folder"
            ) from exc
        if mode & 0o077:
            raise HubError(f"{path}: others may read this site's key; run: chmod 600 {path}")
        try:
            private = serialization.load_pem_private_key(pem, password=None)
        except ValueError as exc:
            raise HubError(f"{path}: not a private key in PEM; move it away and a new one is made") from exc
        if not isinstance(private, Ed25519PrivateKey):
            raise HubError(f"{path}: not an Ed25519 key; move it away and a new one is made")
        return cls(private)

    def _save(self, path: Path) -> None:
        pem = self._private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        # Whole or not at all: a power cut must not leave half a key behind.
        half = path.with_suffix(".new")
        half.unlink(missing_ok=True)
        descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        half.rename(path)

    def public_text(self) -> str:
        """The public key as it is written into a server's config: base64 of 32 bytes."""
        return base64.b64encode(self.public_bytes()).decode()

    def public_bytes(self) -> bytes:
        return self._private.public_key().public_bytes_raw()

    def sign(self, data: bytes) -> bytes:
        return self._private.sign(data)


def verify(public: bytes, signature: bytes, data: bytes) -> bool:
    """Whether `signature` of `data` was made with the private half of `public` (32 bytes)."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def challenge() -> Challenge:
    """A fresh nonce for a new connection."""
    return Challenge(
        version=OLDEST_VERSION,
        nonce=secrets.token_bytes(NONCE_BYTES),
        speaks=PROTOCOL_VERSION,
        can=tuple(sorted(SERVER_SKILLS)),
    )


def hello(
    asked: Challenge,
    key: SiteKey,
    site: str,
    name: str,
    software: str,
    cameras: tuple[CameraInfo, ...],
    run: str = "",
) -> Hello:
    """The worker's answer. Raises LinkError when no version is spoken by both."""
    check_challenge(asked)
    return Hello(
        version=OLDEST_VERSION,
        site=site,
        name=name,
        software=software,
        signature=key.sign(_signed(asked.nonce, site)),
        cameras=cameras,
        speaks=PROTOCOL_VERSION,
        can=tuple(sorted(WORKER_SKILLS)),
        run=run,
    )


def check_challenge(asked: Challenge) -> None:
    """Raises LinkError for a server with whom no version is common, or whose nonce is not safe."""
    if not _common(asked):
        raise LinkError(
            f"the server speaks version {_spoken(asked)} of the link and this worker version "
            f"{_ours()}; bring both to the same release",
            code="version",
        )
    if len(asked.nonce) < NONCE_BYTES:
        raise LinkError("the server's challenge is too short to be safe; is it a Camera Hub server?")


def refusal(asked: Challenge, answer: Hello, public_text: str | None) -> Refused | None:
    """Why the worker is not let in; None when it is who it says.

    `public_text` is the site's public key in base64, None for a site that we do not know.
    """
    refused = version_refusal(answer)
    if refused is not None:
        return refused
    if public_text is None:
        return Refused(
            code="unknown-site",
            reason=f"this server knows no site {answer.site!r}; an administrator adds it on the dashboard's "
            "page of hamlets, or under server.sites in the server's config",
        )
    try:
        public = base64.b64decode(public_text)
    except ValueError:
        public = b""
    if not verify(public, answer.signature, _signed(asked.nonce, answer.site)):
        return Refused(
            code="wrong-key",
            reason=f"the worker's key is not the one that this server has for site {answer.site!r}; make a "
            "new code for it on the dashboard's page of hamlets and run `camera-hub enrol` on the worker; "
            "where the key stands in the server's config, write there what `camera-hub key` prints on the "
            "worker",
        )
    return None


def version_refusal(answer: Hello | Enrol) -> Refused | None:
    """Why a worker's release and ours have no version of the link in common; None when they have."""
    if _common(answer):
        return None
    return Refused(
        code="version",
        reason=f"this server speaks version {_ours()} of the link and the worker version "
        f"{_spoken(answer)}; bring both to the same release",
    )


def new_key(nonce: bytes, site: str, old: SiteKey, new: SiteKey) -> NewKey:
    """The worker's new key, signed by both."""
    public = new.public_bytes()
    signed = _signed_change(nonce, site, public)
    return NewKey(key=public, signature=new.sign(signed), old_signature=old.sign(signed))


def is_new_key(nonce: bytes, site: str, old_text: str, told: NewKey) -> bool:
    """Whether `told` is a key that the holder of the old one wants to have in its place."""
    signed = _signed_change(nonce, site, told.key)
    return verify(told.key, told.signature, signed) and verify(
        base64.b64decode(old_text), told.old_signature, signed
    )


def _common(other: Challenge | Hello | Enrol) -> bool:
    """Whether both speak some version. Version 1 said one number, which it spoke alone."""
    newest = getattr(other, "speaks", PROTOCOL_VERSION) or other.version
    return other.version <= PROTOCOL_VERSION and newest >= OLDEST_VERSION


def _spoken(other: Challenge | Hello | Enrol) -> str:
    newest = getattr(other, "speaks", 0) or other.version
    return str(newest) if newest == other.version else f"{other.version} to {newest}"


def _ours() -> str:
    return f"{OLDEST_VERSION} to {PROTOCOL_VERSION}"


def _signed(nonce: bytes, site: str) -> bytes:
    # The prefix keeps a signature made here from meaning anything elsewhere.
    return b"camera-hub link 1\0" + site.encode() + b"\0" + nonce


def _signed_change(nonce: bytes, site: str, public: bytes) -> bytes:
    return b"camera-hub new key 1\0" + site.encode() + b"\0" + nonce + public
