"""The command: composes clips until there are enough minutes of them."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2

from benchmarks.compose.cutouts import CutOuts
from benchmarks.compose.encode import Encoder
from benchmarks.compose.film import Composition, Film
from benchmarks.compose.footage import Footage
from benchmarks.compose.story import RECIPES, compose

CLIPS = Path(__file__).resolve().parents[3] / "shared" / "clips"


def make(composition: Composition, path: Path) -> dict[str, Any]:
    """One clip and, once it is whole, its labels beside it; returns the labels."""
    film = Film(composition)
    encoder = Encoder(path, composition.form)
    try:
        for planes in film.planes():
            encoder.write(planes)
    except BaseException:
        encoder.drop()
        raise
    encoder.close()
    form = composition.form
    document = {
        "clip": path.name,
        "fps": form.fps,
        "duration_s": composition.duration_s,
        "scene": composition.scene,
        "source": "composed from real plates and cut-outs",
        "licence": "as the clips that they are from",
        "rate": "constant" if form.crf is None else "variable",
        "gop_s": form.gop_s,
        "conditions": composition.conditions,
        **film.labels(),
        "nuisances": composition.nuisances,
    }
    part = path.with_suffix(".part")
    part.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    part.replace(path.with_name(f"{path.stem}.events.json"))
    return document


def compose_into(
    out: Path, seed: int, minutes: float, conditions: Sequence[str] = tuple(RECIPES), clips: Path = CLIPS
) -> None:
    """Clips of the conditions in turn, until there are `minutes` of them; those that are there stay."""
    cv2.setNumThreads(1)
    out.mkdir(parents=True, exist_ok=True)
    footage = Footage(clips)
    cuts = CutOuts(footage)
    made_s, number, began = 0.0, 0, time.monotonic()
    while made_s < 60 * minutes:
        condition = conditions[number % len(conditions)]
        path = out / f"{number:03d}-{condition}-s{seed}.mp4"
        labels = path.with_name(f"{path.stem}.events.json")
        if not labels.is_file():
            make(compose(condition, number, seed, footage, cuts), path)
        made_s += json.loads(labels.read_text(encoding="utf-8"))["duration_s"]
        number += 1
        pace = made_s / max(time.monotonic() - began, 1e-3)
        sys.stderr.write(
            f"{path.name}: {made_s / 60:.1f} of {minutes:g} minutes, {pace:.1f} times real time\n"
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.compose", description=__doc__)
    parser.add_argument("out", type=Path, help="the folder to write into")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--conditions", default=",".join(RECIPES), help="comma-separated; they take turns")
    parser.add_argument("--clips", type=Path, default=CLIPS, help="the folder of labelled real clips")
    given = parser.parse_args()
    conditions = given.conditions.split(",")
    for condition in conditions:
        if condition not in RECIPES:
            parser.error(f"there is no condition {condition}; there are: {', '.join(RECIPES)}")
    if not given.clips.is_dir():
        parser.error(
            f"{given.clips} is not there; the plates come from the labelled clips: say --clips FOLDER"
        )
    compose_into(given.out, given.seed, given.minutes, conditions, given.clips)


if __name__ == "__main__":
    main()
