"""Where packets come from: a camera's streams over RTSP, clips, and what ONVIF tells of a camera.

In the order in which a packet travels: a `Source` (`rtsp`, `clip`, or
`onvif_source` for a camera that tells its addresses) connects once and yields packets (`units`,
`annexb`, `sps` and `timeline` put them right);
a `reader.StreamReader` keeps a source open for ever (`retry` decides when, `stats` counts);
`decoding.LumaDecoder` makes pictures of packets, for those who need pictures. `probe` tries a
camera out.
"""

from camera_hub.cameras.clip import ClipSource
from camera_hub.cameras.onvif_source import OnvifSource
from camera_hub.cameras.rtsp import RtspSource
from camera_hub.cameras.sound import OnSound
from camera_hub.cameras.source import CameraError, NoSecondStreamError, Source
from camera_hub.clock import SYSTEM_CLOCK, Clock
from camera_hub.config import CameraConfig
from camera_hub.model import StreamName

__all__ = ["CameraError", "Source", "open_source"]


def open_source(
    camera: CameraConfig,
    stream: StreamName,
    clock: Clock = SYSTEM_CLOCK,
    on_sound: OnSound = lambda packet: None,
) -> Source:
    """A fresh source for a stream of a camera, not yet open: here each kind of camera is known.

    `on_sound` gets the sound that comes with the packets, in the thread that reads them, where the
    configuration wants it and the camera has it.
    Raises CameraError where the configuration has no such stream.
    """
    wanted_sound = on_sound if camera.audio else None
    password = camera.password.get_secret_value() if camera.password is not None else None
    if camera.onvif is not None:
        return OnvifSource(
            camera.onvif.host,
            camera.onvif.port,
            stream,
            transport=camera.transport,
            username=camera.username,
            password=password,
            clock=clock,
            on_sound=wanted_sound,
        )
    address = getattr(camera.streams, stream, None)
    if address is None:
        raise NoSecondStreamError(f"the camera {camera.id} has no {stream} stream")
    if camera.is_clip:
        return ClipSource(address, loop=camera.clip.loop, pace=camera.clip.pace, clock=clock)
    return RtspSource(
        address,
        transport=camera.transport,
        username=camera.username,
        password=password,
        clock=clock,
        on_sound=wanted_sound,
    )
