"""A clip's composition from a seed and a condition: what camera, where, who comes, and what disturbs.

Relies on all the parts. Promises: the same seed, number and condition give the same composition.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from benchmarks.compose import disturb, looks
from benchmarks.compose.air import Displacement
from benchmarks.compose.cutouts import CutOuts
from benchmarks.compose.encode import Format
from benchmarks.compose.film import Composition, Mode
from benchmarks.compose.footage import PLATES, Array, Footage, PlateSpec
from benchmarks.compose.fronts import bush, of_plate
from benchmarks.compose.geometry import View, choose_view
from benchmarks.compose.lens import Noise, Overlay
from benchmarks.compose.light import Infrared, Lighting
from benchmarks.compose.movers import Front
from benchmarks.compose.visits import Plan, visits

SIZES = (
    (316, 210),
    (320, 240),
    (352, 288),
    (480, 360),
    (640, 360),
    (640, 360),
    (640, 480),
    (704, 576),
    (768, 432),
    (848, 480),
    (960, 540),
    (1280, 720),
    (1280, 720),
)
RATES = (10, 12, 15, 15, 20, 25, 30)
WORK_WIDTH = 640
MOST_FRAMES = 150  # of a moving plate that are kept


@dataclass(frozen=True)
class Recipe:
    """What a condition asks for; the disturbances are in `disturb`."""

    plates: tuple[str, ...]
    look: str = "day"  # day, dusk, dark, infrared, gloomy
    few: float = 0.12  # share of clips in which nobody comes
    stands: float = 0.1
    moving: float = 0.4  # share that uses the plate's own motion
    crowded: bool = False
    headlamps: bool = False
    tags: tuple[str, ...] = ()


DAY = ("lane", "bend", "fields", "street", "tree", "winter", "room", "under-roof", "steps", "rain-yard")
DUSK = ("car-park", "asphalt", "steps", "foliage", "street", "lane", "fields")
NIGHT = ("yard", "yard", "car-park", "lane", "street", "bend", "winter", "asphalt", "steps", "fields")
ROADS = ("car-park", "asphalt", "lane", "fields", "bend", "street", "yard")

RECIPES = {
    "day": Recipe(DAY, few=0.05),
    "night": Recipe(NIGHT, "infrared", few=0.1),
    "insects": Recipe(NIGHT, "infrared", few=0.45),
    "headlights": Recipe(ROADS, "dark", few=0.45, headlamps=True, moving=0.1),
    "clouds": Recipe(("lane", "fields", "street", "street", "winter", "bend", "tree", "under-roof"), few=0.4),
    "wind": Recipe(
        ("tree", "tree", "foliage", "under-roof", "steps", "winter", "street", "rain-yard", "fields"),
        few=0.4,
        moving=0.8,
    ),
    "lamp": Recipe(
        ("car-park", "asphalt", "room", "yard", "lane", "street", "steps"), "dark", few=0.4, moving=0.1
    ),
    "rain": Recipe(
        ("rain-yard", "rain-yard", "lane", "street", "bend", "car-park", "winter", "asphalt"),
        "gloomy",
        few=0.35,
        moving=0.9,
    ),
    "shimmer": Recipe(("lane", "bend", "fields", "street", "asphalt", "winter"), few=0.4, moving=0.1),
    "tamper": Recipe((*DAY, *NIGHT), "any", few=0.3),
    "dusk": Recipe(DUSK, "dusk", few=0.08),
    "fog": Recipe(("fields", "bend", "street", "lane", "car-park", "winter"), "gloomy", few=0.12, moving=0.1),
    "stands": Recipe(
        ("room", "room", "yard", "lane", "winter", "car-park", "steps", "street"), "any", few=0, stands=1.0
    ),
    "snow": Recipe(
        ("winter", "winter", "street", "lane", "car-park", "fields", "bend"), "gloomy", few=0.3, moving=0.1
    ),
    "busy": Recipe(("lane", "bend", "fields", "asphalt", "street", "car-park"), "any", few=0, crowded=True),
    "ir-switch": Recipe(
        ("yard", "lane", "street", "car-park", "winter"), "switch", few=0.25, moving=0.1, tags=("night",)
    ),
    "lightning": Recipe(
        ("rain-yard", "yard", "street", "car-park", "fields"), "dark", few=0.4, moving=0.8, tags=("rain",)
    ),
}


def compose(condition: str, number: int, seed: int, footage: Footage, cuts: CutOuts) -> Composition:
    """Clip `number` of a set, in `condition` (a key of RECIPES)."""
    chance = np.random.default_rng([seed, number, sorted(RECIPES).index(condition)])
    recipe = RECIPES[condition]
    spec = PLATES[str(chance.choice(recipe.plates))]
    form = _format(chance)
    size = _work_size(form)
    still = footage.still(spec)
    view = choose_view(spec, still, size, chance, 1.2 if spec.name in ("bend", "street") else 1.35)
    look = _look(recipe.look, spec, chance)
    duration_s = float(round(chance.uniform(25, 60), 1))
    ground = view.picture(still)
    frames, frames_fps = _frames(footage, spec, view, chance.random() < recipe.moving, ground)
    fronts = _fronts(footage, view, chance)
    modes = _modes(look, spec, size, form, chance, duration_s)
    made = Composition(
        form,
        duration_s,
        view,
        frames,
        frames_fps,
        spec.loop,
        Displacement(size),
        [],
        fronts,
        modes,
        conditions=sorted({condition, *recipe.tags, *(["night"] if look == "infrared" else [])}),
        scene=f"composed: {spec.name}, {look}",
        seed=int(chance.integers(2**31)),
    )
    made.overlay = _overlay(chance)
    disturb.add(condition, made, footage, chance)
    night = look in ("infrared", "switch")
    plan = Plan(
        duration_s,
        spec.movers,
        night=night,
        light=_light(modes[0], ground),
        stands=recipe.stands,
        few=recipe.few,
        crowded=recipe.crowded,
        headlamps=recipe.headlamps or (look in ("infrared", "dark") and chance.random() < 0.5),
        shadows=look == "day" and chance.random() < 0.5,
        fronts=fronts,
    )
    if made.tampers:
        plan.until_s = made.tampers[0].times[0] - 1.5
    made.movers = visits(plan, view, ground, cuts, chance)
    disturb.follow(made)
    return made


def _format(chance: np.random.Generator) -> Format:
    width, height = SIZES[int(chance.integers(len(SIZES)))]
    fps = int(chance.choice(RATES))
    if width * height * fps > 1280 * 720 * 16:
        fps = 15
    constant = chance.random() < 0.4
    per_px = float(chance.uniform(0.035, 0.1))
    kbit_s = max(int(width * height * fps * per_px / 1000), 64)
    return Format(
        width,
        height,
        fps,
        gop_s=float(chance.choice([1, 2, 2, 4])),
        crf=None if constant else int(chance.integers(23, 31)),
        kbit_s=kbit_s if constant else kbit_s * 4,
        filler=bool(constant and chance.random() < 0.4),
        b_frames=2 if chance.random() < 0.06 else 0,
    )


def _work_size(form: Format) -> tuple[int, int]:
    if form.width <= WORK_WIDTH:
        return form.width, form.height
    return WORK_WIDTH, 2 * round(WORK_WIDTH * form.height / form.width / 2)


def _look(look: str, spec: PlateSpec, chance: np.random.Generator) -> str:
    if look == "any":
        return {"night": "infrared", "dusk": "dusk"}.get(spec.light, "day")
    if look == "day" and spec.light == "dusk":
        return "dusk"
    if look == "day" and spec.light == "night":
        return "infrared"
    if look in ("dark", "gloomy") and spec.light == "night":
        return "infrared"
    return look


def _frames(footage: Footage, spec: PlateSpec, view: View, moves: bool, ground: Array) -> tuple[Array, float]:
    """The plate's frames in the working picture, and their rate."""
    if spec.moving is None or not (moves or (spec.sharp and spec.name != "under-roof")):
        return ground[None], 1.0
    frames, fps = footage.stretch(spec.clip, *spec.moving)
    every = 2 if fps >= 25 and not spec.loop else 1
    chosen = frames[::every][:MOST_FRAMES]
    return np.array([view.picture(frame) for frame in chosen]), fps / every


