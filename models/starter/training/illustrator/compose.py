"""From a scene to a picture: the setting paints the place, its things are put in order from far to near, weather last.

A scene of one thing is usually a close-up: the thing fills about two thirds of the height before its setting. Small
things that are seen close in a room stand on a table.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from models.starter.training.illustrator import (
    settings_indoor,
    settings_nature,
    settings_space,
    settings_urban,
    settings_water,
    shapes,
    weather,
)
from models.starter.training.illustrator.drawers import DRAWERS, extent
from models.starter.training.illustrator.palette import darker, lighter
from models.starter.training.illustrator.picture import Ground, Picture
from models.starter.training.illustrator.scene import FLYING, SKY_LIGHTS, Item, Scene, sensible
from models.starter.training.vocabulary import THINGS

Painter = Callable[[Picture], Ground]

_SETTING_MODULES = (settings_urban, settings_nature, settings_water, settings_indoor, settings_space)
_SIZE = {"small": 0.6, "normal": 1.0, "large": 1.5}
_BACK_TO_FRONT = (
    "bridge tower lighthouse skyscraper factory church windmill barn house train tree statue piano tent fence car"
).split()
_SWIMMERS = frozenset("boat ship canoe whale fish jellyfish shark dolphin octopus submarine".split())
_DEEP = _SWIMMERS - {"boat", "ship", "canoe"}
_ON_THE_FLOOR = frozenset("sofa chair table bed door window ladder broom piano harp lamp fire mirror stairs".split())
_TABLES = frozenset("room kitchen library lab workshop classroom".split())
_ACROSS = {"train": 0.36, "bridge": 0.6, "rainbow": 0.66, "plane": 0.3}
"""Things as wide as the picture: how much of its height they take when they are seen close."""
_LEAST_REACH = {1: 40.0, 2: 36.0, 3: 31.0}
"""How long the longer side of a thing of normal size is at least, in hundredths of the picture's shorter side."""


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
        offsets = [p.lot(-0.26, -0.19), p.lot(0.19, 0.26)]
    else:
        offsets = [p.lot(-0.34, -0.28), p.lot(-0.05, 0.05), p.lot(0.28, 0.34)]
    p.rng.shuffle(offsets)
    return [ground.center + offset * spread for offset in offsets]


def _nearness(pair: tuple[Item, float]) -> int:
    key = pair[0].key
    return _BACK_TO_FRONT.index(key) if key in _BACK_TO_FRONT else -1 if key in FLYING else len(_BACK_TO_FRONT)


def _place(p: Picture, ground: Ground) -> None:
    items = [item for item in p.scene.items if item.key not in SKY_LIGHTS]
    if p.scene.close and len(items) == 1:
        _place_close(p, ground, items[0])
        return
    slots = _slots(len(items), ground, p) if items else []
    crowded = 1.14 if len(items) < 2 else 0.98 if len(items) == 2 else 0.8
    if p.scene.aspect == "tall":
        crowded *= 1.08 if len(items) < 2 else 0.86
    for item, slot in sorted(zip(items, slots, strict=True), key=_nearness):
        left, top, right, bottom = extent(item.key)
        reach = max(bottom - top, 0.8 * (right - left)) * crowded
        grown = 1.0 if item.key in _ACROSS else min(1.8, max(1.0, _LEAST_REACH[min(3, len(items))] / reach))
        k = p.u * _SIZE[item.size] * ground.scale * crowded * grown * p.lot(0.93, 1.07)
        x, y = slot * p.w, ground.y
        if item.key in FLYING:
            y = p.lot(ground.sky_top + 0.4 * (ground.sky_bottom - ground.sky_top), ground.sky_bottom)
            y = max(y, -top * k + p.u)
            if item.key in ("butterflies", "bees"):
                y = p.lot(0.4, 0.6) * p.h
        elif item.key in _DEEP and p.scene.setting == "underwater":
            y = p.lot(0.34, 0.5) * p.h
        elif item.key in _SWIMMERS and not ground.floating:
            y, k = _afloat(p, ground, k)
        elif not ground.floating or p.scene.setting == "underwater":
            shapes.shadow(p, x, y, 0.9 * (right - left) * k)
        elif item.key not in _SWIMMERS and item.key not in ("lighthouse", "bridge"):
            _raft(p, x, y, (right - left) * k)
        if item.key in _BACK_TO_FRONT and not ground.floating:
            y -= p.u * 3
        DRAWERS[item.key](p, x, y, k, item.color)


def _place_close(p: Picture, ground: Ground, item: Item) -> None:
    """One thing fills half to three quarters of the height, a little beside the middle."""
    left, top, right, bottom = extent(item.key)
    share = p.lot(0.58, 0.72) * {"small": 0.75, "normal": 1.0, "large": 1.15}[item.size]
    if THINGS[item.key].kind == "person":
        share = min(0.86, share * 1.15)
    k = min(share * p.h / (bottom - top), 0.78 * p.w / (right - left))
    if item.key in _ACROSS:
        k = _ACROSS[item.key] * p.h / (bottom - top)
    x = (0.5 + p.lot(-0.07, 0.07)) * p.w - (left + right) / 2 * k * (item.key not in _ACROSS)
    floor = p.h * (0.94 if p.scene.aspect == "wide" else 0.92)
    width = (right - left) * k
    if item.key in FLYING or (item.key in _DEEP and p.scene.setting == "underwater"):
        y = p.h * p.lot(0.42, 0.5) - (top + bottom) / 2 * k
    elif item.key in _SWIMMERS:
        y = p.h * 0.8 - (bottom - 0.2 * (bottom - top) * (item.key in _DEEP)) * k
        if not ground.floating:
            _pool(p, x, y + bottom * k, width)
    else:
        y = floor - bottom * k
        if THINGS[item.key].kind == "thing" and p.scene.setting in _TABLES and item.key not in _ON_THE_FLOOR:
            _table(p, floor)
        elif ground.floating and p.scene.setting == "ocean":
            _raft(p, x, y + bottom * k, width)
        shapes.shadow(p, x, min(floor, p.h - 1.0), 0.9 * width)
    DRAWERS[item.key](p, x, y, k, item.color)


def _table(p: Picture, y: float) -> None:
    """The edge of a table across the foot of the picture; what stands on it stands at `y`."""
    wood = settings_indoor.shade(p, (166, 112, 72), 0.2)
    p.canvas.rect(0, y - p.u * 7, p.w, p.h, wood)
    p.canvas.rect(0, y - p.u * 7, p.w, y - p.u * 6, lighter(wood, 0.25))
    p.canvas.rect(0, p.h - p.u * 2.4, p.w, p.h, darker(wood, 0.3))


def _raft(p: Picture, x: float, y: float, width: float) -> None:
    """Planks under something that cannot swim."""
    wood, half = p.light.object((150, 104, 66)), max(width * 0.62, p.u * 12)
    p.canvas.rounded(x - half, y - p.u * 1.5, x + half, y + p.u * 3, p.u * 1.5, wood)
    p.canvas.rect(x - half, y + p.u * 0.4, x + half, y + p.u * 1, darker(wood, 0.3))


def _pool(p: Picture, x: float, y: float, width: float) -> None:
    """Water for something that swims where there is none in front."""
    water = p.light.object((74, 146, 204))
    p.canvas.ellipse(x, y, width * 0.72, p.u * 6, water)
    p.canvas.ellipse(x, y + p.u, width * 0.56, p.u * 4, lighter(water, 0.16))


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
