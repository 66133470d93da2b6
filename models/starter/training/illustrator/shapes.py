"""The shapes that settings are built of: hills, trees, houses, clouds, windows. They know the light, not the scene."""

import itertools
import math

from models.starter.training.illustrator.canvas import Point
from models.starter.training.illustrator.palette import Color, darker, lighter, mix
from models.starter.training.illustrator.picture import Picture


def hill(p: Picture, y: float, amplitude: float) -> list[Point]:
    """A smooth line across the picture around `y`."""
    a, b = p.lot(0, 6.3), p.lot(0, 6.3)
    f, g = p.lot(0.6, 1.3), p.lot(1.7, 2.8)
    step = p.w / 32
    return [
        (
            i * step,
            y - amplitude * (0.65 * math.sin(a + f * i / 32 * 6.28) + 0.35 * math.sin(b + g * i / 32 * 6.28)),
        )
        for i in range(33)
    ]


def ridge(p: Picture, y: float, amplitude: float, roughness: float = 0.5) -> list[Point]:
    """A rough line across the picture, peaks above `y`, by midpoint displacement."""
    values = [p.lot(-1, 1), p.lot(-1, 1), p.lot(-1, 1)]
    reach = 1.0
    for _ in range(4):
        reach *= roughness
        finer: list[float] = []
        for left, right in itertools.pairwise(values):
            finer += [left, (left + right) / 2 + p.lot(-reach, reach)]
        values = [*finer, values[-1]]
    last = len(values) - 1
    return [(i * p.w / last, y - amplitude * abs(value)) for i, value in enumerate(values)]


def wave_line(p: Picture, y: float, amplitude: float, length: float) -> list[Point]:
    phase = p.lot(0, 6.3)
    count = 48
    return [
        (i * p.w / count, y + amplitude * math.sin(phase + i * p.w / count / length * 6.28)) for i in range(count + 1)
    ]


def pine(p: Picture, x: float, y: float, height: float, c: Color) -> None:
    w = height * 0.46
    p.canvas.rect(x - height * 0.035, y - height * 0.16, x + height * 0.035, y, darker(c, 0.35))
    for level in range(3):
        base = y - height * (0.1 + 0.26 * level)
        half = w * (1 - level * 0.26) * 0.6
        p.canvas.poly([(x - half, base), (x + half, base), (x, base - height * 0.42)], c)
        p.canvas.poly([(x, base), (x + half, base), (x, base - height * 0.42)], darker(c, 0.12))


def round_tree(p: Picture, x: float, y: float, height: float, crown: Color, trunk: Color) -> None:
    p.canvas.poly(
        [
            (x - height * 0.055, y),
            (x + height * 0.055, y),
            (x + height * 0.03, y - height * 0.55),
            (x - height * 0.03, y - height * 0.55),
        ],
        trunk,
    )
    for dx, dy, r in ((-0.19, -0.55, 0.2), (0.19, -0.55, 0.2), (0, -0.72, 0.27)):
        p.canvas.circle(x + dx * height, y + dy * height, r * height, darker(crown, 0.13))
    for dx, dy, r in ((-0.21, -0.58, 0.16), (0.12, -0.6, 0.15), (-0.03, -0.76, 0.22)):
        p.canvas.circle(x + dx * height, y + dy * height, r * height, crown)


def palm(p: Picture, x: float, y: float, height: float, leaf: Color, trunk: Color) -> None:
    lean = p.rng.choice((-1, 1)) * height * p.lot(0.06, 0.16)
    tx, ty = x + lean, y - height
    p.canvas.line([(x, y), (x + lean * 0.35, y - height * 0.5), (tx, ty)], trunk, height * 0.06)
    for angle in (-2.95, -2.4, -1.75, -1.2, -0.6, -0.05, 0.35, 2.8):
        ex, ey = tx + math.cos(angle) * height * 0.44, ty + math.sin(angle) * height * 0.26 + height * 0.12
        mx, my = (tx + ex) / 2, (ty + ey) / 2
        p.canvas.poly([(tx, ty - height * 0.02), (mx, my - height * 0.13), (ex, ey), (mx, my - height * 0.03)], leaf)


def cloud(p: Picture, x: float, y: float, width: float, c: Color) -> None:
    for dx, dy, r in ((-0.32, 0.03, 0.16), (-0.1, -0.06, 0.22), (0.16, -0.02, 0.19), (0.36, 0.05, 0.13)):
        p.canvas.ellipse(x + dx * width, y + dy * width, r * width, r * width * 0.62, c)
    p.canvas.rounded(x - 0.46 * width, y + 0.02 * width, x + 0.48 * width, y + 0.13 * width, 0.05 * width, c)


def window_color(p: Picture, wall: Color) -> Color:
    """A lit window when the lamps are on, glass otherwise."""
    return p.light.lamp() if p.light.lamps_on else lighter(wall, 0.38)


