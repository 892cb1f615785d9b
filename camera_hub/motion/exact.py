"""The exact numbers behind the few words of the settings.

All lengths are px of the small picture (about 320 wide), all brightness is in tones (0..255).
"""

from dataclasses import dataclass, replace

import msgspec

from camera_hub.motion.reports import MotionSettings, Sensitivity


@dataclass(frozen=True)
class Exact:
    """How much must change, and how far it must travel, to be a mover."""

    least_tones: float  # a pixel that differs by less never counts
    spreads: float  # a pixel must differ by this many of its own usual spreads besides
    least_area: float  # px; a region that covers less is a speck
    least_travel: float  # px; what moves less stays where it is
    patience: float  # factor on everything that must be shown before a mover is believed


EXACT: dict[Sensitivity, Exact] = {
    "low": Exact(least_tones=14.0, spreads=3.2, least_area=30.0, least_travel=8.0, patience=1.5),
    "normal": Exact(least_tones=10.0, spreads=2.5, least_area=14.0, least_travel=5.0, patience=1.0),
    "high": Exact(least_tones=7.0, spreads=2.1, least_area=9.0, least_travel=3.5, patience=0.8),
}


def exact(settings: MotionSettings) -> Exact:
    """The numbers that `settings` mean."""
    given = {
        name: value for name, value in msgspec.structs.asdict(settings.numbers).items() if value is not None
    }
    return replace(EXACT[settings.sensitivity], **given)
