"""Places that people built: each paints itself and says where things stand."""

import math

from models.starter.training.illustrator import backdrop, shapes
from models.starter.training.illustrator.palette import Color, darker, lighter, mix
from models.starter.training.illustrator.picture import Ground, Picture


def city(p: Picture) -> Ground:
    backdrop.sky(p)
    ground = p.h * p.lot(0.83, 0.87)
    rows: tuple[tuple[float, float, float, Color], ...] = (
        (0.22, 0.34, 0.6, (112, 122, 152)),
        (0.58, 0.26, 0.58, (86, 94, 126)),
        (0.92, 0.14, 0.4, (58, 62, 92)),
    )
    for depth, low, high, base in rows:
        x = -p.u * 4
        while x < p.w:
            width = p.u * p.lot(11, 19)
            top = ground - p.h * p.lot(low, high)
            lit = 0.0 if depth < 0.3 else 0.45
            shapes.tower_block(
                p, x, x + width, ground + 2, top, p.tone(base, depth), lit, p.u * (3.2 if depth < 0.9 else 4)
            )
            x += width + p.u * p.lot(-1, 2.2)
    road = p.tone(p.light.snowed((62, 64, 78)))
    p.canvas.rect(0, ground, p.w, p.h, road)
    p.canvas.rect(0, ground, p.w, ground + p.u * 1.4, lighter(road, 0.16))
    _reflections(p, ground, road, 14)
    return Ground(p.h * 0.95, p.h * 0.08, p.h * 0.36)


def _reflections(p: Picture, top: float, road: Color, count: int) -> None:
    """Lamps mirrored in a wet or neon street."""
    if p.scene.weather in ("rain", "storm") or p.scene.mood == "neon":
        for _ in range(count):
            x, y = p.lot(0, p.w), p.lot(top + p.u * 2, p.h)
            p.canvas.line([(x, y), (x, y + p.u * p.lot(3, 7))], mix(road, p.light.lamp(), 0.45), p.u * 1.2)


def street(p: Picture) -> Ground:
    backdrop.sky(p)
    vx, vy = p.w * p.lot(0.44, 0.56), p.h * 0.58
    p.canvas.rect(0, vy, p.w, p.h, p.tone(p.light.snowed((104, 100, 106))))
    walls: tuple[Color, ...] = ((178, 108, 88), (154, 124, 112), (122, 112, 134), (194, 152, 112), (108, 122, 142))
    count = 4
    for side in (-1, 1):
        for i in reversed(range(count)):
            near, far = (count - i) / count, (count - i - 1) / count
            inner, outer = vx + side * p.w * 0.6 * far, vx + side * p.w * 0.6 * near
            x0, x1 = min(inner, outer), max(inner, outer)
            bottom = vy + p.h * 0.2 * near
            top = vy - p.h * p.lot(0.42, 0.56) * (near * 0.75 + 0.25)
            wall = p.tone(p.rng.choice(walls), 0.35 + 0.65 * near)
            p.canvas.rect(x0, top, x1, bottom, wall)
            p.canvas.rect(x0, top, x1, top + p.u * 2 * near, darker(wall, 0.2))
            glass, width = shapes.window_color(p, wall), x1 - x0
            pitch = p.u * (4 + 6 * near)
            y = top + pitch * 0.6
            while y + pitch * 1.6 < bottom:
                for a in (0.16, 0.58):
                    if not p.light.lamps_on or p.chance(0.66):
                        p.canvas.rect(x0 + width * a, y, x0 + width * (a + 0.26), y + pitch * 0.6, glass)
                y += pitch
            awning = p.light.lamp() if p.scene.mood == "neon" else p.light.accent()
            p.canvas.rect(x0 + width * 0.08, bottom - pitch * 1.05, x1 - width * 0.08, bottom - pitch * 0.7, awning)
            p.canvas.rect(x0 + width * 0.36, bottom - pitch * 0.7, x0 + width * 0.64, bottom, darker(wall, 0.4))
    road = p.tone(p.light.snowed((66, 66, 78)))
    p.canvas.poly([(vx - p.u, vy), (vx + p.u, vy), (p.w * 0.86, p.h), (p.w * 0.14, p.h)], road)
    dash = p.tone((222, 212, 174))
    for k in range(4):
        a, b = (k + 0.25) / 4, (k + 0.62) / 4
        ya, yb = vy + (p.h - vy) * a, vy + (p.h - vy) * b
        p.canvas.poly(
            [(vx - p.u * 1.2 * a, ya), (vx + p.u * 1.2 * a, ya), (vx + p.u * 1.8 * b, yb), (vx - p.u * 1.8 * b, yb)],
            dash,
        )
    _reflections(p, vy + p.h * 0.1, road, 10)
    post = p.tone((36, 36, 48))
    for x in (p.w * 0.15, p.w * 0.85):
        p.canvas.line([(x, p.h * 0.9), (x, p.h * 0.42)], post, p.u * 1.3)
        lamp = p.light.lamp() if p.light.lamps_on else lighter(post, 0.5)
        p.canvas.circle(x, p.h * 0.41, p.u * 2.3, lamp)
        if p.light.lamps_on:
            p.canvas.glow(x, p.h * 0.41, p.u * 13, lamp, 0.5)
    return Ground(p.h * 0.93, p.h * 0.06, p.h * 0.32, spread=0.8)


