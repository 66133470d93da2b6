"""Buildings that stand alone: at (x, y), `k` the unit of length."""

import itertools
import math

from models.starter.training.illustrator import shapes
from models.starter.training.illustrator.backdrop import named_accent
from models.starter.training.illustrator.palette import darker, lighter
from models.starter.training.illustrator.picture import Picture


def house(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    roof = named_accent(p, color, (178, 78, 62))
    shapes.cottage(p, x, y, 36 * k, p.light.object((236, 220, 192)), roof)


def lighthouse(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    c, h = p.canvas, 56 * k
    w = h * 0.13
    band, white = named_accent(p, color, (212, 62, 56)), p.light.object((244, 242, 236))
    c.poly(
        [(x - w * 2.8, y + k), (x - w * 1.6, y - k * 5), (x + w * 1.6, y - k * 5), (x + w * 2.8, y + k)],
        p.tone((92, 88, 94)),
    )
    foot = y - k * 4.6
    for i in range(5):
        a, b = i / 5, (i + 1) / 5
        wide, narrow = w * (1 - 0.42 * a), w * (1 - 0.42 * b)
        c.poly(
            [
                (x - wide, foot - h * 0.75 * a),
                (x + wide, foot - h * 0.75 * a),
                (x + narrow, foot - h * 0.75 * b),
                (x - narrow, foot - h * 0.75 * b),
            ],
            band if i % 2 == 0 else white,
        )
    top, lamp = foot - h * 0.75, p.light.filter((255, 238, 166))
    c.rect(x - w * 0.85, top - k, x + w * 0.85, top + k * 0.6, p.light.object((54, 54, 66)))
    c.rect(x - w * 0.42, top - h * 0.12, x + w * 0.42, top - k, lamp)
    c.poly([(x - w * 0.65, top - h * 0.12), (x + w * 0.65, top - h * 0.12), (x, top - h * 0.22)], band)
    c.glow(x, top - h * 0.06, h * 0.3, lamp, 0.6)
    if p.light.lamps_on:
        side = p.rng.choice((-1, 1))
        c.translucent(
            [
                (x, top - h * 0.08),
                (x + side * p.w, top - h * 0.42),
                (x + side * p.w, top + h * 0.16),
                (x, top - h * 0.03),
            ],
            lamp,
            0.28,
        )


def tower(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    """An iron lattice tower with a light on its tip."""
    c, h = p.canvas, 66 * k
    iron = named_accent(p, color, (92, 92, 116))
    for side in (-1, 1):
        c.poly(
            [
                (x + side * h * 0.2, y),
                (x + side * h * 0.14, y),
                (x + side * h * 0.015, y - h * 0.8),
                (x + side * h * 0.05, y - h * 0.8),
            ],
            iron,
        )
    for t in (0.3, 0.55):
        half = h * 0.2 * (1 - t * 0.92)
        c.rect(x - half, y - h * t - k * 1.2, x + half, y - h * t + k * 1.2, iron)
    levels = (0.06, 0.3, 0.55, 0.78)
    for a, b in itertools.pairwise(levels):
        ha, hb = h * 0.17 * (1 - a * 0.96), h * 0.17 * (1 - b * 0.96)
        c.line([(x - ha, y - h * a), (x + hb, y - h * b)], iron, k * 0.8)
        c.line([(x + ha, y - h * a), (x - hb, y - h * b)], iron, k * 0.8)
    c.rect(x - k * 0.8, y - h, x + k * 0.8, y - h * 0.76, iron)
    beacon = p.light.filter((255, 84, 72))
    c.circle(x, y - h, k * 1.6, beacon)
    c.glow(x, y - h, k * 7, beacon, 0.5)


def windmill(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    c, h = p.canvas, 40 * k
    wall, roof = named_accent(p, color, (232, 218, 194)), p.light.object((128, 78, 60))
    c.poly([(x - h * 0.24, y), (x + h * 0.24, y), (x + h * 0.15, y - h * 0.78), (x - h * 0.15, y - h * 0.78)], wall)
    c.poly(
        [(x + h * 0.05, y), (x + h * 0.24, y), (x + h * 0.15, y - h * 0.78), (x + h * 0.04, y - h * 0.78)],
        darker(wall, 0.12),
    )
    c.half(x, y - h * 0.77, h * 0.17, h * 0.2, roof)
    c.rect(x - h * 0.07, y - h * 0.22, x + h * 0.07, y, darker(roof, 0.3))
    c.rect(x - h * 0.05, y - h * 0.5, x + h * 0.05, y - h * 0.4, shapes.window_color(p, wall))
    cx, cy, turn = x, y - h * 0.78, p.lot(0.3, 1.2)
    sail = p.light.object((246, 240, 226))
    for i in range(4):
        a = turn + i * math.pi / 2
        dx, dy = math.cos(a), math.sin(a)
        ex, ey = cx + dx * h * 0.56, cy + dy * h * 0.56
        c.poly(
            [
                (cx + dx * h * 0.1, cy + dy * h * 0.1),
                (ex, ey),
                (ex - dy * h * 0.13, ey + dx * h * 0.13),
                (cx + dx * h * 0.12 - dy * h * 0.13, cy + dy * h * 0.12 + dx * h * 0.13),
            ],
            sail,
        )
        c.line([(cx, cy), (ex, ey)], roof, k * 1.1)
    c.circle(cx, cy, k * 1.8, roof)


def bridge(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    """A suspension bridge across the whole picture."""
    c, h = p.canvas, 34 * k
    iron = named_accent(p, color, (188, 74, 62))
    deck = y - 9 * k
    left, right = x - p.w * 0.3, x + p.w * 0.3
    for tower_x in (left, right):
        c.rect(tower_x - k * 1.8, deck - h, tower_x + k * 1.8, y + k * 4, iron)
    for a, b in ((left - p.w * 0.6, left), (left, right), (right, right + p.w * 0.6)):
        cable = [(a + (b - a) * i / 14, deck - k - (h - k * 2) * (2 * i / 14 - 1) ** 2) for i in range(15)]
        c.line(cable, iron, k * 1.2)
        for point in cable[1:-1]:
            c.line([point, (point[0], deck)], iron, k * 0.5)
    c.rect(0, deck - k * 1.4, p.w, deck + k * 1.8, darker(iron, 0.12))


def tent(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    c, h = p.canvas, 22 * k
    cloth = named_accent(p, color, (226, 144, 66))
    c.poly([(x - h * 0.95, y), (x, y - h), (x + h * 0.95, y)], cloth)
    c.poly([(x, y - h), (x + h * 0.95, y), (x + h * 0.3, y)], darker(cloth, 0.18))
    inside = p.light.lamp() if p.light.lamps_on else darker(cloth, 0.5)
    c.poly([(x - h * 0.3, y), (x, y - h * 0.72), (x + h * 0.3, y)], inside)
    c.line([(x, y - h * 0.98), (x, y - h * 1.12)], lighter(cloth, 0.3), k)
    if p.light.lamps_on:
        c.glow(x, y - h * 0.3, h * 0.8, inside, 0.35)
