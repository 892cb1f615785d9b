"""A stream's packets as fragmented MP4 for live views: a head, then one fragment a picture.

Promises: each picture leaves as soon as it has come; its bytes are those of the camera; B-frames are shown
in their order. A new head is made where the parameter sets change. Pure: data in and bytes out.

How long a picture lasts is told by the next, which has not come. Browsers let go of everything up to the
next keyframe where one comes later than twice the duration of that before it (W3C MSE, coded frame
processing), as uneven times do all the time. So a picture is said to last twice as long as usual and as
long as any of late, and a step that is too long all the same is shortened: a live view need keep no silence.
Relies on packets in decoding order, with parameter sets at the keyframes (`LiveChannel` puts them there).
"""

from collections import deque
from typing import NamedTuple

from camera_hub.annexb import ParameterSets, head_units, nal_units, parameter_sets
from camera_hub.live.sound import LiveSound
from camera_hub.model import HubError, Packet, StreamInfo
from camera_hub.mp4.boxes import Sample, fragment_head, live_head, sample_entry
from camera_hub.mp4.configuration import ParameterSetsError, codec_string, configuration_record
from camera_hub.mp4.timeline import Timeline
from camera_hub.sps import parse_sps

CODECS = ("h264", "hevc")
_SHORTEST_US = 8_000  # that a picture is said to last
_LONGEST_US = 1_000_000
_STEPS = 15  # from which is told what is usual
_STEP_OF_DURATION = 1.8  # longer steps would have the browser wait for a keyframe


class CannotMuxError(HubError):
    """The stream as it is cannot be put into MP4."""


class Head(NamedTuple):
    """What a player has to know before the first picture."""

    codec: str  # for browsers: "avc1.64001f", with sound "avc1.64001f,mp4a.40.2"
    width: int  # px
    height: int  # px
    data: bytes  # the initialisation segment


class Fragment(NamedTuple):
    """One picture: `prft`, `moof` and `mdat`; behind it what sound has come, as another `moof` and `mdat`."""

    data: bytes
    time_us: int  # decoding time on the head's time axis, which begins at 0
    keyframe: bool
    head: Head | None  # that has to go before it; None where the last one holds


class LiveMuxer:
    """`fragment` takes packets in their order."""

    def __init__(self, info: StreamInfo, sound: LiveSound | None = None) -> None:
        """`sound` is to go beside the pictures; whoever has it lets it `hear`.

        Raises CannotMuxError for a codec that MP4 in browsers does not have.
        """
        if info.codec not in CODECS:
            raise CannotMuxError(f"{info.codec} cannot be shown live; set the camera to H.264 or H.265")
        self._codec = info.codec
        self._sound = sound
        self._sets: ParameterSets | None = None
        self._first_us = round(1_000_000 / info.fps) if info.fps and 1 <= info.fps <= 120 else 40_000
        self._begin()

    def _begin(self) -> None:
        """A new time axis."""
        self._timeline = Timeline()
        self._steps = deque((self._first_us,), maxlen=_STEPS)
        self._placed_us: int | None = None  # the newest picture's time on the camera's axis
        self._time_us = 0  # ... and on ours
        self._duration_us = 2 * self._first_us
        self._sequence = 0
        if self._sound is not None:
            self._sound.begin()

    def fragment(self, packet: Packet) -> Fragment | None:
        """The packet's fragment; None before the first keyframe, and for one without a picture.

        Raises CannotMuxError where a keyframe's parameter sets cannot be read.
        """
        units = nal_units(packet.data)
        head = self._head(packet) if packet.keyframe and units else None
        if self._sets is None or not units:
            return None
        place = self._timeline.place(packet)
        if self._placed_us is not None:
            step_us = place.time_us - self._placed_us
            self._steps.append(step_us)
            self._time_us += min(step_us, round(_STEP_OF_DURATION * self._duration_us))
        self._placed_us = place.time_us
        usual_us = sum(self._steps) // len(self._steps)
        self._duration_us = min(max(2 * usual_us, *self._steps, _SHORTEST_US), _LONGEST_US)
        self._sequence += 1
        size = sum(map(len, units)) + 4 * len(units)
        sample = Sample(self._duration_us, size, place.offset_us, packet.keyframe)
        first = fragment_head(self._sequence, self._time_us, packet.wall_us, [sample])
        parts = [part for unit in units for part in (len(unit).to_bytes(4), unit)]
        if self._sound is not None:
            parts.append(self._sound.fragment(self._time_us, self._time_us - packet.dts_us))
        return Fragment(b"".join((first, *parts)), self._time_us, packet.keyframe, head)

    def _head(self, keyframe: Packet) -> Head | None:
        """The head for a keyframe, which begins a new time axis; None where the last one holds."""
        own = parameter_sets(self._codec, head_units(self._codec, keyframe.data))
        sets = own if self._sets is None else self._sets.updated(own)
        if sets == self._sets or not sets.complete:
            return None
        try:
            name = codec_string(self._codec, sets)
            record = configuration_record(self._codec, sets)
            sps = parse_sps(self._codec, sets.sps[0])
        except (ParameterSetsError, ValueError) as exc:
            raise CannotMuxError(str(exc)) from exc
        self._sets = sets
        self._begin()
        entry = sample_entry(self._codec, sps.width, sps.height, record)
        track = None
        if self._sound is not None:
            name, track = f"{name},{self._sound.codec}", self._sound.track
        return Head(name, sps.width, sps.height, live_head(entry, sps.width, sps.height, track))
