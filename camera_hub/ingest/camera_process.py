"""A camera's whole life in its own OS process.

A reader thread a stream; recorder threads and one watcher thread behind bounded queues; this
module's main thread talks to the worker: it beats every second, answers what it is asked, and
ends when told to or when the worker has gone. A thread that dies or hangs takes the process
with it, loudly, and the keeper starts it again.
"""

import os
import signal
import socket
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import cv2
import msgspec
import structlog

from camera_hub import logs
from camera_hub.clock import SYSTEM_CLOCK
from camera_hub.config import CameraConfig, LogConfig
from camera_hub.ingest.channel import CameraEnd
from camera_hub.ingest.health import camera_health
from camera_hub.ingest.messages import Beat, Listen, MakeStill, Scene, StillMade, Stop, Switch, Tap
from camera_hub.ingest.pipeline import StreamPipeline
from camera_hub.ingest.watcher import Watcher
from camera_hub.model import CameraState, StreamName
from camera_hub.recording import Catalogue, Recorder, Retention

log = structlog.get_logger(__name__)

BEAT_S = 1.0
HUNG_S = 30.0  # a thread that has not come round for so long is not coming


@dataclass(frozen=True)
class CameraSpec:
    """All that a camera's process is told when it starts.

    `camera` names the streams that can be kept on disk; `record` says whether they are for now, `detect`
    whether it is looked for what moves. Both can change while it runs.
    """

    camera: CameraConfig
    recordings: Path
    catalogue: Path
    segment_s: int
    max_bytes: int
    keep_free_bytes: int
    log: LogConfig
    detect: bool = True
    record: bool = True


def main(spec: CameraSpec, sock: socket.socket) -> None:
    """The process's entry."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the worker, which tells us
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    secrets, always = spec.camera.secret_values(), {"camera": spec.camera.id}
    logs.configure(spec.log.level, spec.log.format, secrets=secrets, always=always)
    threading.excepthook = _die
    cv2.setNumThreads(1)  # the other cameras have the other cores
    process = CameraProcess(spec, CameraEnd(sock))
    try:
        process.run()
    except EOFError:
        log.info("the worker has gone")
    finally:
        process.close()


def _die(args: threading.ExceptHookArgs) -> None:
    thread = args.thread.name if args.thread else "?"
    if args.exc_value is None:
        return
    log.error("a thread died; the camera's process ends", thread=thread, exc_info=args.exc_value)
    sys.stderr.flush()
    os._exit(70)


class CameraProcess:
    """The parts of one camera, and the conversation with the worker."""

    def __init__(self, spec: CameraSpec, channel: CameraEnd) -> None:
        self._spec = spec
        self._channel = channel
        self._clock = SYSTEM_CLOCK
        camera = spec.camera
        self._detects, self._records = spec.detect, spec.record
        self._watcher = Watcher(camera, channel.send, self._clock, spec.detect)
        self._catalogue = Catalogue(spec.catalogue)
        self._catalogue.salvage(spec.recordings, camera.id)
        retention = Retention(spec.recordings, self._catalogue, spec.max_bytes, spec.keep_free_bytes)
        watched = camera.motion_stream
        self._pipelines = {
            stream: StreamPipeline(
                camera,
                stream,
                recorder=self._recorder(stream, retention) if stream in camera.recorded_streams else None,
                watcher=self._watcher if stream == watched else None,
                channel=channel,
                on_state=self._beat,
                clock=self._clock,
                record=spec.record,
            )
            for stream in camera.stream_names
        }
        self._told: tuple[CameraState, str] | None = None

    def _recorder(self, stream: StreamName, retention: Retention) -> Recorder:
        return Recorder(
            self._spec.recordings,
            self._catalogue,
            self._spec.camera.id,
            stream,
            segment_s=self._spec.segment_s,
            clock=self._clock,
            make_room=retention.make_room,
        )

    def run(self) -> None:
        """Until told to stop. Raises EOFError when the worker has gone."""
        self._watcher.start()
        for pipeline in self._pipelines.values():
            pipeline.start()
        next_beat_us = 0
        while True:
            now_us = self._clock.monotonic_us()
            if now_us >= next_beat_us:
                self._check_threads(now_us)
                self._beat()
                next_beat_us = now_us + int(BEAT_S * 1e6)
            match told := self._channel.receive(max(0.01, (next_beat_us - now_us) / 1e6)):
                case Stop():
                    return
                case Tap(stream=stream, on=on):
                    if stream in self._pipelines:
                        self._pipelines[stream].tap(on)
                case Listen(stream=stream, on=on):
                    if stream in self._pipelines:
                        self._pipelines[stream].listen(on)
                case Switch():
                    self._switch(told)
                case Scene():
                    self._watcher.use(told)
                case MakeStill(request=request, height=height):
                    self._channel.send(self._still(request, height))

    def _switch(self, told: Switch) -> None:
        self._detects = self._watcher.outlet.on = told.detect
        self._records = told.record
        for pipeline in self._pipelines.values():
            pipeline.record(told.record)
        log.info("switched", detect=told.detect, record=told.record)
        self._beat()

    def close(self) -> None:
        for pipeline in self._pipelines.values():
            pipeline.stop()
        for pipeline in self._pipelines.values():
            pipeline.join()
        self._watcher.stop()
        self._channel.close()
        # A reader deep in FFmpeg may need its whole timeout to come back: nothing of it is needed.
        os._exit(0)

    def _beat(self) -> None:
        health = camera_health(self._spec.camera.id, list(self._pipelines.values()), self._watcher)
        health = msgspec.structs.replace(health, detects=self._detects, records=self._records)
        if (health.state, health.error) != self._told:
            self._told = (health.state, health.error)
            # That it connects is worth a line only when it does not succeed.
            tell = log.debug if health.state is CameraState.CONNECTING and not health.error else log.info
            tell(
                "camera state", state=health.state.value, **({"error": health.error} if health.error else {})
            )
        self._channel.send(Beat(health=health))

    def _check_threads(self, now_us: int) -> None:
        alive_us = {f"record {stream}": pipeline.alive_us for stream, pipeline in self._pipelines.items()}
        alive_us["watch"] = self._watcher.alive_us
        for thread, last_us in alive_us.items():
            if now_us - last_us > HUNG_S * 1e6:
                log.error("a thread hangs; the camera's process ends", thread=thread)
                os._exit(71)

    def _still(self, request: int, height: int | None) -> StillMade:
        stream = self._spec.camera.motion_stream
        # While the gate sleeps, what was decoded last may be too old.
        picture = self._watcher.latest() or self._pipelines[stream].picture()
        if picture is None:
            return StillMade(request=request, jpeg=None, at_us=0, error="the camera shows no picture now")
        return StillMade(request=request, jpeg=picture.jpeg(height=height), at_us=picture.wall_us, error="")
