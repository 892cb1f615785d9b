"""Cameras with sound, made on the spot: the picture is bright and a tone is heard in the same moments.

Each second begins with 0.3 s of both; else the picture is dark, and it is still.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from camera_hub.annexb import head_units, nal_units, parameter_sets
from camera_hub.model import Packet, SoundInfo, SoundPacket, StreamInfo
from camera_hub.mp4.configuration import configuration_record
from tests.support import needs
from tests.support.rtsp_servers import serving
from tests.support.waiting import free_port

TONE_HZ = 1000
BEEP_S = 0.3
SECONDS = 4
FPS = 10


def tone(rate: int, seconds: float = SECONDS) -> NDArray[np.int16]:
    """The sound, by its samples."""
    at = np.arange(round(rate * seconds)) / rate
    return np.where(at % 1 < BEEP_S, 8000 * np.sin(2 * np.pi * TONE_HZ * at), 0).astype(np.int16)


def sound(codec: str, rate: int = 8000, seconds: float = SECONDS) -> tuple[SoundInfo, list[SoundPacket]]:
    """The tone as a camera sends it: G.711 in packets of 40 ms, AAC in frames."""
    encoder = av.CodecContext.create(codec, "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate, encoder.layout = rate, "mono"
    encoder.format = "fltp" if codec == "aac" else "s16"
    encoder.open()
    size = encoder.frame_size or rate // 25
    samples = tone(rate, seconds)
    packets = []
    for at in range(0, len(samples), size):
        piece = samples[None, at : at + size]
        if codec == "aac":
            frame = av.AudioFrame.from_ndarray(piece.astype(np.float32) / 32768, "fltp", "mono")
        else:
            frame = av.AudioFrame.from_ndarray(piece, "s16", "mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, at, Fraction(1, rate)
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    made = []
    for packet in packets:
        assert packet.pts is not None
        assert packet.time_base is not None
        made.append(SoundPacket(bytes(packet), round(packet.pts * packet.time_base * 1_000_000)))
    config = encoder.extradata or b"" if codec == "aac" else b""
    return SoundInfo(codec, rate, 1, config), [packet for packet in made if packet.pts_us >= 0]


def pictures(
    seconds: float = SECONDS, fps: int = FPS, size: tuple[int, int] = (320, 240)
) -> tuple[StreamInfo, list[Packet]]:
    """The pictures, H.264 with a keyframe a second."""
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = *size, "yuv420p"
    encoder.time_base, encoder.framerate, encoder.gop_size = Fraction(1, fps), Fraction(fps), fps
    encoder.options = {"preset": "veryfast", "tune": "zerolatency", "profile": "baseline", "crf": "30"}
    packets = []
    for number in range(round(seconds * fps)):
        bright = number % fps < BEEP_S * fps
        picture = np.full(size[::-1], 220 if bright else 40, np.uint8)
        picture[100:140, number * 7 % 280 :][:, :40] = 130
        frame = av.VideoFrame.from_ndarray(picture, "gray").reformat(format="yuv420p")
        frame.pts = number
        for packet in encoder.encode(frame):
            at_us = number * 1_000_000 // fps
            packets.append(Packet(bytes(packet), at_us, at_us, at_us, packet.is_keyframe))
    sets = parameter_sets("h264", head_units("h264", packets[0].data))
    extradata = b"".join(b"\0\0\0\1" + bytes(unit) for unit in sets.units)
    return StreamInfo("h264", *size, float(fps), extradata), packets


_PAYLOADERS = {
    "pcm_alaw": ("audio/x-alaw,rate={rate},channels=1", "rtppcmapay"),
    "pcm_mulaw": ("audio/x-mulaw,rate={rate},channels=1", "rtppcmupay"),
    "aac": (
        "audio/mpeg,mpegversion=4,stream-format=raw,rate={rate},channels=1,codec_data=(buffer){config}",
        "rtpmp4gpay",
    ),
    "g726": ("audio/x-adpcm,layout=g726,rate={rate},channels=1,bitrate=32000", "rtpg726pay"),
}


@contextmanager
def cameras(folder: Path, sounds: Mapping[str, str | None]) -> Iterator[dict[str, str]]:
    """GStreamer's RTSP server with a camera for each name, with the sound of that codec or none. Yields the
    addresses. A camera falls silent while `folder`/NAME.silent exists."""
    needs.gstreamer()
    port, about = free_port(), pictures()
    for name, codec in sounds.items():
        _lay_out(folder / name, *about, codec)
    with serving("rtsp_sound", port, folder):
        yield {name: f"rtsp://127.0.0.1:{port}/{name}" for name in sounds}


def _lay_out(file: Path, info: StreamInfo, packets: Sequence[Packet], codec: str | None) -> None:
    sets = parameter_sets("h264", nal_units(info.extradata))
    units = [b"".join(len(unit).to_bytes(4) + bytes(unit) for unit in nal_units(one.data)) for one in packets]
    record = configuration_record("h264", sets).hex()
    caps = f"video/x-h264,stream-format=avc,alignment=au,codec_data=(buffer){record}"
    shown = [(len(data), packet.pts_us) for data, packet in zip(units, packets, strict=True)]
    tracks = [{"caps": caps, "payloader": "rtph264pay config-interval=0", "packets": shown}]
    if codec is not None:
        rate = 16000 if codec == "aac" else 8000
        about, heard = sound("pcm_alaw" if codec == "g726" else codec, rate)
        caps, payloader = _PAYLOADERS[codec]
        caps = caps.format(rate=rate, config=about.config.hex())
        told = [(len(one.data), one.pts_us) for one in heard]
        tracks.append({"caps": caps, "payloader": payloader, "packets": told})
        units += [one.data for one in heard]
    file.with_suffix(".data").write_bytes(b"".join(units))
    duration_us = SECONDS * 1_000_000
    file.with_suffix(".json").write_text(json.dumps({"tracks": tracks, "duration_us": duration_us}))
