"""The socket pair between a camera's process and the worker: whole messages, bounded, EOF told."""

import asyncio
import os
import socket
import threading

import pytest

from camera_hub.ingest.channel import MAX_WAITING_LIVE_BYTES, CameraEnd, WorkerEnd
from camera_hub.ingest.messages import MakeStill, StillMade, Stop, Tap, TapPackets
from camera_hub.model import Packet


def live(size: int) -> TapPackets:
    packet = Packet(data=os.urandom(size), pts_us=0, dts_us=0, wall_us=0, keyframe=True)
    return TapPackets(stream="sub", packets=(packet,))


async def test_messages_of_any_size_arrive_whole_and_in_order() -> None:
    ours, theirs = socket.socketpair()
    camera, worker = CameraEnd(theirs), await WorkerEnd.open(ours)
    sent = [live(size) for size in (1, 5_000_000, 10, 300_000)]
    for message in sent:
        assert camera.send(message)
    assert [await worker.receive() for _ in sent] == sent
    camera.close()
    with pytest.raises(EOFError):
        await worker.receive()
    worker.close()


async def test_the_worker_is_heard_while_much_is_sent() -> None:
    ours, theirs = socket.socketpair()
    camera, worker = CameraEnd(theirs), await WorkerEnd.open(ours)
    for message in (Tap(stream="sub", on=True), MakeStill(request=1, height=None), Stop()):
        worker.send(message)
    heard = [await asyncio.to_thread(camera.receive, 5) for _ in range(3)]
    assert [type(m) for m in heard] == [Tap, MakeStill, Stop]
    assert await asyncio.to_thread(camera.receive, 0.01) is None
    worker.close()
    with pytest.raises(EOFError):
        await asyncio.to_thread(camera.receive, 5)
    camera.close()


def test_a_worker_that_does_not_listen_costs_live_packets_only() -> None:
    ours, theirs = socket.socketpair()
    camera = CameraEnd(theirs)
    outcomes = [camera.send(live(1_000_000)) for _ in range(20)]
    assert outcomes[0]
    assert not outcomes[-1]
    assert sum(outcomes) * 1_000_000 <= MAX_WAITING_LIVE_BYTES + 2_000_000
    assert camera.send(StillMade(request=1, jpeg=None, at_us=0, error="x"))
    closer = threading.Thread(target=camera.close, args=(0.2,))
    closer.start()
    closer.join(5)
    assert not closer.is_alive()
    ours.close()
