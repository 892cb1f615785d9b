"""MP4 boxes as bytes: the head of a segment or a live view, fragments, and the head of a clip.

Promises: pure functions, data in and bytes out; times are microseconds throughout (a timescale of 1 000
000), so that nothing is rounded. A fragment stands alone behind the head: `prft`, `moof`, `mdat`, offsets
counted from its `moof`.
Relies on ISO/IEC 14496-12 (boxes) and 14496-15 (`avc1`, `hvc1`). `recording.fmp4_reader` reads what is
written here.
"""

import json
import struct
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple
from uuid import UUID

from camera_hub.mp4 import aac

TIMESCALE = 1_000_000
ORIGIN_BOX = UUID("5c1f0a52-6f0e-4b0a-9d5e-3a1f4d2b7c60").bytes
"""Our own box in a segment's `moov`: whose recording it is and when it began, as JSON."""

_TRACK = 1
_SOUND_TRACK = 2
NTP_EPOCH_S = 2_208_988_800  # 1970-01-01 in seconds since 1900-01-01 (RFC 5905)
_SYNC_FLAGS = 0x02000000  # depends on no other sample
_OTHER_FLAGS = 0x01010000  # depends on others, is no sync sample
_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


class Sample(NamedTuple):
    """One access unit in a track."""

    duration_us: int
    size: int  # bytes
    offset_us: int  # composition time minus decoding time
    keyframe: bool


class SoundTrack(NamedTuple):
    """The track of sound beside the pictures."""

    entry: bytes  # see `sound_entry`
    rate: int  # samples per second


class Origin(NamedTuple):
    """Whose recording a segment is, and the two clocks at its first picture."""

    camera: str
    stream: str
    start_us: int  # wall
    stream_us: int  # decoding time on the camera's own clock


def sample_entry(codec: str, width: int, height: int, record: bytes) -> bytes:
    """An `avc1` or `hvc1` box; `record` is the payload of its `avcC` or `hvcC`."""
    kind, config = (b"avc1", b"avcC") if codec == "h264" else (b"hvc1", b"hvcC")
    width, height = _in_field(width), _in_field(height)
    visual = struct.pack(">6xH16xHHIIIH32xHh", 1, width, height, 0x480000, 0x480000, 0, 1, 0x18, -1)
    return _box(kind, visual, _box(config, record))


def segment_head(entry: bytes, width: int, height: int, origin: Origin, first_offset_us: int = 0) -> bytes:
    """What a segment's file begins with: `ftyp` and a `moov` without samples.

    `first_offset_us` is the first sample's `offset_us`: the picture that is to be shown at 0.
    """
    text = json.dumps(origin._asdict(), separators=(",", ":")).encode()
    return _fragmented_head(entry, width, height, first_offset_us, _box(b"uuid", ORIGIN_BOX, text))


def live_head(entry: bytes, width: int, height: int, sound: SoundTrack | None = None) -> bytes:
    """What a live view begins with: an initialisation segment (W3C MSE byte streams, ISO BMFF)."""
    return _fragmented_head(entry, width, height, 0, sound=sound)


def sound_entry(rate: int, channels: int, config: bytes) -> bytes:
    """An `mp4a` box; `config` is AAC's AudioSpecificConfig (ISO/IEC 14496-14, 5.6; 14496-1, 7.2.6)."""
    specific = bytes((0x05, len(config))) + config
    decoder = bytes((0x40, 0x15)) + bytes(11) + specific  # AAC; buffer and bit rates are not told
    elementary = bytes((0, 0, 0)) + bytes((0x04, len(decoder))) + decoder + bytes((0x06, 1, 2))
    esds = _full(b"esds", 0, 0, bytes((0x03, len(elementary))) + elementary)
    return _box(b"mp4a", struct.pack(">6xH8xHH4xI", 1, channels, 16, min(rate, 0xFFFF) << 16), esds)


def _fragmented_head(
    entry: bytes,
    width: int,
    height: int,
    first_offset_us: int,
    *more: bytes,
    sound: SoundTrack | None = None,
) -> bytes:
    trex = _full(b"trex", 0, 0, struct.pack(">5I", _TRACK, 1, 0, 0, 0))
    tracks = [] if sound is None else [_sound_trak(sound)]
    if sound is not None:
        trex += _full(b"trex", 0, 0, struct.pack(">5I", _SOUND_TRACK, 1, aac.FRAME, 0, _SYNC_FLAGS))
    mvex = _box(b"mvex", trex)
    moov = _moov(entry, width, height, 0, first_offset_us, _NO_SAMPLES, *tracks, mvex, *more)
    return _box(b"ftyp", b"iso6", bytes(4), b"iso6mp41") + moov


