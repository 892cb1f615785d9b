"""The detector: frames of one camera in, reports of events out.

Promises: the same frames and times give the same reports, whatever the pace and the number of
threads; no I/O, no clock. One detector serves one stream from one thread. OpenCV's own threads
cost more than they bring at this size: the caller does well to say `cv2.setNumThreads(1)` once
a process.
"""

import numpy as np
from numpy.typing import NDArray

from camera_hub.motion.background import ACTIVE, Background, Difference
from camera_hub.motion.events import Events
from camera_hub.motion.exact import exact
from camera_hub.motion.frame import CELL, to_tone, working_size
from camera_hub.motion.looks import Looks
from camera_hub.motion.perspective import Perspective
from camera_hub.motion.regions import Habits, Region, find_regions
from camera_hub.motion.reports import Followed, MotionSettings, Report, Sight
from camera_hub.motion.tamper import Tamper
from camera_hub.motion.tracks import Track, Tracks
from camera_hub.motion.zones import Zones

GAP_US = 2_000_000  # a longer step, or one backward, is a new scene
IDLE_GAP_US = 70_000_000  # ... unless nothing went on before it: then frames may be left out on purpose
LEARN_US = 150_000  # the background learns about this often
LEARN_MOST_S = 1.0  # a single frame teaches no more than so many seconds' worth
WHOLE = 0.55  # share of the cells that changed: not a mover, the scene
SETTLE_US = 600_000  # after such a change the picture is only learned
IDLE_AFTER_US = 5_000_000  # ... and so long after it, nothing can be said to go on
SUDDEN_US = 500_000  # light changes in less than this; a mover needs longer to fill the picture
CALM = 0.2
GHOST_US = 400_000  # a region that stood still for so long is tested for being a hole
PARKED_US = 5_000_000  # a believed mover that stood still for so long is part of the scene
STATIC_US = 2_000_000  # ... and what was never believed


class MotionDetector:
    """Finds movers in the luma of one stream."""

    def __init__(self, settings: MotionSettings | None = None) -> None:
        self._settings = settings or MotionSettings()
        self._exact = exact(self._settings)
        self._shape: tuple[int, int] | None = None
        self._number = 0
        self._scene: _Scene | None = None

    def process(self, luma: NDArray[np.uint8], t_us: int) -> list[Report]:
        """Take one frame: `luma` is (H, W) of any size, rows may be padded; `t_us` is stream time.

        Returns what is to be told now, usually nothing. Raises ValueError when `luma` is not a
        two-dimensional array of bytes with at least one pixel.
        """
        if luma.ndim != 2 or luma.dtype != np.uint8 or not luma.size:
            raise ValueError(f"luma must be uint8 of shape (H, W), not {luma.dtype} of {luma.shape}")
        reports: list[Report] = []
        scene = self._scene
        shape = (luma.shape[0], luma.shape[1])
        gap_us = IDLE_GAP_US if self.idle else GAP_US
        if scene is not None and (shape != self._shape or not 0 <= t_us - scene.t_us <= gap_us):
            reports = self.flush(scene.t_us)
            scene = None
        if scene is None:
            self._shape = shape
            size = working_size(shape[1], shape[0])
            self._scene = _Scene(self._settings, size, luma, t_us, self._number)
            return reports
        reports += scene.process(luma, t_us)
        self._number = scene.events.number
        return reports

    def shows(self, luma: NDArray[np.uint8]) -> bool:
        """Whether this picture shows anything that differs from the scene; it is not taken in."""
        scene = self._scene
        return scene is None or luma.shape != self._shape or scene.shows(luma)

    @property
    def idle(self) -> bool:
        """Whether nothing goes on: no event, nothing followed, the background settled.

        Until something is seen again, frames may be left out, up to `IDLE_GAP_US` between two.
        """
        return self._scene is not None and self._scene.idle

    @property
    def sight(self) -> Sight | None:
        """What was seen in the last frame; None before the first."""
        return self._scene.sight() if self._scene is not None else None

    def flush(self, t_us: int) -> list[Report]:
        """The camera went away at `t_us`: close what is open, and forget the scene."""
        scene, self._scene = self._scene, None
        return scene.flush(t_us) if scene else []


