"""A viewer's media path: RTP headers, SRTP and the socket, many packets at a time.

Promises: payloads leave encrypted from where ICE and DTLS have agreed on, without a task, a copy or a log
line for each; where the kernel can (Linux's UDP_SEGMENT), packets of one size leave in one call. What the
socket has no room for is told; what the network refuses counts as lost on the way.
Relies on one event loop for all its calls.
"""

import contextlib
import errno
import os
import socket
import struct
import sys
from collections.abc import Sequence
from typing import Any

from camera_hub.live.peer import MEMORY, SLOT_BYTES, SLOTS, Secured
from camera_hub.live.rtp import HEADER_BYTES

CHUNK = SLOTS  # packets that are sent at once, at most
_UDP_SEGMENT = 103  # linux/udp.h; Python has no name for it
_MARKER = 0x80

# Kernels and interfaces that cannot cut one buffer into packets say so in one of these.
_CANNOT_CUT = frozenset({errno.EINVAL, errno.EIO, errno.EMSGSIZE, errno.ENOPROTOOPT, errno.EOPNOTSUPP})

_put_header = struct.Struct("!BBHII").pack_into
_put_number = struct.Struct("!H").pack_into


class MediaPath:
    """From payloads to the viewer's address. To be closed."""

    def __init__(self, secured: Secured) -> None:
        self.cuts = sys.platform == "linux"  # the kernel cuts a buffer into packets
        self._secured = secured
        self._rtx_sequence = 0
        self._route: Any = None
        self._address: tuple[str, int] = ("", 0)
        self._socket: socket.socket | None = None

    @property
    def ssrc(self) -> int:
        return self._secured.ssrc

    @property
    def cname(self) -> bytes:
        return self._secured.cname

    def send(self, payloads: Sequence[bytes], begin: int, sequence: int, timestamp: int) -> int:
        """Send a picture's payloads from number `begin` on, `SLOTS` of them at most.

        `sequence` is that of the first of these, modulo 2^16. Returns how many were sent; fewer than
        those asked for when the socket has no room now.
        """
        end = min(len(payloads), begin + SLOTS)
        encrypt, kind, ssrc = self._secured.encrypt, self._secured.payload_type, self._secured.ssrc
        sizes = []
        at = 0
        for slot in range(end - begin):
            payload = payloads[begin + slot]
            if begin + slot == len(payloads) - 1:
                kind |= _MARKER
            size = HEADER_BYTES + len(payload)
            _put_header(MEMORY, at, 0x80, kind, sequence + slot & 0xFFFF, timestamp, ssrc)
            MEMORY[at + HEADER_BYTES : at + size] = payload
            sizes.append(encrypt(slot, size))
            at += SLOT_BYTES
        return self._leave(sizes)

    def send_again(self, payload: bytes, sequence: int, timestamp: int, *, last: bool) -> None:
        """Answer a NACK: by RTX (RFC 4588) where it was agreed on, or by the very same packet."""
        secured = self._secured
        kind, marker = secured.rtx_payload_type, _MARKER if last else 0
        size = HEADER_BYTES + len(payload)
        at = HEADER_BYTES
        if kind is None:
            _put_header(MEMORY, 0, 0x80, secured.payload_type | marker, sequence, timestamp, secured.ssrc)
        else:
            number = self._rtx_sequence
            self._rtx_sequence = number + 1 & 0xFFFF
            _put_header(MEMORY, 0, 0x80, kind | marker, number, timestamp, secured.rtx_ssrc)
            _put_number(MEMORY, HEADER_BYTES, sequence)
            at, size = at + 2, size + 2
        MEMORY[at:size] = payload
        with contextlib.suppress(ValueError):  # so old that libsrtp has forgotten how it was encrypted
            self._leave([secured.encrypt(0, size)])

    def send_report(self, data: bytes) -> None:
        """Send RTCP. Where it cannot go it does not matter: the next one comes."""
        data = self._secured.encrypted_rtcp(data)
        if self._ready():
            with contextlib.suppress(OSError):
                self._one(data)

    def close(self) -> None:
        self._route = None
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _ready(self) -> bool:
        """Whether there is a way; the socket and the address are those of the pair that ICE now uses."""
        route = self._secured.route()
        if route is self._route:
            return route is not None
        self.close()
        if route is None:
            return False
        self._route, self._address = route, route.remote_addr
        own = route.protocol.transport.get_extra_info("socket")
        if own is not None:  # none where it is a relay's
            # The event loop's own way would hand it each packet alone.
            self._socket = socket.socket(fileno=os.dup(own.fileno()))
            self._socket.setblocking(False)
        return True

    def _leave(self, sizes: list[int]) -> int:
        """Send the first slots; how many left, or were refused by the network."""
        if not self._ready():
            return len(sizes)
        done = 0
        while done < len(sizes):
            run = self._run(sizes, done) if self.cuts and self._socket is not None else 1
            views = [
                MEMORY[slot * SLOT_BYTES : slot * SLOT_BYTES + sizes[slot]]
                for slot in range(done, done + run)
            ]
            try:
                if run == 1:
                    self._one(views[0])
                else:
                    assert self._socket is not None
                    cut = [(socket.IPPROTO_UDP, _UDP_SEGMENT, struct.pack("H", sizes[done]))]
                    self._socket.sendmsg(views, cut, 0, self._address)
            except BlockingIOError:
                return done
            except OSError as exc:
                if run > 1 and exc.errno in _CANNOT_CUT:
                    self.cuts = False
                    continue
            done += run
        return done

    def _one(self, data: bytes | memoryview) -> None:
        if self._socket is not None:
            self._socket.sendto(data, self._address)
        else:
            self._route.protocol.transport.sendto(bytes(data), self._address)

    @staticmethod
    def _run(sizes: list[int], begin: int) -> int:
        """How many packets from `begin` on can be cut out of one buffer: of one size, or the last less."""
        size = sizes[begin]
        end = begin + 1
        while end < len(sizes) and sizes[end] == size:
            end += 1
        if end < len(sizes) and sizes[end] < size:
            end += 1
        return end - begin
