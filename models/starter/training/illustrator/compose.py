"""From a scene to a picture: the setting paints the place, its things are put in order from far to near, weather last."""

from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt

from models.starter.training.illustrator import (
    animals,
    figures,
    settings_indoor,
    settings_nature,
    settings_space,
    settings_urban,
    settings_water,
    shapes,
    structures,
    things,
    vehicles,
    weather,
)
from models.starter.training.illustrator.picture import Ground, Picture
from models.starter.training.illustrator.scene import FLYING, SKY_LIGHTS, Item, Scene, sensible

Painter = Callable[[Picture], Ground]
Drawer = Callable[[Picture, float, float, float, str | None], None]

_SETTING_MODULES = (settings_urban, settings_nature, settings_water, settings_indoor, settings_space)
_SIZE = {"small": 0.6, "normal": 1.0, "large": 1.5}
_BACK_TO_FRONT = (
    "bridge",
    "tower",
    "lighthouse",
    "windmill",
    "house",
    "train",
    "tree",
    "statue",
    "piano",
    "tent",
    "car",
)
_SWIMMERS = frozenset({"boat", "whale", "fish", "jellyfish"})


DRAWERS: dict[str, Drawer] = {
    **{kind: partial(figures.person, kind=kind) for kind in ("woman", "man", "girl", "boy", "elder")},
    **{kind: partial(figures.person, kind=kind) for kind in ("explorer", "scientist", "wizard", "king")},
    "astronaut": figures.astronaut,
    "knight": figures.knight,
    "robot": figures.robot,
    "crowd": figures.crowd,
    "statue": figures.statue,
    "fox": partial(animals.dog, fox=True),
    **{
        name: getattr(module, name)
        for module, names in (
            (
                animals,
                "cat dog rabbit horse elephant dinosaur dragon owl penguins birds butterflies bees fish whale jellyfish",
            ),
            (vehicles, "boat train car bicycle plane balloon rocket ufo satellite"),
            (structures, "house lighthouse tower windmill bridge tent"),
            (
                things,
                "tree flowers mushroom plant crystal book cup cake clock lamp fire telescope computer guitar piano",
            ),
            (things, "chest umbrella planet"),
        )
        for name in names.split()
    },
}


def painter(setting: str) -> Painter:
    """The function that paints a setting, by its key."""
    for module in _SETTING_MODULES:
        found: Painter | None = getattr(module, setting, None)
        if found is not None:
            return found
    raise KeyError(f"no setting is called {setting!r}")


def _slots(count: int, ground: Ground, p: Picture) -> list[float]:
    """Where `count` things stand, as fractions of the width, apart from each other."""
    spread = ground.spread * (0.82 if p.scene.aspect == "tall" else 1.0)
    if count == 1:
        offsets = [p.lot(-0.16, 0.16)]
    elif count == 2:
        offsets = [p.lot(-0.28, -0.18), p.lot(0.18, 0.28)]
    else:
        offsets = [p.lot(-0.34, -0.28), p.lot(-0.05, 0.05), p.lot(0.28, 0.34)]
    p.rng.shuffle(offsets)
    return [ground.center + offset * spread for offset in offsets]


def _place(p: Picture, ground: Ground) -> None:
    items = [item for item in p.scene.items if item.key not in SKY_LIGHTS]
    slots = _slots(len(items), ground, p) if items else []
    crowded = 1.14 if len(items) < 2 else 0.98 if len(items) == 2 else 0.8
    if p.scene.aspect == "tall":
        crowded *= 1.08 if len(items) < 2 else 0.86

    def nearness(pair: tuple[Item, float]) -> int:
        key = pair[0].key
        return _BACK_TO_FRONT.index(key) if key in _BACK_TO_FRONT else -1 if key in FLYING else len(_BACK_TO_FRONT)

    for item, slot in sorted(zip(items, slots, strict=True), key=nearness):
        k = p.u * _SIZE[item.size] * ground.scale * crowded * p.lot(0.93, 1.07)
        x, y = slot * p.w, ground.y
        if item.key in FLYING:
            y = p.lot(ground.sky_top + 0.4 * (ground.sky_bottom - ground.sky_top), ground.sky_bottom)
            y = max(y, 17 * k)
            if item.key in ("butterflies", "bees"):
                y = p.lot(0.4, 0.6) * p.h
        elif item.key in _SWIMMERS and p.scene.setting == "underwater" and item.key != "boat":
            y = p.lot(0.34, 0.5) * p.h
        elif item.key in _SWIMMERS and not ground.floating:
            y, k = _afloat(p, ground, k)
        elif not ground.floating or p.scene.setting == "underwater":
            shapes.shadow(p, x, y, 26 * k)
        if item.key in _BACK_TO_FRONT and not ground.floating:
            y -= p.u * 3
        DRAWERS[item.key](p, x, y, k, item.color)


def _afloat(p: Picture, ground: Ground, k: float) -> tuple[float, float]:
    """Where boats and whales swim in a picture that is seen from the shore: behind the bank, a little smaller."""
    between = {"harbor": 0.8, "island": 0.76, "lake": 0.8, "arctic": 0.8, "waterfall": 0.88}
    height = between.get(p.scene.setting)
    return (p.h * height, k * 0.85) if height else (ground.y, k)


def render(scene: Scene) -> npt.NDArray[np.uint8]:
    """The picture of a scene, (height, width, 3) uint8 RGB; the same scene gives the same bytes."""
    p = Picture(sensible(scene))
    ground = painter(p.scene.setting)(p)
    _place(p, ground)
    weather.overlay(p)
    return p.canvas.finish()
