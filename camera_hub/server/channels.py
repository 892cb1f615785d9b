"""The ways to tell people and machines: those of the configuration, and those made on the dashboard.

Secrets of the configuration's channels stay there; those of the dashboard's lie in the database, and no
answer of the API has any.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from camera_hub.config.alerts import ChannelConfig
from camera_hub.store.alert_store import AlertStore


class StoredChannel(NamedTuple):
    channel: ChannelConfig
    from_config: bool  # changed in the config alone


class Channels:
    def __init__(self, store: AlertStore, of_config: Sequence[ChannelConfig] = ()) -> None:
        self._store = store
        self._of_config = tuple(of_config)

    async def all(self) -> list[StoredChannel]:
        """The configuration's first."""
        made = [ChannelConfig.model_validate(body) for body in await self._store.channels()]
        taken = {channel.id for channel in self._of_config}
        return [
            *(StoredChannel(channel, True) for channel in self._of_config),
            *(StoredChannel(channel, False) for channel in made if channel.id not in taken),
        ]

    async def find(self, channel_id: str) -> StoredChannel | None:
        return next((stored for stored in await self.all() if stored.channel.id == channel_id), None)

    async def put(self, channel: ChannelConfig) -> None:
        """Makes it, or changes it whole."""
        body = channel.model_dump(mode="json")
        for key in ("url", "secret"):
            secret = getattr(channel, key)
            body[key] = None if secret is None else secret.get_secret_value()
        await self._store.put_channel(channel.id, body)

    async def remove(self, channel_id: str) -> bool:
        return await self._store.remove_channel(channel_id)

    async def targets(self) -> Mapping[str, Sequence[str]]:
        """Whom each channel reaches now."""
        return {
            channel.id: await self.targets_of(channel) for channel, _ in await self.all() if channel.enabled
        }

    async def targets_of(self, channel: ChannelConfig) -> Sequence[str]:
        """Of push, the browsers that asked for it; others have one receiver, without a name."""
        if channel.kind != "push":
            return [""]
        subscriptions = await self._store.subscriptions()
        return [one.id for one in subscriptions if not channel.users or one.user in channel.users]