class _Scene:
    """What is known since the picture last began."""

    def __init__(
        self, settings: MotionSettings, size: tuple[int, int], luma: NDArray[np.uint8], t_us: int, number: int
    ) -> None:
        self._exact = exact(settings)
        self._size = size
        self._zones = Zones(settings.zones, settings.masks, size)
        tone = self._tone(luma)
        self._background = Background(tone, t_us, self._exact, self._zones.visible)
        self._habits = Habits(self._background.grid)
        self._tracks = Tracks(self._exact, Perspective(settings.person_height, size))
        self.events = Events(self._zones, size, number, settings.lines)
        self._tamper = Tamper(tone, t_us, self._zones.visible, self.events.next_number)
        self.t_us = t_us
        self._learned_us = t_us
        self._settled_us = t_us + SETTLE_US
        self._calm_us = t_us
        self._seen: Difference | None = None

    @property
    def idle(self) -> bool:
        """Whether nothing goes on."""
        settled = self.t_us - self._settled_us >= IDLE_AFTER_US
        return settled and not self._tracks.all and not self.events.open and not self._tamper.suspected

    def sight(self) -> Sight:
        width, height = self._size
        seen = self._seen
        return Sight(
            t_us=self.t_us,
            differs=float(np.count_nonzero(seen.different >= ACTIVE) / seen.different.size) if seen else 0.0,
            light=float(np.abs(seen.light).mean()) if seen and seen.light is not None else 0.0,
            settled=self.t_us >= self._settled_us,
            tracks=tuple(
                Followed(
                    track.number,
                    (
                        track.region.left / width,
                        track.region.top / height,
                        (track.region.right - track.region.left) / width,
                        (track.region.bottom - track.region.top) / height,
                    ),
                    track.believed,
                )
                for track in self._tracks.all
                if track.seen_us == self.t_us
            ),
        )

    def _tone(self, luma: NDArray[np.uint8]) -> NDArray[np.uint8]:
        tone = to_tone(luma, self._size)
        if self._zones.hidden is not None:
            tone[self._zones.hidden] = 0
        return tone

    def shows(self, luma: NDArray[np.uint8]) -> bool:
        seen = self._background.compare(self._tone(luma))
        return not seen.quiet and bool(find_regions(seen, self._habits, self._exact.least_area))

    def process(self, luma: NDArray[np.uint8], t_us: int) -> list[Report]:
        dt_s = (t_us - self.t_us) / 1e6
        self.t_us = t_us
        tone = self._tone(luma)
        was_open = self._tamper.open
        reports = self._tamper.update(tone, t_us)
        if was_open or self._tamper.open:
            return reports + self._tampered(tone, t_us)
        seen = self._seen = self._background.compare(tone)
        if self._whole_picture_changed(seen, t_us, dt_s):
            self._background.restart(tone)
            self._settled_us = t_us + SETTLE_US
            self._learned_us = t_us
            return self.events.update(self._tracks.all, t_us, False)
        steady = t_us >= self._settled_us
        if steady:
            regions = [] if seen.quiet else find_regions(seen, self._habits, self._exact.least_area)
            self._tracks.update(regions, t_us, dt_s, lambda region: self._looks(tone, region))
            self._rest(tone, t_us)
        if t_us - self._learned_us >= LEARN_US:
            since_s = min((t_us - self._learned_us) / 1e6, LEARN_MOST_S)
            held = self._held()
            self._background.learn(tone, t_us, since_s, seen, held)
            self._habits.learn(None if seen.quiet else seen.different, held, since_s)
            self._learned_us = t_us
        return self.events.update(self._tracks.all, t_us, steady)

    def _tampered(self, tone: NDArray[np.uint8], t_us: int) -> list[Report]:
        """Nothing that is seen is a mover; what is there when it is over is the background."""
        self._tracks.all = []
        self._seen = None
        if not self._tamper.open:
            self._background.restart(tone)
            self._learned_us = t_us
        self._settled_us = t_us + SETTLE_US
        return self.events.update([], t_us, True)

    def flush(self, t_us: int) -> list[Report]:
        """Close what is open."""
        return self.events.flush(t_us) + self._tamper.flush(t_us)

    def _looks(self, tone: NDArray[np.uint8], region: Region) -> Looks:
        rows = slice(int(region.top), int(region.bottom))
        columns = slice(int(region.left), int(region.right))
        cells = region.cells[
            rows.start // CELL : rows.stop // CELL, columns.start // CELL : columns.stop // CELL
        ]
        sharp, brighter, slender = self._background.contrast(tone, rows, columns)
        return Looks(
            sharp=sharp,
            brighter=brighter,
            slender=slender,
            through=self._background.shows_through(tone, rows, columns, cells),
        )

    def _whole_picture_changed(self, seen: Difference, t_us: int, dt_s: float) -> bool:
        if seen.quiet:
            self._calm_us = t_us
            return False
        full = int(np.count_nonzero(seen.different >= ACTIVE * 2))
        share = full / seen.different.size / self._zones.visible_share
        if share < CALM:
            self._calm_us = t_us
        sudden = t_us - self._calm_us <= max(SUDDEN_US, round(dt_s * 1e6))
        return share > WHOLE and (sudden or share > 0.8 or t_us < self._settled_us)

    def _held(self) -> NDArray[np.bool_] | None:
        """The cells of believed movers; None without any."""
        movers = [track.region for track in self._tracks.all if track.believed]
        if not movers:
            return None
        held = np.zeros(self._background.grid, bool)
        for region in movers:
            rows = slice(int(region.top) // CELL, int(region.bottom) // CELL)
            columns = slice(int(region.left) // CELL, int(region.right) // CELL)
            held[rows, columns] = True
        return held

    def _rest(self, tone: NDArray[np.uint8], t_us: int) -> None:
        """What stands still becomes background: holes at once, the parked after a while."""
        kept: list[Track] = []
        for track in self._tracks.all:
            still_us = t_us - track.moved_us
            limit_us = PARKED_US if track.believed else STATIC_US
            rests = track.seen_us == t_us and still_us >= GHOST_US
            if rests and (
                still_us >= limit_us or self._background.edge_gain(tone, track.region.cells) < -0.15
            ):
                self._background.absorb(tone, track.region.cells)
            else:
                kept.append(track)
        self._tracks.all = kept