def market(p: Picture) -> Ground:
    backdrop.sky(p)
    y = p.h * 0.68
    x = -p.u * 2
    while x < p.w:
        width = p.u * p.lot(16, 24)
        wall = p.tone(p.rng.choice(((214, 182, 140), (196, 150, 120), (176, 162, 150))), 0.5)
        shapes.tower_block(p, x, x + width, y, y - p.h * p.lot(0.3, 0.46), wall, 0.5, p.u * 5.5)
        x += width
    floor = p.tone(p.light.snowed((178, 152, 122)))
    p.canvas.rect(0, y, p.w, p.h, floor)
    count = max(3, round(p.w / (p.u * 42)))
    for i in range(count):
        cx, half = p.w * (i + 0.5) / count, p.w / count * 0.42
        stripe = p.light.accent()
        top, bottom = y - p.h * 0.2, y + p.h * 0.06
        post = p.tone((110, 76, 54))
        for side in (-1, 1):
            p.canvas.rect(cx + side * half * 0.9 - p.u * 0.6, top, cx + side * half * 0.9 + p.u * 0.6, bottom, post)
        p.canvas.rect(cx - half, y - p.h * 0.03, cx + half, bottom, darker(post, 0.15))
        for k in range(5):
            p.canvas.circle(cx + half * (k - 2) * 0.38, y - p.h * 0.045, p.u * 2.6, p.light.accent())
        for k in range(6):
            a, b = cx - half * 1.1 + half * 2.2 * k / 6, cx - half * 1.1 + half * 2.2 * (k + 1) / 6
            c = stripe if k % 2 == 0 else p.light.object((244, 238, 226))
            p.canvas.poly([(a, top), (b, top), (b, top + p.u * 6.4), (a, top + p.u * 6.4)], c)
            p.canvas.half((a + b) / 2, top + p.u * 6.2, (b - a) / 2, p.u * 2, c, lower=True)
    if p.light.lamps_on:
        for k in range(8):
            x, yy = p.w * (k + 0.5) / 8, y - p.h * (0.3 - 0.04 * math.sin((k + 0.5) * 0.9))
            lamp = p.light.lamp()
            p.canvas.circle(x, yy, p.u * 1.4, lamp)
            p.canvas.glow(x, yy, p.u * 7, lamp, 0.4)
    return Ground(p.h * 0.95, p.h * 0.06, p.h * 0.24)


def village(p: Picture) -> Ground:
    backdrop.sky(p)
    grass = p.light.snowed((112, 156, 88))
    p.canvas.below(shapes.hill(p, p.horizon - p.u * 3, p.u * 5), p.tone(grass, 0.3))
    walls: tuple[Color, ...] = ((240, 224, 194), (224, 194, 162), (204, 210, 214))
    roofs: tuple[Color, ...] = ((196, 84, 64), (156, 82, 70), (112, 98, 122))
    for depth, y, count, size in ((0.6, p.horizon + p.u * 6, 6, 15.0), (0.95, p.horizon + p.u * 20, 4, 23.0)):
        p.canvas.below(shapes.hill(p, y - p.u * 4, p.u * 2), p.tone(mix(grass, (76, 120, 66), depth * 0.4), depth))
        for i in range(count):
            x = (i + p.lot(0.3, 0.7)) * p.w / count
            shapes.cottage(
                p,
                x,
                y + p.lot(-1, 2) * p.u,
                p.u * size * p.lot(0.9, 1.15),
                p.tone(p.rng.choice(walls), depth),
                p.tone(p.light.snowed(p.rng.choice(roofs)), depth),
            )
    p.canvas.below(shapes.hill(p, p.h * 0.86, p.u * 1.6), p.tone(mix(grass, (70, 112, 60), 0.5)))
    for x in (p.lot(0.02, 0.12), p.lot(0.88, 0.98)):
        crown = p.tone(p.light.snowed((86, 144, 76)))
        shapes.round_tree(p, x * p.w, p.h * 0.9, p.u * p.lot(22, 30), crown, p.tone((96, 70, 50)))
    return Ground(p.h * 0.95, p.h * 0.08, p.horizon * 0.7)


