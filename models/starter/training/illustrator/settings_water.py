"""Sea, shore, lake and what is under the waves."""

import math

from models.starter.training.illustrator import backdrop, shapes
from models.starter.training.illustrator.palette import Color, darker, lighter, mix
from models.starter.training.illustrator.picture import Ground, Picture


def ocean(p: Picture) -> Ground:
    backdrop.sky(p)
    backdrop.water(p, p.horizon, p.h)
    base = backdrop.sea_color(p)
    for k in range(3):
        y = p.h * (0.84 + k * 0.065)
        line = shapes.wave_line(p, y, p.u * 1.7, p.u * p.lot(28, 38))
        p.canvas.below(line, darker(base, 0.18 + 0.16 * k))
    return Ground(p.h * 0.85, p.h * 0.08, p.horizon * 0.7, scale=1.15, floating=True)


def harbor(p: Picture) -> Ground:
    backdrop.sky(p)
    u, c = p.u, p.canvas
    y = p.horizon + u * 4
    x = -u * 3
    walls: tuple[Color, ...] = ((226, 120, 92), (240, 206, 130), (122, 162, 186), (236, 226, 206), (176, 120, 130))
    while x < p.w:
        width, height = u * p.lot(13, 18), u * p.lot(22, 34)
        wall = p.tone(p.rng.choice(walls), 0.72)
        c.rect(x, y - height, x + width, y, wall)
        c.poly(
            [(x - u, y - height), (x + width + u, y - height), (x + width / 2, y - height - width * 0.4)],
            p.tone(p.light.snowed((150, 78, 68)), 0.72),
        )
        glass = shapes.window_color(p, wall)
        for row in range(2):
            for column in (0.2, 0.58):
                yy = y - height + u * (4 + 9 * row)
                c.rect(x + width * column, yy, x + width * (column + 0.22), yy + u * 4.6, glass)
        x += width
    c.rect(0, y - u, p.w, y + u * 2, p.tone((120, 112, 110), 0.8))
    backdrop.water(p, y + u * 2, p.h)
    for _ in range(3):
        bx, by, size = p.lot(0.05, 0.95) * p.w, y + u * p.lot(7, 12), u * p.lot(5, 7)
        c.poly(
            [(bx - size, by - size * 0.4), (bx + size, by - size * 0.4), (bx + size * 0.7, by), (bx - size * 0.7, by)],
            p.light.accent(),
        )
        c.line([(bx, by - size * 0.4), (bx, by - size * 2.2)], p.tone((60, 48, 44)), u * 0.5)
    deck = p.tone(p.light.snowed((156, 116, 82)))
    c.rect(0, p.h * 0.87, p.w, p.h, deck)
    for k in range(9):
        c.rect(p.w * k / 9, p.h * 0.87, p.w * k / 9 + u * 0.6, p.h, darker(deck, 0.2))
    for fraction in (0.06, 0.94):
        c.rect(fraction * p.w - u * 1.6, p.h * 0.78, fraction * p.w + u * 1.6, p.h, darker(deck, 0.35))
    return Ground(p.h * 0.95, p.h * 0.06, p.horizon * 0.4)


def island(p: Picture) -> Ground:
    backdrop.sky(p)
    backdrop.water(p, p.horizon, p.h)
    u, c = p.u, p.canvas
    x, half, y = p.w * p.lot(0.45, 0.55), u * p.lot(50, 60), p.h * 0.93
    sand = p.tone(p.light.snowed((236, 208, 148), 0.6))
    c.ellipse(x, y + u * 2, half * 1.12, u * 12.5, mix(backdrop.sea_color(p), p.light.sky[2], 0.5))
    side = p.rng.choice((-1, 1))
    c.half(x + side * half * 0.42, y - u * 4, half * 0.5, u * 24, p.tone((78, 148, 80), 0.9))
    c.half(x + side * half * 0.62, y - u * 4, half * 0.32, u * 16, p.tone((60, 126, 68), 0.95))
    c.ellipse(x, y + u * 2, half, u * 11, sand)
    c.ellipse(x, y + u * 5, half * 0.9, u * 8, darker(sand, 0.08))
    for k in (0.75, 0.5, -0.8):
        shapes.palm(p, x + side * k * half, y - u * 3, u * p.lot(28, 40), p.tone((52, 138, 70)), p.tone((126, 88, 56)))
    return Ground(p.h * 0.94, p.h * 0.08, p.horizon * 0.6, center=x / p.w - side * 0.06, spread=0.55)