def fragment_head(sequence: int, time_us: int, wall_us: int, samples: Sequence[Sample]) -> bytes:
    """One fragment up to its samples' bytes, which follow it one after the other.

    `time_us` is the first sample's decoding time, counted from the segment's start. `wall_us` is when that
    sample reached the hub; it stands in `prft` (14496-12, 8.16.5), so that each fragment keeps both clocks.
    """
    prft = _full(b"prft", 1, 24, struct.pack(">IQQ", _TRACK, ntp_time(wall_us), time_us))
    rows = b"".join(
        struct.pack(">IIIi", s.duration_us, s.size, _SYNC_FLAGS if s.keyframe else _OTHER_FLAGS, s.offset_us)
        for s in samples
    )
    mfhd = _full(b"mfhd", 0, 0, struct.pack(">I", sequence))
    tfhd = _full(b"tfhd", 0, 0x020000, struct.pack(">I", _TRACK))  # default-base-is-moof
    tfdt = _full(b"tfdt", 1, 0, struct.pack(">Q", time_us))
    # moof and traf headers, the boxes above, trun up to its rows, then mdat's own header
    moof_size = 8 + len(mfhd) + 8 + len(tfhd) + len(tfdt) + 20 + len(rows)
    trun = _full(b"trun", 1, 0x000F01, struct.pack(">II", len(samples), moof_size + 8), rows)
    moof = _box(b"moof", mfhd, _box(b"traf", tfhd, tfdt, trun))
    return b"".join((prft, moof, struct.pack(">I", 8 + sum(s.size for s in samples)), b"mdat"))


def sound_fragment(sequence: int, at_frame: int, frames: Sequence[bytes]) -> bytes:
    """A fragment of sound: AAC frames one after the other, the first the `at_frame`th of the track's axis."""
    mfhd = _full(b"mfhd", 0, 0, struct.pack(">I", sequence))
    tfhd = _full(b"tfhd", 0, 0x020000, struct.pack(">I", _SOUND_TRACK))
    tfdt = _full(b"tfdt", 1, 0, struct.pack(">Q", at_frame * aac.FRAME))
    sizes = b"".join(struct.pack(">I", len(frame)) for frame in frames)
    moof_size = 8 + len(mfhd) + 8 + len(tfhd) + len(tfdt) + 20 + len(sizes)
    trun = _full(b"trun", 0, 0x000201, struct.pack(">II", len(frames), moof_size + 8), sizes)
    return _box(b"moof", mfhd, _box(b"traf", tfhd, tfdt, trun)) + _box(b"mdat", *frames)


def ntp_time(wall_us: int) -> int:
    """A 64-bit NTP timestamp (RFC 5905, 6), which begins again at 0 in February 2036."""
    return ((wall_us + NTP_EPOCH_S * 1_000_000) * 2**32 + 500_000) // 1_000_000 % 2**64


def clip_head(entry: bytes, width: int, height: int, samples: Sequence[Sample], data_size: int) -> bytes:
    """All of a plain MP4 file but its samples' bytes, which follow it: players can seek in it at once."""
    time_us = shown_until_us = 0
    for sample in samples:
        time_us += sample.duration_us
        shown_until_us = max(shown_until_us, time_us + sample.offset_us)
    first_us = samples[0].offset_us
    duration_us = shown_until_us - max(first_us, 0)
    ftyp = _box(b"ftyp", b"isom", struct.pack(">I", 0x200), b"isomiso2mp41")
    tables = _sample_tables(samples, 0)
    moov = _moov(entry, width, height, duration_us, first_us, tables)
    # The table's size does not depend on the offset that it holds.
    at = len(ftyp) + len(moov) + 8
    moov = _moov(entry, width, height, duration_us, first_us, _sample_tables(samples, at))
    return ftyp + moov + struct.pack(">I", 8 + data_size) + b"mdat"


