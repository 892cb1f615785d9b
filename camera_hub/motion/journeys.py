"""The journeys of all that is followed on one camera.

Promises that a stay in a zone goes on where a mover is lost for a moment, and where one that stood
still until it was background goes on: the tracker gives it another number then. Relies on being
given all tracks of every frame.
"""

from camera_hub.model import Box
from camera_hub.motion.journey import Journey
from camera_hub.motion.lines import Lines
from camera_hub.motion.tracks import Track
from camera_hub.motion.zones import Zones

LOST_US = 2_000_000  # who is seen again within this time, and near, is the same
RESTED_US = 600_000_000  # ... and within this one, where it stood still
RESTS_US = 3_000_000  # what stood still for so long rests; less, and it may be a hole that was left
MOST_LEFT = 16  # remembered at a time


class Journeys:
    """By track."""

    def __init__(self, zones: Zones, lines: Lines, size: tuple[int, int], rest_us: int) -> None:
        """`size` is (width, height) px of the small picture; a pause of more than `rest_us` is a rest."""
        self._zones = zones
        self._lines = lines
        self._size = size
        self._rest_us = rest_us
        self._by_number: dict[int, Journey] = {}
        self._left: list[tuple[Journey, int]] = []  # believed ones that ended inside, with the time limit

    def __getitem__(self, track: Track) -> Journey:
        return self._by_number[track.number]

    def here(self, journey: Journey) -> bool:
        """Whether its track is still followed."""
        return journey.track.number in self._by_number

    def update(self, tracks: list[Track], t_us: int) -> None:
        """Take in the tracks of one frame."""
        if not tracks and not self._by_number:
            return
        for number in sorted(self._by_number.keys() - {track.number for track in tracks}):
            self._end(self._by_number.pop(number), t_us)
        for track in tracks:
            if track.seen_us == t_us:
                self._follow(track, t_us)

    def _follow(self, track: Track, t_us: int) -> None:
        journey = self._by_number.get(track.number)
        if journey is None:
            journey = self._by_number[track.number] = Journey(track, self._size, self._lines)
        # A region that is not believed is as good as nothing; its foot is enough.
        zones = self._zones.touched(track.foot(), track.region.cells if track.believed else None)
        if track.believed and not journey.believed:
            journey.believed = True
            self._inherit(journey, zones, t_us)
        journey.follow(zones, t_us, self._rest_us)

    def _end(self, journey: Journey, t_us: int) -> None:
        journey.walk.end()
        track = journey.track
        journey.absorbed = track.seen_us == t_us  # seen in this frame, and let go in it
        if journey.believed and self._zones.names and journey.exit == "inside":
            rested = journey.absorbed and t_us - track.moved_us >= RESTS_US
            self._left.append((journey, track.seen_us + (RESTED_US if rested else LOST_US)))
            del self._left[:-MOST_LEFT]

    def _inherit(self, journey: Journey, zones: tuple[str, ...], t_us: int) -> None:
        """Who has just been believed, and came where another was last seen, is that one."""
        self._left = [(other, until_us) for other, until_us in self._left if until_us >= t_us]
        for entry in reversed(self._left):
            other = entry[0]
            if _near(other.box(), journey.came):
                self._left.remove(entry)
                journey.stays = other.stays.going_on(zones, t_us)
                return


def _near(a: Box, b: Box) -> bool:
    """Whether `b` overlaps `a` grown by half its sides."""
    across, down = a[2] / 2, a[3] / 2
    return (
        b[0] < a[0] + a[2] + across
        and a[0] - across < b[0] + b[2]
        and b[1] < a[1] + a[3] + down
        and a[1] - down < b[1] + b[3]
    )