def lake(p: Picture) -> Ground:
    backdrop.sky(p)
    u, y = p.u, p.horizon
    ridge_points = shapes.ridge(p, y - u * 2, u * 24)
    p.canvas.below(ridge_points, p.tone((100, 118, 138), 0.32))
    p.canvas.below(shapes.hill(p, y - u, u * 2.4), p.tone(p.light.snowed((76, 120, 80)), 0.58))
    for _ in range(12):
        shapes.pine(p, p.lot(0, p.w), y + u, u * p.lot(9, 17), p.tone(p.light.snowed((44, 96, 66), 0.5), 0.7))
    backdrop.water(p, y + u, p.h)
    bank = p.tone(p.light.snowed((82, 120, 70)))
    p.canvas.below(shapes.wave_line(p, p.h * 0.9, u * 2, u * 120), bank)
    for side in (p.lot(0, 0.1), p.lot(0.9, 1)):
        for k in range(5):
            rx = side * p.w + (k - 2) * u * 1.6
            p.canvas.line(
                [(rx, p.h * 0.93), (rx + u * p.lot(-1, 1), p.h * 0.93 - u * p.lot(8, 13))], darker(bank, 0.25), u * 0.8
            )
    return Ground(p.h * 0.955, p.h * 0.08, y * 0.6)


def underwater(p: Picture) -> Ground:
    base: Color = p.rng.choice(((46, 160, 206), (36, 120, 190), (22, 80, 150)))
    c, u = p.canvas, p.u
    sea = p.light.filter(base)
    if p.scene.mood == "neon":
        sea = mix(sea, (64, 22, 146), 0.45)
    c.gradient(0, 0, p.w, p.h, (lighter(sea, 0.3), sea, mix(sea, (2, 10, 40), 0.6)))
    for _ in range(4):
        x, w = p.lot(-0.05, 0.85) * p.w, u * p.lot(4, 9)
        c.translucent(
            [(x, 0), (x + w, 0), (x + w * 2.6 + u * 14, p.h * 0.75), (x + u * 14, p.h * 0.75)], (255, 255, 255), 0.1
        )
    c.below(shapes.hill(p, p.h * 0.8, u * 4), mix(sea, (6, 22, 60), 0.45))
    floor = mix(mix(sea, (4, 14, 46), 0.45), p.light.filter((206, 176, 134)), 0.4)
    c.below(shapes.hill(p, p.h * 0.88, u * 2.4), floor)
    for i in range(9):
        x, y, h = (i + p.lot(0.1, 0.9)) * p.w / 9, p.h * p.lot(0.91, 0.98), u * p.lot(10, 22)
        if p.chance(0.55):
            coral = mix(
                p.light.filter(p.rng.choice(((242, 124, 160), (244, 148, 70), (158, 92, 206), (226, 76, 80)))), sea, 0.2
            )
            for k in (-1, 0, 1):
                c.limb(
                    [(x, y), (x + k * h * 0.22, y - h * 0.5), (x + k * h * 0.32, y - h * (0.95 if k else 1.1))],
                    coral,
                    u * 2.2,
                )
        else:
            weed = mix(p.light.filter((46, 154, 92)), sea, 0.25)
            c.line([(x + u * 1.8 * math.sin(k * 1.1), y - k * h * 1.3 / 6) for k in range(7)], weed, u * 1.8)
    for _ in range(12):
        x, y, r = p.lot(0, p.w), p.lot(0, p.h * 0.8), u * p.lot(0.7, 1.5)
        c.ring(x, y, r, r, mix(sea, (255, 255, 255), 0.5), u * 0.4)
    if not p.scene.has("fish"):
        for _ in range(4):
            _small_fish(p, p.lot(0.06, 0.94) * p.w, p.lot(0.15, 0.62) * p.h, u * p.lot(3, 4.6))
    return Ground(p.h * 0.93, p.h * 0.3, p.h * 0.55, floating=True)


def _small_fish(p: Picture, x: float, y: float, r: float) -> None:
    c = p.light.filter(p.rng.choice(((250, 170, 64), (250, 214, 90), (240, 110, 110), (150, 220, 240))))
    p.canvas.ellipse(x, y, r, r * 0.55, c)
    p.canvas.poly([(x - r * 0.8, y), (x - r * 1.6, y - r * 0.55), (x - r * 1.6, y + r * 0.55)], c)
