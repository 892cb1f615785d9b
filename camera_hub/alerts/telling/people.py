"""To people by whatever Apprise has: mail, Telegram, SMS gateways, and a hundred others."""

import asyncio
import importlib
import logging
import tempfile
from pathlib import Path

from camera_hub.alerts.telling.message import NotDeliveredError, Told
from camera_hub.config.alerts import ChannelConfig

WHOLE_S = 30.0


async def send(channel: ChannelConfig, message: Told) -> None:
    """Raises NotDeliveredError."""
    assert channel.url is not None
    await asyncio.to_thread(importlib.import_module, "apprise")  # it is large, and many tell nobody by it
    import apprise

    to = apprise.Apprise()
    if not to.add(channel.url.get_secret_value()):
        raise NotDeliveredError("its address is none that Apprise knows; see its list of URLs", again=False)
    body = "\n".join(part for part in (message.body, message.link) if part)
    kind = apprise.NotifyType.WARNING if message.urgent else apprise.NotifyType.INFO
    with tempfile.TemporaryDirectory(prefix="camera-hub-") as folder:
        attach = None
        if message.jpeg is not None:
            picture = Path(folder) / "picture.jpg"
            await asyncio.to_thread(picture.write_bytes, message.jpeg)
            attach = apprise.AppriseAttachment(str(picture))
        capture = apprise.LogCapture(level=logging.WARNING, fmt="%(message)s")  # type: ignore[no-untyped-call]
        with capture as said:
            try:
                async with asyncio.timeout(WHOLE_S):
                    done = await to.async_notify(
                        body=body, title=message.title, notify_type=kind, attach=attach
                    )
            except TimeoutError:
                raise NotDeliveredError(f"no answer came within {WHOLE_S:.0f} s") from None
            except TypeError as exc:
                raise NotDeliveredError(f"Apprise refused it ({exc})", again=False) from exc
            words = " ".join(said.getvalue().split())[:300]
    if not done:
        raise NotDeliveredError(f"it was not taken: {words}" if words else "it was not taken")
