"""The part of a worker's inside that is asked for recordings, of one that has none."""

from camera_hub.link.messages import NotRecordedError, RangeWanted, Spans, SpansWanted
from camera_hub.link.worker_protocols import OpenRange
from camera_hub.model import NotRecorded


class NoRecordings:
    async def spans(self, request: SpansWanted) -> Spans:
        return Spans(request=request.request, to_us=request.to_us)

    async def open_range(self, request: RangeWanted) -> OpenRange:
        raise NotRecordedError("nothing is recorded of this camera then", NotRecorded.NOTHING_THERE)