def castle(p: Picture) -> Ground:
    backdrop.sky(p)
    p.canvas.below(shapes.ridge(p, p.horizon, p.u * 17), p.tone((112, 122, 144), 0.25))
    grass = p.light.snowed((94, 136, 86))
    y, x = p.horizon + p.u * 9, p.w * p.rng.choice((0.36, 0.5, 0.64))
    p.canvas.below(
        [
            (0, y + p.u * 14),
            (x - p.u * 46, y + p.u * 8),
            (x - p.u * 24, y),
            (x + p.u * 24, y),
            (x + p.u * 46, y + p.u * 8),
            (p.w, y + p.u * 14),
        ],
        p.tone(grass, 0.65),
    )
    stone, roof = (
        p.tone((156, 152, 164), 0.85),
        p.tone(p.light.snowed(p.rng.choice(((158, 62, 70), (72, 84, 146), (96, 72, 114))), 0.5), 0.85),
    )
    lamp = p.light.lamp() if p.light.lamps_on else darker(stone, 0.4)
    u, c = p.u, p.canvas
    c.rect(x - u * 21, y - u * 19, x + u * 21, y + u * 3, stone)
    for i in range(9):
        c.rect(x - u * 21 + i * u * 4.8, y - u * 21.5, x - u * 18.6 + i * u * 4.8, y - u * 19, stone)
    for dx, height, half in ((-9, 40, 5), (9, 46, 5.6), (-22, 30, 5.6), (22, 32, 5.6)):
        tx = x + dx * u
        c.rect(tx - half * u, y - height * u, tx + half * u, y + u * 3, darker(stone, 0.06))
        c.rect(tx + half * u * 0.4, y - height * u, tx + half * u, y + u * 3, darker(stone, 0.16))
        c.poly(
            [
                (tx - half * 1.35 * u, y - height * u),
                (tx + half * 1.35 * u, y - height * u),
                (tx, y - (height + half * 2.5) * u),
            ],
            roof,
        )
        c.rect(tx - u * 1.1, y - (height - 5) * u, tx + u * 1.1, y - (height - 9.5) * u, lamp)
        c.line([(tx, y - (height + half * 2.4) * u), (tx, y - (height + half * 3.2) * u)], roof, u * 0.5)
    c.half(x, y - u * 4, u * 5, u * 6, darker(stone, 0.55))
    c.rect(x - u * 5, y - u * 4, x + u * 5, y + u * 3, darker(stone, 0.55))
    if p.light.lamps_on:
        c.glow(x, y - u * 22, u * 26, p.light.lamp(), 0.14)
    path = p.tone(p.light.snowed((206, 186, 150)), 0.9)
    c.below(shapes.hill(p, p.h * 0.84, u * 2), p.tone(mix(grass, (54, 90, 54), 0.35)))
    c.poly([(x - u * 4, y + u * 3), (x + u * 4, y + u * 3), (x + u * 15, p.h), (x - u * 11, p.h)], path)
    return Ground(p.h * 0.95, p.h * 0.08, p.horizon * 0.6)


def pagoda(p: Picture) -> Ground:
    backdrop.sky(p)
    p.canvas.below(shapes.ridge(p, p.horizon + p.u * 2, p.u * 22), p.tone((120, 134, 156), 0.22))
    grass = p.light.snowed((120, 150, 96))
    p.canvas.below(shapes.hill(p, p.horizon + p.u * 8, p.u * 3), p.tone(grass, 0.6))
    x, y, u, c = p.w * p.rng.choice((0.34, 0.5, 0.66)), p.horizon + p.u * 14, p.u, p.canvas
    wall, roof = p.tone((196, 70, 58), 0.9), p.tone(p.light.snowed((58, 64, 84), 0.6), 0.9)
    lamp = p.light.lamp() if p.light.lamps_on else p.tone((250, 226, 190), 0.9)
    c.rect(x - u * 25, y - u * 3, x + u * 25, y, p.tone((170, 164, 160), 0.9))
    base = y - u * 3
    for level in range(4):
        half, height = u * (16 - level * 3), u * 10
        c.rect(x - half, base - height, x + half, base, wall)
        for k in (-0.6, 0, 0.6):
            c.rect(x + k * half - u * 1.6, base - height * 0.74, x + k * half + u * 1.6, base - height * 0.14, lamp)
        wide, eave = half * 1.65, base - height
        c.poly(
            [
                (x - wide, eave - u * 2.2),
                (x - wide * 0.8, eave),
                (x + wide * 0.8, eave),
                (x + wide, eave - u * 2.2),
                (x + half * 0.8, eave - u * 4.6),
                (x - half * 0.8, eave - u * 4.6),
            ],
            roof,
        )
        base = eave - u * 3.6
    c.line([(x, base), (x, base - u * 8)], roof, u * 0.9)
    if p.light.lamps_on:
        c.glow(x, y - u * 20, u * 24, lamp, 0.2)
    p.canvas.below(shapes.hill(p, p.h * 0.85, u * 2), p.tone(mix(grass, (84, 110, 70), 0.5)))
    blossom = p.tone(p.light.snowed((240, 156, 184)))
    for side in (p.lot(0.02, 0.12), p.lot(0.88, 0.98)):
        shapes.round_tree(p, side * p.w, p.h * 0.93, u * p.lot(34, 44), blossom, p.tone((84, 60, 54)))
    return Ground(p.h * 0.95, p.h * 0.08, p.horizon * 0.55)


