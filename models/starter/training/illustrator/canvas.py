"""A supersampled canvas: flat shapes, vertical gradients and soft glows, in pixels of the large canvas.

`u` is one hundredth of the shorter side, the unit for the size of things in every aspect.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageDraw

from models.starter.training.illustrator.palette import Color, mix, solid

Point = tuple[float, float]

SUPERSAMPLING = 2
_GLOW_CELL = 16  # large-canvas pixels per glow cell; glows are soft, the final bicubic enlargement hides the grid


class Canvas:
    """What is drawn on. `width` and `height` are those of the large canvas."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width * SUPERSAMPLING, height * SUPERSAMPLING
        self.u = min(self.width, self.height) / 100
        self.image = Image.new("RGB", (self.width, self.height))
        self.draw = ImageDraw.Draw(self.image)
        self._glow = np.zeros((self.height // _GLOW_CELL, self.width // _GLOW_CELL, 3), np.float32)
        self._glowing = False

    def rect(self, x0: float, y0: float, x1: float, y1: float, c: Color) -> None:
        self.draw.rectangle((x0, y0, max(x0, x1), max(y0, y1)), fill=solid(c))

    def rounded(self, x0: float, y0: float, x1: float, y1: float, radius: float, c: Color) -> None:
        self.draw.rounded_rectangle((x0, y0, max(x0, x1), max(y0, y1)), radius, fill=solid(c))

    def ellipse(self, x: float, y: float, rx: float, ry: float, c: Color) -> None:
        self.draw.ellipse((x - rx, y - ry, x + rx, y + ry), fill=solid(c))

    def circle(self, x: float, y: float, radius: float, c: Color) -> None:
        self.ellipse(x, y, radius, radius, c)

    def ring(self, x: float, y: float, rx: float, ry: float, c: Color, width: float) -> None:
        self.draw.ellipse((x - rx, y - ry, x + rx, y + ry), outline=solid(c), width=max(2, round(width)))

    def half(self, x: float, y: float, rx: float, ry: float, c: Color, *, lower: bool = False) -> None:
        """The upper (or lower) half of an ellipse."""
        start, end = (0, 180) if lower else (180, 360)
        self.draw.pieslice((x - rx, y - ry, x + rx, y + ry), start, end, fill=solid(c))

    def arc(self, box: tuple[float, float, float, float], start: float, end: float, c: Color, width: float) -> None:
        self.draw.arc(box, start, end, fill=solid(c), width=max(2, round(width)))

    def poly(self, points: Sequence[Point], c: Color) -> None:
        self.draw.polygon(list(points), fill=solid(c))

    def line(self, points: Sequence[Point], c: Color, width: float) -> None:
        self.draw.line(list(points), fill=solid(c), width=max(2, round(width)), joint="curve")

    def limb(self, points: Sequence[Point], c: Color, width: float) -> None:
        """A thick line with round ends."""
        self.line(points, c, width)
        for x, y in (points[0], points[-1]):
            self.circle(x, y, width / 2 - 0.5, c)

    def below(self, line: Sequence[Point], c: Color) -> None:
        """Fill everything under a line that runs from left to right."""
        self.poly([(0, self.height), *line, (self.width, self.height)], c)

    def gradient(self, x0: float, y0: float, x1: float, y1: float, stops: Sequence[Color]) -> None:
        """A vertical gradient over the stops, from top to bottom, in a rectangle."""
        width, height = max(1, round(x1 - x0)), max(1, round(y1 - y0))
        column = np.zeros((48, 1, 3), np.float32)
        spans = len(stops) - 1
        for row in range(48):
            position = row / 47 * spans
            index = min(int(position), spans - 1)
            column[row, 0] = mix(stops[index], stops[index + 1], position - index)
        patch = Image.fromarray(np.clip(column, 0, 255).astype(np.uint8)).resize(
            (width, height), Image.Resampling.BILINEAR
        )
        self.image.paste(patch, (round(x0), round(y0)))

    def translucent(self, points: Sequence[Point], c: Color, alpha: float) -> None:
        """A polygon of which `alpha` (0 to 1) covers what is behind it."""
        mask = Image.new("L", self.image.size, 0)
        ImageDraw.Draw(mask).polygon(list(points), fill=round(255 * alpha))
        self.image.paste(solid(c), (0, 0), mask)

    def veil(self, rows: Sequence[float], alphas: Sequence[float], c: Color) -> None:
        """Cover the picture with `c`; `alphas` (0 to 1) at heights `rows` (0 top, 1 bottom), linear between."""
        mask = np.interp(np.linspace(0, 1, 64), rows, alphas).astype(np.float32) * 255
        column = Image.fromarray(mask[:, None].astype(np.uint8)).resize(self.image.size, Image.Resampling.BILINEAR)
        self.image.paste(solid(c), (0, 0), column)

    def glow(self, x: float, y: float, radius: float, c: Color, strength: float) -> None:
        """Add a soft round light of the colour `c`."""
        rows, columns = self._glow.shape[:2]
        reach = max(radius / _GLOW_CELL, 1.2)
        vertical = np.exp(-(((np.arange(rows) + 0.5 - y / _GLOW_CELL) / reach) ** 2))
        horizontal = np.exp(-(((np.arange(columns) + 0.5 - x / _GLOW_CELL) / reach) ** 2))
        self._glow += (vertical[:, None] * horizontal[None, :] * strength)[..., None] * np.array(c, np.float32)
        self._glowing = True

    def finish(self) -> npt.NDArray[np.uint8]:
        """The picture at its final size, (height, width, 3) uint8, glows screened over it."""
        image = self.image.reduce(SUPERSAMPLING)
        if self._glowing:
            light = Image.fromarray(np.clip(self._glow, 0, 255).astype(np.uint8))
            image = ImageChops.screen(image, light.resize(image.size, Image.Resampling.BICUBIC))
        return np.asarray(image, dtype=np.uint8)
