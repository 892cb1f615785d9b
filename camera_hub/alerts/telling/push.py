"""To the dashboard on a phone: Web Push (RFC 8030), encrypted (RFC 8291), signed by VAPID (RFC 8292)."""

import asyncio
import base64
import os
import time
from functools import cached_property
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives import serialization
from py_vapid import Vapid02

from camera_hub.alerts.telling.message import NotDeliveredError, Told
from camera_hub.alerts.telling.outward import post
from camera_hub.model import HubError

TTL_S = 6 * 3600  # a phone that was off for longer need not be told
MAX_TEXT = 600  # signs; a push service takes 4096 bytes
CLAIM_S = 12 * 3600


class Receiver(NamedTuple):
    """A browser that asked to be told."""

    endpoint: str
    p256dh: str
    auth: str


class PushKey:
    """The server's key, in a file (PEM, mode 600) that is made when it is first needed.

    A push service lets only its owner reach the browsers that subscribed with it. Raises HubError where the
    file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def public_text(self) -> str:
        """The public key as browsers want it for `subscribe`: base64url of the point."""
        point = self._vapid.public_key.public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        return base64.urlsafe_b64encode(point).rstrip(b"=").decode()

    def headers(self, endpoint: str, contact: str) -> dict[str, str]:
        """What proves to the endpoint's push service who sends (RFC 8292)."""
        parts = urlsplit(endpoint)
        claims = {
            "aud": f"{parts.scheme}://{parts.netloc}",
            "exp": str(int(time.time()) + CLAIM_S),
            "sub": contact,
        }
        return dict(self._vapid.sign(claims))

    @cached_property
    def _vapid(self) -> Vapid02:
        path = self._path
        try:
            if path.exists():
                there: Vapid02 = Vapid02.from_pem(path.read_bytes())
                return there
            vapid = Vapid02()
            vapid.generate_keys()
            half = path.with_suffix(".new")
            half.unlink(missing_ok=True)
            descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(vapid.private_pem())
                file.flush()
                os.fsync(file.fileno())
            half.rename(path)
        except (OSError, ValueError) as exc:
            raise HubError(f"{path}: the key for push messages cannot be used ({exc}); move it away") from exc
        return vapid


async def send(
    receiver: Receiver,
    message: Told,
    key: PushKey,
    contact: str,
    *,
    inside: bool = False,
    proxy: str | None = None,
) -> None:
    """Raises NotDeliveredError; `gone` when the browser has unsubscribed."""
    content = {
        "title": message.title,
        "body": message.body[:MAX_TEXT],
        "link": urlsplit(message.link)._replace(scheme="", netloc="").geturl(),
        "tag": message.tag,
        "urgent": message.urgent,
        "picture": message.picture,
        "acknowledge": message.offer,
    }
    encrypted = await asyncio.to_thread(_encrypted, receiver, msgspec.json.encode(content))
    headers = {
        **key.headers(receiver.endpoint, contact),
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(TTL_S),
        "Urgency": "high" if message.urgent else "normal",
    }
    answer = await post(receiver.endpoint, encrypted, headers, inside=inside, proxy=proxy)
    if 200 <= answer.status < 300:
        return
    if answer.status in (404, 410):
        raise NotDeliveredError("the browser does not want to be told any more", again=False, gone=True)
    # What a push service calls wrong with our request stays wrong.
    again = answer.status == 429 or answer.status >= 500
    raise NotDeliveredError(
        f"the push service answered {answer.status}: {' '.join(answer.text.split())[:200]}",
        again=again,
        after_s=answer.retry_after_s,
    )


def _encrypted(receiver: Receiver, content: bytes) -> bytes:
    """What only that browser can read. Raises NotDeliveredError."""
    from pywebpush import WebPusher, WebPushException  # 10 MB, which who pushes to nobody does without

    keys = {"p256dh": receiver.p256dh, "auth": receiver.auth}
    try:
        return bytes(WebPusher({"endpoint": receiver.endpoint, "keys": keys}).encode(content)["body"])
    except (WebPushException, ValueError) as exc:
        raise NotDeliveredError(f"the browser's keys are none ({exc})", again=False, gone=True) from exc