def ruins(p: Picture) -> Ground:
    backdrop.sky(p)
    p.canvas.below(shapes.hill(p, p.horizon - p.u * 2, p.u * 5), p.tone((126, 138, 104), 0.3))
    sand = p.light.snowed((186, 166, 124))
    p.canvas.below(shapes.hill(p, p.horizon + p.u * 9, p.u * 2), p.tone(sand, 0.75))
    marble, u, c = p.tone((222, 206, 172), 0.9), p.u, p.canvas
    count = p.rng.randint(4, 5)
    span = min(p.w * 0.76, u * 110)
    x0, y = (p.w - span) / 2, p.horizon + u * 16
    top = y - u * p.lot(38, 44)
    for k in range(3):
        c.rect(
            x0 - u * (4 + 3 * k),
            y - u * 4 + k * u * 2,
            x0 + span + u * (4 + 3 * k),
            y - u * 2 + k * u * 2,
            darker(marble, 0.08 * k),
        )
    whole = p.chance(0.6)
    for i in range(count + 1):
        x = x0 + i * span / count
        broken = not whole and p.chance(0.45)
        t = top + (u * p.lot(12, 26) if broken else 0)
        c.rect(x - u * 2.8, t, x + u * 2.8, y - u * 4, marble)
        c.rect(x + u * 1.0, t, x + u * 2.8, y - u * 4, darker(marble, 0.18))
        if not broken:
            c.rect(x - u * 4, t - u * 2, x + u * 4, t + u, marble)
    if whole:
        c.rect(x0 - u * 5, top - u * 6, x0 + span + u * 5, top - u * 2, marble)
        c.poly(
            [(x0 - u * 5, top - u * 6), (x0 + span + u * 5, top - u * 6), (x0 + span / 2, top - u * 19)],
            darker(marble, 0.1),
        )
    p.canvas.below(shapes.hill(p, p.h * 0.87, u * 1.5), p.tone(mix(sand, (140, 128, 90), 0.5)))
    for _ in range(3):
        shapes.boulder(
            p,
            p.rng.choice((p.lot(0, 0.25), p.lot(0.75, 1))) * p.w,
            p.h * p.lot(0.9, 0.97),
            u * p.lot(6, 11),
            p.tone((206, 190, 156)),
        )
    return Ground(p.h * 0.95, p.h * 0.06, top * 0.8)


def pyramids(p: Picture) -> Ground:
    backdrop.sky(p)
    sand: Color = (236, 194, 122)
    y, u, c = p.horizon + p.u * 6, p.u, p.canvas
    c.below(shapes.hill(p, p.horizon - u * 2, u * 2), p.tone(sand, 0.35))
    for x, height, depth in ((p.lot(0.1, 0.26), 28, 0.45), (p.lot(0.74, 0.9), 34, 0.62), (p.lot(0.4, 0.58), 48, 0.85)):
        stone = p.tone(p.light.snowed((222, 174, 104), 0.5), depth)
        cx, top, half = x * p.w, y + u * 6 - height * u, height * u * 0.86
        c.poly([(cx - half, y + u * 6), (cx, top), (cx + half, y + u * 6)], stone)
        c.poly([(cx, top), (cx + half, y + u * 6), (cx + half * 0.2, y + u * 6)], darker(stone, 0.2))
        for k in (0.35, 0.55, 0.75):
            yy = top + height * u * k
            c.line([(cx - half * k, yy), (cx + half * k * 0.2, yy)], darker(stone, 0.07), u * 0.5)
    c.below(shapes.hill(p, y + u * 9, u * 2.4), p.tone(p.light.snowed(sand, 0.6), 0.85))
    c.below(shapes.hill(p, p.h * 0.86, u * 3), p.tone(p.light.snowed((214, 162, 96), 0.6)))
    return Ground(p.h * 0.95, p.h * 0.06, p.horizon * 0.45)
