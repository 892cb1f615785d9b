"""A stream of a camera that tells its own addresses (`onvif`), then read over RTSP (`rtsp`).

The camera is asked from a process of its own: the ONVIF library takes some 40 MB for a question
of a second, and a camera's process lives for months. The question goes in by stdin, so that no
password stands in a list of processes.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator

from camera_hub.cameras import source as errors
from camera_hub.cameras.onvif import TIMEOUT_S, StreamUrls, resolve
from camera_hub.cameras.rtsp import RtspSource, Transport
from camera_hub.cameras.sound import OnSound
from camera_hub.cameras.source import CameraError, GivenUpError, NoSecondStreamError, TimedOutError
from camera_hub.clock import SYSTEM_CLOCK, Clock
from camera_hub.model import Packet, StreamInfo, StreamName

GRACE_S = 15.0  # for the process to start on a busy machine, beyond the camera's own time

_ANSWER = "from camera_hub.cameras.onvif_source import answer; answer()"


class OnvifSource:
    """A stream of a camera whose address ONVIF tells; see `Source`."""

    def __init__(
        self,
        host: str,
        port: int,
        stream: StreamName,
        *,
        transport: Transport = "tcp",
        username: str | None = None,
        password: str | None = None,
        clock: Clock = SYSTEM_CLOCK,
        on_sound: OnSound | None = None,
    ) -> None:
        self._host = host
        self._port = port
        self._stream: StreamName = stream
        self._transport: Transport = transport
        self._username = username
        self._password = password
        self._clock = clock
        self._on_sound = on_sound
        self._lock = threading.Lock()
        self._interrupted = False
        self._asking: subprocess.Popen[str] | None = None
        self._rtsp: RtspSource | None = None
        self._where = f"the camera at {_bracketed(host)}:{port}"

    @property
    def info(self) -> StreamInfo:
        assert self._rtsp is not None, "open() comes first"
        return self._rtsp.info

    def open(self) -> StreamInfo:
        urls = self._ask()
        url = urls.main if self._stream == "main" else urls.sub
        if url is None:
            raise NoSecondStreamError(
                f"{self._where} has but one stream in H.264; "
                "set up a second, of about 640x360, in its own settings"
            )
        with self._lock:
            self._rtsp = RtspSource(
                url,
                transport=self._transport,
                username=self._username,
                password=self._password,
                clock=self._clock,
                on_sound=self._on_sound,
            )
            if self._interrupted:
                self._rtsp.interrupt()
        return self._rtsp.open()

    def packets(self) -> Iterator[Packet]:
        return self._rtsp.packets() if self._rtsp is not None else iter(())

    def close(self) -> None:
        if self._rtsp is not None:
            self._rtsp.close()

    def interrupt(self) -> None:
        with self._lock:
            self._interrupted = True
            if self._asking is not None:
                self._asking.kill()
            if self._rtsp is not None:
                self._rtsp.interrupt()

    def _ask(self) -> StreamUrls:
        question = json.dumps([self._host, self._port, self._username, self._password])
        with self._lock:
            if self._interrupted:
                raise GivenUpError(f"{self._where} was given up before it was asked")
            asking = self._asking = subprocess.Popen(
                [sys.executable, "-c", _ANSWER],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        try:
            told, _ = asking.communicate(question, TIMEOUT_S + GRACE_S)
        except subprocess.TimeoutExpired:
            raise TimedOutError(f"{self._where} could not be asked for its streams in time") from None
        finally:
            with self._lock:
                self._asking = None
            asking.kill()
            asking.communicate()
        return self._understood(told)

    def _understood(self, told: str) -> StreamUrls:
        if not told and self._interrupted:
            raise GivenUpError(f"{self._where} was given up while it was asked for its streams")
        if not told:
            raise CameraError(f"{self._where} could not be asked for its streams: the process that asks died")
        kind, *words = json.loads(told)
        if kind == StreamUrls.__name__:
            return StreamUrls(*words)
        error: CameraError = getattr(errors, kind)(*words)
        raise error


def answer() -> None:
    """In a process of its own: a question on stdin, the answer on stdout, both in JSON."""
    host, port, username, password = json.load(sys.stdin)
    try:
        told: tuple[object, ...] = resolve(host, port, username, password)
        kind = StreamUrls.__name__
    except CameraError as error:
        kind, told = type(error).__name__, (str(error), error.detail)
    json.dump([kind, *told], sys.stdout)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