def tower_block(p: Picture, x0: float, x1: float, base: float, top: float, c: Color, lit: float, cell: float) -> None:
    """A tall building with a grid of windows; `lit` of them shine when the lamps are on; `cell` is a window's pitch."""
    canvas, width = p.canvas, x1 - x0
    kind = p.rng.random()
    if kind < 0.2:
        canvas.line([((x0 + x1) / 2, top - width * 0.5), ((x0 + x1) / 2, top)], c, cell * 0.2)
    elif kind < 0.36:
        canvas.poly([(x0, top), (x1, top), ((x0 + x1) / 2, top - width * 0.45)], c)
    elif kind < 0.52:
        canvas.rect(x0 + width * 0.2, top - cell * 0.8, x1 - width * 0.2, top, c)
    canvas.rect(x0, top, x1, base, c)
    canvas.rect(x1 - width * 0.22, top, x1, base, darker(c, 0.12))
    columns = max(1, int((width - cell * 0.4) / cell))
    left = x0 + (width - columns * cell) / 2
    lamp, glass = p.light.lamp(), lighter(c, 0.3)
    y = top + cell * 0.7
    while y + cell < base:
        for column in range(columns):
            x = left + column * cell
            if not p.light.lamps_on:
                canvas.rect(x + cell * 0.22, y, x + cell * 0.78, y + cell * 0.62, glass)
            elif p.chance(lit):
                canvas.rect(x + cell * 0.22, y, x + cell * 0.78, y + cell * 0.62, lamp)
        y += cell * 1.15


def cottage(p: Picture, x: float, y: float, width: float, wall: Color, roof: Color) -> None:
    """A house with a gable, two windows and a door, standing at (x, y)."""
    c, height = p.canvas, width * 0.58
    c.rect(x + width * 0.2, y - height - width * 0.36, x + width * 0.32, y - height, darker(roof, 0.3))
    c.rect(x - width / 2, y - height, x + width / 2, y, wall)
    c.rect(x + width * 0.3, y - height, x + width / 2, y, darker(wall, 0.1))
    c.poly([(x - width * 0.62, y - height), (x + width * 0.62, y - height), (x, y - height - width * 0.45)], roof)
    glass = window_color(p, wall)
    for side in (-1, 1):
        cx = x + side * width * 0.25
        c.rect(cx - width * 0.11, y - height * 0.78, cx + width * 0.11, y - height * 0.4, glass)
    c.rect(x - width * 0.09, y - height * 0.5, x + width * 0.09, y, darker(roof, 0.35))
    if p.light.lamps_on:
        c.glow(x, y - height * 0.5, width * 0.75, glass, 0.22)


def boulder(p: Picture, x: float, y: float, width: float, c: Color) -> None:
    h = width * p.lot(0.5, 0.75)
    p.canvas.poly(
        [
            (x - width / 2, y),
            (x - width * 0.36, y - h * 0.75),
            (x - width * 0.05, y - h),
            (x + width * 0.34, y - h * 0.6),
            (x + width / 2, y),
        ],
        c,
    )
    p.canvas.poly(
        [(x - width * 0.05, y - h), (x + width * 0.34, y - h * 0.6), (x + width / 2, y), (x + width * 0.05, y)],
        darker(c, 0.16),
    )


def peak(p: Picture, x: float, y: float, height: float, width: float, c: Color, snow: Color | None) -> None:
    """A mountain with a shaded flank and, if asked, a cap of snow; its foot is at y."""
    top = (x, y - height)
    p.canvas.poly([(x - width, y), top, (x + width, y)], c)
    p.canvas.poly([top, (x + width, y), (x + width * 0.15, y), (x + width * 0.06, y - height * 0.5)], darker(c, 0.15))
    if snow is not None:
        k = 0.32
        p.canvas.poly(
            [
                top,
                (x - width * k, y - height * (1 - k)),
                (x - width * 0.12, y - height * 0.76),
                (x, y - height * 0.62),
                (x + width * 0.12, y - height * 0.76),
                (x + width * k, y - height * (1 - k)),
            ],
            snow,
        )


def flower_bed(
    p: Picture, count: int, y0: float, y1: float, color: str | None, x0: float = 0.0, x1: float = 1.0
) -> None:
    """Flowers scattered over a band of the picture, larger towards the front."""
    stem = p.tone((52, 122, 58))
    spots = sorted((y0 + (y1 - y0) * p.rng.random() ** 0.8, p.lot(x0, x1) * p.w) for _ in range(count))
    for y, x in spots:
        r = p.u * (0.9 + 1.5 * (y - y0) / max(1.0, y1 - y0))
        p.canvas.line([(x, y), (x, y + r * 2.6)], stem, r * 0.45)
        petal = p.light.accent(color)
        p.canvas.circle(x, y, r, petal)
        p.canvas.circle(x, y, r * 0.4, mix(petal, (255, 240, 160), 0.65))


def shadow(p: Picture, x: float, y: float, width: float) -> None:
    """A dark ellipse on the ground, so that what stands there stands on something."""
    reach = width * 0.5
    points = [(x + reach * math.cos(i * 0.52), y + reach * 0.16 * math.sin(i * 0.52)) for i in range(12)]
    box = p.canvas.image.getpixel((min(p.w - 1, max(0, int(x))), min(p.h - 1, max(0, int(y)))))
    if isinstance(box, tuple):
        p.canvas.poly(points, darker((float(box[0]), float(box[1]), float(box[2])), 0.28))
