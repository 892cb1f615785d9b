"""A scene's still picture, with what a frame needs to know of it.

Relies on: land, ground, light and what stands on the land. Promises: drawn once per scene, seed and conditions.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from camera_hub.simulate import ground, land
from camera_hub.simulate.light import Light, light_of
from camera_hub.simulate.optics import HEIGHT, WIDTH, Array
from camera_hub.simulate.scenario import Scenario

LARGER = 1.5  # drawn this much larger than the main stream, for smooth edges
RAISED_M = 0.3  # land higher than this can hide a mover


@dataclass
class Plate:
    """`picture` (HEIGHT, WIDTH, 3) uint8 BGR; `hides` (HEIGHT, WIDTH) the depth from which movers are hidden, m."""

    picture: Array
    hides: Array
    light: Light


def draw(story: Scenario) -> Plate:
    scene = story.scene
    light = light_of(scene, story.conditions)
    optics = scene.optics.scaled(LARGER)
    maps = land.lay(scene, story.seed)
    sight = land.look(maps, optics)
    colour = ground.colours(maps, sight, optics, scene.ground, story.seed)
    colour = ground.lit(colour, ground.slopes(maps, sight), sight, np.zeros_like(sight.depth), light, optics)
    colour[sight.sky] = light.sky_low
    picture = cv2.resize(np.clip(colour, 0, 1), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    hides = np.where(sight.y > RAISED_M, sight.depth, np.float32(1e4))
    hides = cv2.resize(hides, (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST)
    if light.infrared:
        picture = np.repeat(picture.mean(axis=2, keepdims=True), 3, axis=2)
    return Plate(np.rint(picture * 255).astype(np.uint8), hides, light)