def _fronts(footage: Footage, view: View, chance: np.random.Generator) -> list[Front]:
    fronts = [of_plate(view, box) for box in view.spec.fronts]
    if chance.random() < 0.25 and view.spec.movers != ("walk", "bust"):
        fronts.append(bush(footage, view, chance))
    return fronts


def _modes(
    look: str,
    spec: PlateSpec,
    size: tuple[int, int],
    form: Format,
    chance: np.random.Generator,
    duration_s: float,
) -> list[Mode]:
    """One way of seeing, or two where the infrared filter is switched."""
    if look == "switch":
        first, second = ("dusk", "infrared") if chance.random() < 0.6 else ("infrared", "dusk")
        when = float(chance.uniform(0.3, 0.7)) * duration_s
        return [_mode(first, spec, size, form, chance, 0.0), _mode(second, spec, size, form, chance, when)]
    return [_mode(look, spec, size, form, chance, 0.0)]


def _mode(
    look: str,
    spec: PlateSpec,
    size: tuple[int, int],
    form: Format,
    chance: np.random.Generator,
    from_s: float,
) -> Mode:
    lighting = Lighting(size)
    if look == "infrared" and spec.light != "night":
        lighting.sources.append(
            Infrared(size, float(chance.uniform(0.9, 1.2)), float(chance.uniform(0.5, 0.9)))
        )
    noisy = {
        "day": (0.6, 2.2),
        "gloomy": (1.0, 2.5),
        "dusk": (1.5, 3.5),
        "dark": (2.0, 5.0),
        "infrared": (2.0, 5.5),
    }[look]
    much = float(chance.uniform(*noisy)) * (0.8 if form.width < 400 else 1.0)
    coarse = float(chance.choice([0.0, 0.5, 0.8])) * (1.0 if form.width <= 700 else 1.5)
    noise = Noise((form.width, form.height), much, 0.5 * much, coarse, chance)
    return Mode(from_s, looks.of(look, spec.light, chance), look == "infrared", lighting, noise)


def _overlay(chance: np.random.Generator) -> Overlay | None:
    if chance.random() < 0.35:
        return None
    name = str(chance.choice(["", "Camera 01", "NHA VAN HOA", "IPC", "CAM 3 NGO"]))
    return Overlay(
        int(chance.integers(86400)),
        name,
        int(chance.integers(4)),
        float(chance.uniform(0.4, 0.8)),
        bool(chance.random() < 0.25),
    )


def _light(mode: Mode, ground: Array) -> float:
    """How much of a mover's contrast is left in the clip's usual light."""
    seen = np.asarray(cv2.LUT(ground, mode.table[None]))
    lit = mode.lighting.shine(seen, 0.0)
    return float(np.clip(looks.brightness(lit) / max(looks.brightness(ground), 1), 0.2, 1.0))
