"""To a machine: a signed HTTP POST, as Standard Webhooks has it (https://www.standardwebhooks.com)."""

from datetime import UTC, datetime

import msgspec
from standardwebhooks import Webhook

from camera_hub import __version__
from camera_hub.alerts.telling.message import NotDeliveredError, Told
from camera_hub.alerts.telling.outward import post
from camera_hub.config.alerts import ChannelConfig


async def send(
    channel: ChannelConfig, message: Told, message_id: str, now_us: int, proxy: str | None = None
) -> None:
    """Raises NotDeliveredError. The same `message_id` sent again is the same message."""
    assert channel.url is not None
    assert channel.secret is not None
    at = datetime.fromtimestamp(now_us // 1_000_000, UTC)
    body = msgspec.json.encode(message.machine).decode()
    try:
        signature = Webhook(channel.secret.get_secret_value()).sign(message_id, at, body)
    except ValueError as exc:
        raise NotDeliveredError("its secret is no whsec_… of Standard Webhooks", again=False) from exc
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"camera-hub/{__version__}",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature,
    }
    answer = await post(
        channel.url.get_secret_value(), body.encode(), headers, inside=channel.inside, proxy=proxy
    )
    if 200 <= answer.status < 300:
        return
    if 300 <= answer.status < 400:
        raise NotDeliveredError(
            f"it answered {answer.status}, a redirect, which is not followed; give the address it leads to"
        )
    if answer.status == 410:
        raise NotDeliveredError("it answered 410: nobody wants these calls any more", again=False, gone=True)
    raise NotDeliveredError(f"it answered {answer.status}{_said(answer.text)}", after_s=answer.retry_after_s)


def _said(text: str) -> str:
    line = " ".join(text.split())[:200]
    return f": {line}" if line else ""
