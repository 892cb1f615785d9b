"""The recordings of a worker that has none."""

from camera_hub.link.messages import NotRecordedError, RangeWanted, Spans, SpansWanted
from camera_hub.link.worker.protocols import OpenRange
from camera_hub.model import NotRecorded


class NoRecordings:
    async def spans(self, asked: SpansWanted) -> Spans:
        return Spans(request=asked.request, to_us=asked.to_us)

    async def open_range(self, asked: RangeWanted) -> OpenRange:
        raise NotRecordedError("nothing is recorded of this camera then", NotRecorded.NOTHING_THERE)
