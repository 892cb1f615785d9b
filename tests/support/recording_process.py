"""A process that records for ever: `python recording_process.py FOLDER STREAM CAMERA SPEED`.

STREAM is a file of packets (msgpack). It prints each packet's time once the recorder has it.
"""

import itertools
import sys
import time
from pathlib import Path

import msgspec
import structlog

from camera_hub.clock import SYSTEM_CLOCK
from camera_hub.model import Packet, StreamInfo
from camera_hub.recording import Catalogue, Recorder, Retention


def main() -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    folder, stream, camera, speed = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], float(sys.argv[4])
    info, packets = msgspec.msgpack.decode(stream.read_bytes(), type=tuple[StreamInfo, tuple[Packet, ...]])
    catalogue = Catalogue(folder / "catalogue.db")
    catalogue.salvage(folder, camera)
    retention = Retention(folder, catalogue, max_bytes=2**60, keep_free_bytes=0)
    recorder = Recorder(folder, catalogue, camera, "main", 6, SYSTEM_CLOCK, retention.make_room)
    recorder.start(info)
    step_us = packets[1].dts_us - packets[0].dts_us
    origin_us = SYSTEM_CLOCK.wall_us()
    for number, packet in enumerate(itertools.cycle(packets)):
        now_us = number * step_us
        recorder.write(Packet(packet.data, now_us, now_us, origin_us + now_us, packet.keyframe))
        if recorder.problem:
            sys.exit(recorder.problem)
        print(now_us, flush=True)
        time.sleep(step_us / 1e6 / speed)


if __name__ == "__main__":
    main()
