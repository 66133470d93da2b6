"""Which function draws which thing, and how much room each takes."""

import inspect
from collections.abc import Callable
from functools import cache, partial
from types import ModuleType

import numpy as np

from models.starter.training.illustrator import (
    animals,
    creatures,
    figures,
    food,
    homeware,
    keepsakes,
    mammals,
    structures,
    things,
    tools,
    vehicles,
    wheels,
)
from models.starter.training.illustrator.pen import Pen
from models.starter.training.illustrator.picture import Picture
from models.starter.training.illustrator.scene import Scene

Drawer = Callable[[Picture, float, float, float, str | None], None]

_ON_GRID = (creatures, food, homeware, keepsakes, mammals, tools, wheels)
_MEASURED_AT = 4.0  # pixels of the large canvas for one `k`
_NOTHING = (1, 2, 3)


def _with_pen(draw: Callable[[Pen], None]) -> Drawer:
    return lambda p, x, y, k, color: draw(Pen(p, x, y, k, color))


def _drawings(module: ModuleType) -> dict[str, Callable[[Pen], None]]:
    """The public functions that a module itself defines, by name."""
    found = inspect.getmembers(module, inspect.isfunction)
    return {name: draw for name, draw in found if draw.__module__ == module.__name__ and not name.startswith("_")}


DRAWERS: dict[str, Drawer] = {
    **{name: _with_pen(draw) for module in _ON_GRID for name, draw in _drawings(module).items()},
    **{kind: partial(figures.person, kind=kind) for kind in ("woman", "man", "girl", "boy", "elder")},
    **{kind: partial(figures.person, kind=kind) for kind in ("explorer", "scientist", "wizard", "king")},
    **{name: getattr(figures, name) for name in ("astronaut", "knight", "robot", "crowd", "statue")},
    **{
        name: getattr(module, name)
        for module, names in (
            (animals, "cat rabbit owl penguins birds butterflies bees fish whale jellyfish"),
            (vehicles, "boat train car bicycle plane balloon rocket ufo satellite"),
            (structures, "house lighthouse tower windmill bridge tent"),
            (things, "tree flowers mushroom plant crystal book cup cake clock lamp fire computer guitar piano"),
            (things, "chest umbrella planet"),
        )
        for name in names.split()
    },
}


@cache
def extent(key: str) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of a thing around the point it is drawn at, in units of `k`; y grows downwards."""
    p = Picture(Scene("space", "day", aspect="square", seed=1))
    p.canvas.rect(0, 0, p.w, p.h, _NOTHING)
    x, y = p.w / 2, p.h / 2
    DRAWERS[key](p, x, y, _MEASURED_AT, None)
    drawn = (np.asarray(p.canvas.image) != np.array(_NOTHING, np.uint8)).any(2)
    rows, columns = np.flatnonzero(drawn.any(1)), np.flatnonzero(drawn.any(0))
    edges = columns[0] - x, rows[0] - y, columns[-1] + 1 - x, rows[-1] + 1 - y
    left, top, right, bottom = (float(edge) / _MEASURED_AT for edge in edges)
    return left, top, right, bottom
