"""A pen for things drawn on a grid: feet at (0, 0), ten units high, up is up. It scales with the thing's size.

What is drawn with it should be told by its silhouette at sixty pixels: few large shapes, one or two colours.
"""

from typing import TYPE_CHECKING

from models.starter.training.illustrator.backdrop import named_accent
from models.starter.training.illustrator.canvas import Point
from models.starter.training.illustrator.palette import Color

if TYPE_CHECKING:
    from models.starter.training.illustrator.picture import Picture

GRID = 3.4
"""The units of length `k` in one unit of the grid: what is ten high on the grid is 34 `k` high."""

IRON: Color = (84, 88, 104)
STEEL: Color = (178, 186, 200)
WOOD: Color = (158, 104, 62)
GOLD: Color = (246, 198, 66)
PAPER: Color = (250, 244, 228)
DARK: Color = (42, 38, 48)
LEAF: Color = (70, 154, 82)
GLASS: Color = (170, 220, 238)
CREAM: Color = (246, 232, 204)
RED: Color = (212, 58, 54)
BLUE: Color = (58, 116, 196)
PINK: Color = (240, 146, 164)


class Pen:
    """Draws one thing of a picture at (x, y) in units of the grid; `color` is the colour asked for, or None."""

    def __init__(self, p: "Picture", x: float, y: float, k: float, color: str | None) -> None:
        self.p, self.x, self.y, self.unit, self.color = p, x, y, k * GRID, color

    def own(self, base: Color) -> Color:
        """The colour asked for, else `base`, in this picture's light."""
        return named_accent(self.p, self.color, base)

    def lit(self, base: Color) -> Color:
        """A fixed colour in this picture's light."""
        return self.p.light.object(base)

    def at(self, dx: float, dy: float) -> Point:
        return self.x + dx * self.unit, self.y - dy * self.unit

    def poly(self, c: Color, *points: Point) -> None:
        self.p.canvas.poly([self.at(*point) for point in points], c)

    def box(self, c: Color, x0: float, y0: float, x1: float, y1: float, corner: float = 0.0) -> None:
        """A rectangle from its lower left to its upper right, its corners rounded by `corner`."""
        (left, bottom), (right, top) = self.at(x0, y0), self.at(x1, y1)
        if corner:
            self.p.canvas.rounded(left, top, right, bottom, corner * self.unit, c)
        else:
            self.p.canvas.rect(left, top, right, bottom, c)

    def oval(self, c: Color, dx: float, dy: float, rx: float, ry: float) -> None:
        self.p.canvas.ellipse(*self.at(dx, dy), rx * self.unit, ry * self.unit, c)

    def disc(self, c: Color, dx: float, dy: float, radius: float) -> None:
        self.oval(c, dx, dy, radius, radius)

    def hoop(self, c: Color, dx: float, dy: float, rx: float, ry: float, width: float) -> None:
        self.p.canvas.ring(*self.at(dx, dy), rx * self.unit, ry * self.unit, c, width * self.unit)

    def dome(self, c: Color, dx: float, dy: float, rx: float, ry: float, *, bowl: bool = False) -> None:
        """The upper half of an ellipse, or as a bowl its lower half."""
        self.p.canvas.half(*self.at(dx, dy), rx * self.unit, ry * self.unit, c, lower=bowl)

    def arc(self, c: Color, dx: float, dy: float, rx: float, ry: float, start: float, end: float, width: float) -> None:
        """Part of an ellipse's line; degrees run clockwise from the right."""
        x, y = self.at(dx, dy)
        box = (x - rx * self.unit, y - ry * self.unit, x + rx * self.unit, y + ry * self.unit)
        self.p.canvas.arc(box, start, end, c, width * self.unit)

    def stroke(self, c: Color, width: float, *points: Point) -> None:
        """A thick line with round ends."""
        self.p.canvas.limb([self.at(*point) for point in points], c, width * self.unit)

    def glow(self, c: Color, dx: float, dy: float, radius: float, strength: float) -> None:
        self.p.canvas.glow(*self.at(dx, dy), radius * self.unit, c, strength)

    def eyes(self, dx: float, dy: float, gap: float, radius: float) -> None:
        """Two eyes with a glint, `gap` to either side of dx."""
        for side in (-1, 1):
            self.oval(DARK, dx + side * gap, dy, radius, radius * 1.15)
            self.disc((250, 250, 250), dx + side * gap + radius * 0.3, dy + radius * 0.4, radius * 0.35)
