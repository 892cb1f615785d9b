"""The server's numbers for Prometheus, read from the parts when asked: nothing is counted twice.

Base units, `_total` for counters, label `camera` with the global id, as Prometheus' naming asks.
"""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from camera_hub import __version__
from camera_hub.model import CameraState
from camera_hub.server.parts import Parts


def registry(parts: Parts) -> CollectorRegistry:
    """A registry of this app alone, so that two apps in one process do not meet."""
    made = CollectorRegistry(auto_describe=False)
    ProcessCollector(namespace="camera_hub", registry=made)
    made.register(_Numbers(parts))
    return made


class _Numbers(Collector):
    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def collect(self) -> Iterator[Metric]:
        build = GaugeMetricFamily("camera_hub_build_info", "The release that runs", labels=["version"])
        build.add_metric([__version__], 1)
        yield build
        clients = self._parts.updates.clients
        yield GaugeMetricFamily(
            "camera_hub_updates_clients", "Browsers that follow what changes", value=clients
        )
        yield from self._cameras()
        yield from self._streams()
        yield from self._sites()
        yield self._events()
        yield from self._transcodes()

    def _cameras(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("camera_hub_camera_up", "1 while new packets arrive", labels=["camera"])
        state = GaugeMetricFamily(
            "camera_hub_camera_state", "1 for the state it is in", labels=["camera", "state"]
        )
        restarts = CounterMetricFamily(
            "camera_hub_camera_restarts", "Restarts of the camera's process", labels=["camera"]
        )
        share = GaugeMetricFamily(
            "camera_hub_camera_decoded_ratio",
            "Pictures of the last minute that were decoded to see what moves",
            labels=["camera"],
        )
        for camera in self._parts.state.cameras():
            if camera.decoded_share is not None:
                share.add_metric([camera.id], camera.decoded_share)
            up.add_metric([camera.id], camera.state is CameraState.ONLINE)
            restarts.add_metric([camera.id], camera.restarts)
            for one in CameraState:
                state.add_metric([camera.id, one.value], one is camera.state)
        yield from (up, state, restarts, share)

    def _streams(self) -> Iterator[Metric]:
        labels = ["camera", "stream"]
        fps = GaugeMetricFamily("camera_hub_camera_fps", "Packets per second", labels=labels)
        rate = GaugeMetricFamily("camera_hub_camera_bits_per_second", "Bits per second", labels=labels)
        last = GaugeMetricFamily(
            "camera_hub_camera_last_packet_timestamp_seconds", "Arrival of the last packet", labels=labels
        )
        dropped = CounterMetricFamily(
            "camera_hub_camera_dropped_packets", "Packets lost to a slow consumer", labels=labels
        )
        for camera in self._parts.state.cameras():
            for stream in camera.streams:
                key = [camera.id, stream.stream]
                fps.add_metric(key, stream.fps)
                rate.add_metric(key, stream.kbit_s * 1000)
                last.add_metric(key, stream.last_packet.timestamp())
                dropped.add_metric(key, stream.dropped)
        yield from (fps, rate, last, dropped)

    def _sites(self) -> Iterator[Metric]:
        def gauge(name: str, text: str) -> GaugeMetricFamily:
            return GaugeMetricFamily(f"camera_hub_{name}", text, labels=["site"])

        connected = gauge("site_connected", "1 while the site's worker is linked")
        contact = gauge("site_last_contact_timestamp_seconds", "The site's last sign of life")
        outbox = gauge("site_outbox_messages", "Messages that wait at the worker")
        free = gauge("storage_free_bytes", "Free on the site's recording disk")
        total = gauge("storage_total_bytes", "Size of the site's recording disk")
        used = gauge("storage_used_bytes", "Recorded video at the site")
        shed = GaugeMetricFamily(
            "camera_hub_site_shed_messages",
            "Messages that the worker let go unsent in the last 30 days",
            labels=["site", "kind", "cause"],
        )
        for site in self._parts.state.sites():
            connected.add_metric([site.id], site.connected)
            if site.last_contact is not None:
                contact.add_metric([site.id], site.last_contact.timestamp())
            for family, value in (
                (outbox, site.outbox_depth),
                (free, site.disk_free_bytes),
                (total, site.disk_total_bytes),
                (used, site.recorded_bytes),
            ):
                if value is not None:
                    family.add_metric([site.id], value)
            if site.uplink is not None:
                for one in site.uplink.shed:
                    shed.add_metric([site.id, one.kind.value, one.cause.value], one.count)
        yield from (connected, contact, outbox, free, total, used, shed)
        yield CounterMetricFamily(
            "camera_hub_clips_damaged",
            "Clips that arrived otherwise than they were sent, and were sent anew",
            value=self._parts.state.clips_damaged,
        )

    def _events(self) -> Metric:
        events = CounterMetricFamily(
            "camera_hub_events_received", "Events since the server's start", labels=["camera", "kind"]
        )
        for (camera, kind), count in sorted(self._parts.state.events_received.items()):
            events.add_metric([camera, kind], count)
        return events

    def _transcodes(self) -> Iterator[Metric]:
        transcodes = self._parts.transcodes
        if transcodes is None:
            return
        numbers, name = transcodes.numbers, "camera_hub_transcode"
        yield GaugeMetricFamily(f"{name}s", "Streams that are encoded anew now", value=len(transcodes))
        yield GaugeMetricFamily(f"{name}s_max", "So many may be at once", value=transcodes.most)
        for what, text, value in (
            ("cpu_seconds", "CPU time of transcoding", numbers.cpu_us / 1e6),
            ("restarts", "Transcoding processes that died or hung", numbers.restarts),
            ("refused", "Asked for when there was no place", numbers.refused),
        ):
            yield CounterMetricFamily(f"{name}_{what}", text, value=value)
