"""The process of one transcode: packets come in by its standard input, H.264 goes out by its standard output.

A process of its own, and a nice one: a decoder that dies of what a camera sends takes nobody with it, and the
server's event loop never waits for one. Promises: it keeps up with the stream, by leaving out pictures where
the machine is too slow; it ends when the server does. Started as
`python -m camera_hub.live.transcode_process SHAPE`, with `SHAPE` in JSON.
"""

import os
import signal
import sys
import threading
import time
from typing import BinaryIO

import msgspec

from camera_hub.live.transcode_backlog import NEAR_US, Backlog
from camera_hub.live.transcode_codec import Decoder, Encoder
from camera_hub.live.transcode_wire import Begin, Coded, Figures, Shape, framed, read
from camera_hub.model import Packet, StreamInfo

NICE = 10
FIGURES_S = 1.0
THIN_US = 250_000  # between the pictures that are shown while it is behind


class _Work:
    """Does what is in the backlog and writes what comes out."""

    def __init__(self, shape: Shape, backlog: Backlog, out: BinaryIO) -> None:
        self._shape = shape
        self._backlog = backlog
        self._out = out
        self._decoder: Decoder | None = None
        self._encoder = Encoder(shape)
        self._chapter = 0
        self._told: StreamInfo | None = None
        self._encoded = self._left_out = self._damaged = 0

    def run(self) -> None:
        """For ever; the reading thread ends the process."""
        told_s = time.monotonic()
        while True:
            taken = self._backlog.take(FIGURES_S)
            if taken is None:
                pass
            elif isinstance(taken.item, Begin):
                self._begin(taken.item)
            elif self._decoder is not None:
                if taken.gap:
                    self._decoder.skip()
                self._transcode(self._decoder, taken.item, THIN_US if taken.late_us > NEAR_US else 0)
            if time.monotonic() - told_s > FIGURES_S:
                told_s = time.monotonic()
                self._tell_figures()

    def _begin(self, begin: Begin) -> None:
        self._tell_figures()
        self._damaged += self._decoder.damaged if self._decoder is not None else 0
        self._decoder = Decoder(begin.info)
        self._encoder = Encoder(self._shape, begin.info.fps)
        self._chapter, self._told = begin.chapter, None

    def _transcode(self, decoder: Decoder, packet: Packet, step_us: int) -> None:
        encoder = self._encoder
        for picture in decoder.decode(packet):
            if not encoder.due(picture.pts_us, step_us):
                self._left_out += 1
                continue
            made = encoder.encode(picture)
            self._encoded += 1
            if encoder.info is not None and encoder.info is not self._told:
                self._told = encoder.info
                self._out.write(framed(Begin(self._chapter, encoder.info)))
            self._out.write(framed(Coded(made)))
            self._out.flush()

    def _tell_figures(self) -> None:
        damaged = self._damaged + (self._decoder.damaged if self._decoder is not None else 0)
        cpu_us = time.process_time_ns() // 1000
        figures = Figures(cpu_us, self._encoded, self._left_out, self._backlog.dropped, damaged)
        self._out.write(framed(figures))
        self._out.flush()


def _read(pipe: BinaryIO, backlog: Backlog) -> None:
    """Put all that comes into the backlog; at the end there is nothing left to do for anybody."""
    try:
        while (message := read(pipe)) is not None:
            match message:
                case Begin():
                    backlog.put(message)
                case Coded(packet):
                    backlog.put(packet)
    finally:
        os._exit(0)  # the other thread may be deep in a decoder


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's, which ends us
    os.nice(NICE)
    shape = msgspec.json.decode(sys.argv[1], type=Shape)
    # What a library prints must not get between the messages.
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    backlog = Backlog()
    threading.Thread(target=_read, args=(sys.stdin.buffer, backlog), daemon=True).start()
    try:
        _Work(shape, backlog, out).run()
    except BrokenPipeError:
        os._exit(0)  # the server has gone


if __name__ == "__main__":
    main()
