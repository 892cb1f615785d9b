"""The order in which an H.264 stream's pictures are shown, for cameras that do not tell it by their times.

With B-frames pictures are sent in another order than they are shown. RTP carries the time at which each is
shown (RFC 6184, 5.1), but some senders stamp pictures as they send them: times that only grow, from which
nobody can tell that there are B-frames, and with which players jump to and fro. The pictures themselves say
where they belong (picture order count, ITU-T H.264 8.2.1.1). Where times and pictures disagree, the times
are exchanged among the pictures; else they are left alone. Pure: no clock inside.
"""

from collections import deque

from camera_hub.annexb import picture_head
from camera_hub.sps import Bits, SliceLayout, rbsp, slice_layout

_HEAD_BYTES = 32  # of a slice: more than its header needs up to the order count
_FEWEST = 2  # pictures that come too late for their times before these are believed to be wrong
_REMEMBERED = 32  # pictures; none is shown so many after it was sent


class ShownOrder:
    """One stream; `shown_us` takes its pictures in the order in which they are sent."""

    def __init__(self) -> None:
        self._layout: SliceLayout | None = None
        self._last_order = 0  # of the picture before
        self._reference = 0  # the order count that wraps are told from
        self._step = 2  # between pictures that are shown one after the other
        self._began = 0  # how many had been sent when the order counts began anew
        self._sent = 0
        self._times: deque[int] = deque(maxlen=_REMEMBERED)  # of the newest pictures
        self._lead = 0  # how many pictures earlier than its turn one is sent, at most
        self._lead_us = 0
        self._last_us: int | None = None
        self._disagreed = 0

    def learn(self, sps: bytes) -> None:
        """The stream's sequence parameter set, which may be another."""
        try:
            self._layout = slice_layout(sps)
        except ValueError:
            self._layout = None

    def shown_us(self, data: bytes, pts_us: int | None) -> int | None:
        """When the picture is shown, given the time that came with it, if one did."""
        order = self._order(data) if self._layout is not None else None
        if order is None:
            return pts_us
        earlier = self._sent > self._began and order < self._last_order
        ahead = self._began + order // self._step - self._sent
        self._sent += 1
        self._last_order = order
        if pts_us is None:
            return None
        if self._last_us is not None and pts_us < self._last_us:
            self._disagreed = 0  # these are times of showing
        elif earlier:
            self._disagreed += 1
        self._last_us = pts_us
        self._times.append(pts_us)
        return self._exchanged(ahead, pts_us) if self._disagreed >= _FEWEST else pts_us

    def _exchanged(self, ahead: int, pts_us: int) -> int:
        """The time that came when it was this picture's turn.

        One that is sent ahead of its turn would have to wait for it, so that all take the time of `_lead`
        pictures before and add what these take: uneven times stay in their order.
        """
        times = self._times
        if self._lead < ahead < len(times):
            self._lead = ahead
            self._lead_us = ahead * (times[-1] - times[0]) // (len(times) - 1)
        place = ahead - self._lead - 1
        return times[place] + self._lead_us if -len(times) <= place < 0 else pts_us

    def _order(self, data: bytes) -> int | None:
        """The picture order count; None where it cannot be read. Begins anew at an IDR picture."""
        head = picture_head("h264", data, _HEAD_BYTES)
        layout = self._layout
        if not head or layout is None:
            return None
        idr = head[0] & 0x1F == 5
        try:
            count = _order_bits(Bits(rbsp(head[1:])), layout, idr)
        except ValueError:
            return None
        if idr:
            self._began = self._sent
            self._reference = 0
        wrap = 1 << layout.order
        # The nearest to the last picture that others refer to (8-3 to 8-5).
        order = self._reference + (count - self._reference + wrap // 2) % wrap - wrap // 2
        if head[0] & 0x60:
            self._reference = order
        if 0 < abs(order - self._last_order) < self._step:
            self._step = 1
        return order


def _order_bits(bits: Bits, layout: SliceLayout, idr: bool) -> int:
    """pic_order_cnt_lsb of a slice header (7.3.3)."""
    bits.ue()  # first_mb_in_slice
    bits.ue()  # slice_type
    bits.ue()  # pic_parameter_set_id
    bits.u(layout.frame_num)
    if not layout.frames_only and bits.u(1):
        bits.u(1)  # bottom_field_flag
    if idr:
        bits.ue()  # idr_pic_id
    return bits.u(layout.order)
