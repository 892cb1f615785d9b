"""How a worker proves itself: it signs the server's nonce with the site's Ed25519 key (RFC 8032).

Pure but for `SiteKey.load_or_make`. The server knows the site's public key; nothing secret
crosses the link, and an answer overheard is worth nothing for the next nonce.
"""

import base64
import os
import secrets
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from camera_hub.link.messages import PROTOCOL_VERSION, SERVER_SKILLS, Challenge, Hello, LinkError, Refused
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
        raw = self._private.public_key().public_bytes_raw()
        return base64.b64encode(raw).decode()

    def sign(self, data: bytes) -> bytes:
        return self._private.sign(data)


def challenge() -> Challenge:
    """A fresh nonce for a new connection."""
    return Challenge(
        version=PROTOCOL_VERSION, nonce=secrets.token_bytes(NONCE_BYTES), can=tuple(sorted(SERVER_SKILLS))
    )


def hello(
    asked: Challenge,
    key: SiteKey,
    site: str,
    name: str,
    software: str,
    cameras: tuple[CameraInfo, ...],
) -> Hello:
    """The worker's answer. Raises LinkError when the server speaks another version."""
    if asked.version != PROTOCOL_VERSION:
        raise LinkError(
            f"the server speaks version {asked.version} of the link and this worker version "
            f"{PROTOCOL_VERSION}; bring both to the same release"
        )
    if len(asked.nonce) < NONCE_BYTES:
        raise LinkError("the server's challenge is too short to be safe; is it a Camera Hub server?")
    signature = key.sign(_signed(asked.nonce, site))
    return Hello(
        version=PROTOCOL_VERSION,
        site=site,
        name=name,
        software=software,
        signature=signature,
        cameras=cameras,
    )


def refusal(asked: Challenge, answer: Hello, public_text: str | None) -> Refused | None:
    """Why the worker is not let in; None when it is who it says.

    `public_text` is the site's public key as in the config, None for a site that we do not know.
    """
    if answer.version != PROTOCOL_VERSION:
        return Refused(
            code="version",
            reason=f"this server speaks version {PROTOCOL_VERSION} of the link and the worker version "
            f"{answer.version}; bring both to the same release",
        )
    if public_text is None:
        return Refused(
            code="unknown-site",
            reason=f"this server knows no site {answer.site!r}; add it under server.sites in its config",
        )
    try:
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_text))
        public.verify(answer.signature, _signed(asked.nonce, answer.site))
    except (InvalidSignature, ValueError):
        return Refused(
            code="wrong-key",
            reason=f"the worker's key is not the one that this server has for site {answer.site!r}; "
            "run `camera-hub key` on the worker and write what it prints into the server's config",
        )
    return None


def _signed(nonce: bytes, site: str) -> bytes:
    # The prefix keeps a signature made here from meaning anything elsewhere.
    return b"camera-hub link 1\0" + site.encode() + b"\0" + nonce