def _sample_tables(samples: Sequence[Sample], at: int) -> tuple[bytes, ...]:
    durations = _runs([s.duration_us for s in samples])
    offsets = _runs([s.offset_us for s in samples])
    keyframes = [number for number, s in enumerate(samples, 1) if s.keyframe]
    tables = [
        _full(b"stts", 0, 0, _table([struct.pack(">II", count, value) for count, value in durations])),
        _full(b"stss", 0, 0, _table([struct.pack(">I", number) for number in keyframes])),
        _full(b"stsc", 0, 0, _table([struct.pack(">III", 1, len(samples), 1)])),
        _full(b"stsz", 0, 0, bytes(4), _table([struct.pack(">I", s.size) for s in samples])),
        _full(b"stco", 0, 0, _table([struct.pack(">I", at)])),
    ]
    if any(value for _, value in offsets):
        rows = [struct.pack(">Ii", count, value) for count, value in offsets]
        tables.insert(1, _full(b"ctts", 1, 0, _table(rows)))
    return tuple(tables)


def _runs(values: list[int]) -> list[tuple[int, int]]:
    return [(len(list(group)), value) for value, group in groupby(values)]


def _table(rows: list[bytes]) -> bytes:
    return struct.pack(">I", len(rows)) + b"".join(rows)


def _moov(
    entry: bytes,
    width: int,
    height: int,
    duration_us: int,
    first_us: int,
    tables: tuple[bytes, ...],
    *more: bytes,
) -> bytes:
    """The movie; `tables` are the boxes of the pictures' `stbl` beside `stsd`, `more` follows their track."""
    vmhd = _full(b"vmhd", 0, 1, bytes(8))
    mdia = _mdia(b"vide", TIMESCALE, duration_us, vmhd, entry, tables)
    tkhd = struct.pack(">QQIIQ8xHHHH", 0, 0, _TRACK, 0, duration_us, 0, 0, 0, 0)
    size = struct.pack(">II", _in_field(width) << 16, _in_field(height) << 16)
    # With B-frames the first picture is shown later than it is decoded; the edit list makes that moment 0.
    edit = _full(b"elst", 1, 0, struct.pack(">IQqI", 1, duration_us, first_us, 0x10000))
    edits = _box(b"edts", edit) if first_us > 0 else b""
    trak = _box(b"trak", _full(b"tkhd", 1, 3, tkhd, _MATRIX, size), edits, mdia)
    times = struct.pack(">QQIQIH10x", 0, 0, TIMESCALE, duration_us, 0x10000, 0x100)
    mvhd = _full(b"mvhd", 1, 0, times, _MATRIX, bytes(24), struct.pack(">I", _SOUND_TRACK + 1))
    return _box(b"moov", mvhd, trak, *more)


def _sound_trak(sound: SoundTrack) -> bytes:
    tkhd = struct.pack(">QQIIQ8xHHHH", 0, 0, _SOUND_TRACK, 0, 0, 0, 0, 0x100, 0)
    mdia = _mdia(b"soun", sound.rate, 0, _full(b"smhd", 0, 0, bytes(4)), sound.entry, _NO_SAMPLES)
    return _box(b"trak", _full(b"tkhd", 1, 3, tkhd, _MATRIX, bytes(8)), mdia)


def _mdia(
    kind: bytes, timescale: int, duration: int, about: bytes, entry: bytes, tables: tuple[bytes, ...]
) -> bytes:
    """What a track holds; `about` is its kind's own header, `duration` in the timescale."""
    stsd = _full(b"stsd", 0, 0, struct.pack(">I", 1), entry)
    dref = _full(b"dref", 0, 0, struct.pack(">I", 1), _full(b"url ", 0, 1))
    minf = _box(b"minf", about, _box(b"dinf", dref), _box(b"stbl", stsd, *tables))
    mdhd = _full(b"mdhd", 1, 0, struct.pack(">QQIQHH", 0, 0, timescale, duration, 0x55C4, 0))
    hdlr = _full(b"hdlr", 0, 0, bytes(4), kind, bytes(12), b"camera\x00")
    return _box(b"mdia", mdhd, hdlr, minf)


def _in_field(pixels: int) -> int:
    """A size as 16 bits hold it; where a camera told nonsense, players take it from the SPS."""
    return min(max(pixels, 0), 0xFFFF)


def _box(kind: bytes, *parts: bytes) -> bytes:
    return b"".join((struct.pack(">I", 8 + sum(map(len, parts))), kind, *parts))


def _full(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    return _box(kind, struct.pack(">I", version << 24 | flags), *parts)


_NO_SAMPLES = (
    _full(b"stts", 0, 0, bytes(4)),
    _full(b"stsc", 0, 0, bytes(4)),
    _full(b"stsz", 0, 0, bytes(8)),
    _full(b"stco", 0, 0, bytes(4)),
)
"""The tables of a track whose samples are all in fragments."""
