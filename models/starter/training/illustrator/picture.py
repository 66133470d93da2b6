"""One picture in the making: the canvas, its light, its lot and its scene, and what a setting leaves for objects."""

import random
from dataclasses import dataclass

from models.starter.training.illustrator.canvas import Canvas
from models.starter.training.illustrator.palette import Color, Light
from models.starter.training.illustrator.scene import SIZES_BY_ASPECT, Scene
from models.starter.training.vocabulary import SETTINGS


@dataclass
class Ground:
    """Where things go: feet at `y`, flying things between `sky_top` and `sky_bottom`, sizes times `scale`.

    `center` is the fraction of the width around which things gather (an island is small). `floating` says that feet
    are in water: what cannot swim is drawn on the spot all the same, what swims sinks in.
    """

    y: float
    sky_top: float
    sky_bottom: float
    scale: float = 1.0
    center: float = 0.5
    spread: float = 1.0
    floating: bool = False


class Picture:
    """The state that settings, objects and weather share while they draw."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.rng = random.Random(scene.seed)
        width, height = SIZES_BY_ASPECT[scene.aspect]
        self.canvas = Canvas(width, height)
        self.w, self.h, self.u = self.canvas.width, self.canvas.height, self.canvas.u
        family = SETTINGS[scene.setting].family
        self.indoors = family == "indoor"
        self.light = Light(
            scene.time,
            scene.weather,
            scene.mood,
            self.rng,
            dark_place=family == "space" or scene.setting in ("cave", "stage"),
        )
        self.horizon = self.h * self.rng.uniform(0.58, 0.66)
        self.shine: tuple[float, Color] | None = None
        """Where the sun or the moon stands (x) and its colour, for its path on the water."""

    def x(self, fraction: float) -> float:
        return fraction * self.w

    def y(self, fraction: float) -> float:
        return fraction * self.h

    def lot(self, low: float, high: float) -> float:
        return self.rng.uniform(low, high)

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def tone(self, base: Color, depth: float = 1.0) -> Color:
        return self.light.tone(base, depth)
