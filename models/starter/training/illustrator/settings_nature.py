"""Land that nobody built: each setting paints itself and says where things stand."""

import math

from models.starter.training.illustrator import backdrop, shapes
from models.starter.training.illustrator.palette import Color, darker, mix
from models.starter.training.illustrator.picture import Ground, Picture


def forest(p: Picture) -> Ground:
    backdrop.sky(p)
    grass = p.light.snowed((62, 116, 70))
    p.canvas.below(shapes.hill(p, p.horizon, p.u * 4), p.tone(grass, 0.22))
    rows = ((0.3, 4, 26, 13), (0.6, 12, 38, 9), (0.88, 21, 52, 6))
    for depth, dy, height, count in rows:
        y = p.horizon + dy * p.u
        green = p.tone(p.light.snowed((48, 108, 66), 0.6), depth)
        count = max(4, round(count * p.w / p.h / 1.7))
        p.canvas.below(shapes.hill(p, y, p.u * 1.6), p.tone(mix(grass, (42, 84, 48), depth), depth))
        for i in range(count):
            x = (i + p.lot(0.1, 0.9)) * p.w / count
            if depth > 0.8 and 0.34 < x / p.w < 0.66 and p.scene.items:
                continue  # a clearing for what the picture is about
            shapes.pine(p, x, y + p.lot(0, 3) * p.u, p.u * height * p.lot(0.8, 1.15), green)
    p.canvas.below(shapes.hill(p, p.h * 0.87, p.u * 1.6), p.tone(mix(grass, (44, 84, 48), 0.7)))
    return Ground(p.h * 0.95, p.h * 0.06, p.horizon * 0.5)


def jungle(p: Picture) -> Ground:
    backdrop.sky(p)
    green: Color = (44, 128, 64)
    for depth, dy, count, height in ((0.3, 0, 7, 50.0), (0.62, 8, 6, 58.0)):
        y = p.horizon + dy * p.u
        for i in range(count):
            x, h = (i + p.lot(0.2, 0.8)) * p.w / count, p.u * height * p.lot(0.75, 1.1)
            if p.chance(0.6):
                shapes.palm(p, x, y + p.u * 5, h, p.tone(green, depth), p.tone((100, 74, 48), depth))
            else:
                shapes.round_tree(p, x, y + p.u * 5, h, p.tone((36, 116, 62), depth), p.tone((96, 70, 46), depth))
        p.canvas.below(shapes.hill(p, y + p.u * 4, p.u * 3), p.tone(mix(green, (24, 88, 44), depth), depth))
    p.canvas.below(shapes.hill(p, p.h * 0.86, p.u * 2), p.tone((40, 100, 50)))
    for _ in range(6):
        x = p.rng.choice((p.lot(-0.02, 0.2), p.lot(0.8, 1.02))) * p.w
        _fern(p, x, p.h + p.u * 2, p.tone(p.rng.choice(((28, 102, 52), (44, 136, 64), (22, 82, 54)))))
    return Ground(p.h * 0.94, p.h * 0.08, p.horizon * 0.6, spread=0.8)


def _fern(p: Picture, x: float, y: float, c: Color) -> None:
    for i in range(5):
        angle = -math.pi * (0.15 + 0.7 * i / 4) + p.lot(-0.1, 0.1)
        length = p.u * p.lot(20, 32)
        ex, ey = x + math.cos(angle) * length, y + math.sin(angle) * length
        nx, ny = -math.sin(angle) * p.u * 4, math.cos(angle) * p.u * 4
        mx, my = (x + ex) / 2, (y + ey) / 2
        p.canvas.poly([(x, y), (mx + nx, my + ny), (ex, ey), (mx - nx, my - ny)], c)


def mountains(p: Picture) -> Ground:
    backdrop.sky(p)
    for depth, dy, height in ((0.2, 2, 40.0), (0.55, 10, 34.0)):
        count = max(3, round(p.rng.randint(3, 4) * p.w / p.h / 1.7))
        rock = p.tone((108, 120, 146), depth)
        snow = mix(rock, p.tone((248, 250, 254), min(1.0, depth + 0.35)), 0.85)
        for i in range(count):
            x, h = (i + p.lot(0.2, 0.8)) * p.w / count, p.u * height * p.lot(0.75, 1.3)
            shapes.peak(p, x, p.horizon + (dy + 8) * p.u, h, h * p.lot(0.85, 1.1), rock, snow)
    grass = p.light.snowed((86, 130, 82))
    p.canvas.below(shapes.hill(p, p.horizon + p.u * 13, p.u * 3), p.tone(grass, 0.65))
    for _ in range(8):
        shapes.pine(
            p,
            p.lot(0, p.w),
            p.horizon + p.u * p.lot(13, 20),
            p.u * p.lot(9, 15),
            p.tone(p.light.snowed((46, 92, 66), 0.5), 0.78),
        )
    p.canvas.below(shapes.hill(p, p.h * 0.85, p.u * 2.4), p.tone(mix(grass, (54, 92, 54), 0.45)))
    return Ground(p.h * 0.95, p.h * 0.08, p.horizon * 0.5)


def volcano(p: Picture) -> Ground:
    backdrop.sky(p)
    u, c = p.u, p.canvas
    p.canvas.below(shapes.ridge(p, p.horizon + u * 4, u * 14), p.tone((96, 84, 96), 0.25))
    x, y = p.w * p.rng.choice((0.36, 0.5, 0.64)), p.horizon + u * 16
    top = y - u * p.lot(46, 52)
    smoke = mix(p.tone((120, 112, 120)), p.light.sky[1], 0.35)
    for k in range(5):
        c.circle(
            x + u * (2.5 * k + p.lot(-1.5, 1.5)), top - u * (4 + 6 * k), u * (5 + 2 * k), darker(smoke, 0.12 * (k % 2))
        )
    lava, hot = p.light.filter((250, 96, 36)), p.light.filter((255, 198, 84))
    rock = p.tone(p.light.snowed((92, 72, 76), 0.3), 0.9)
    c.glow(x, top - u * 3, u * 18, lava, 0.6)
    for dx, dy in ((-7, 8), (-3, 13), (4, 14), (8, 9), (0, 18)):
        c.circle(x + dx * u, top - dy * u, u * 1.3, hot)
    c.poly([(x - u * 46, y), (x - u * 8, top), (x + u * 8, top), (x + u * 46, y)], rock)
    c.poly([(x + u * 2, top), (x + u * 8, top), (x + u * 46, y), (x + u * 12, y)], darker(rock, 0.2))
    c.ellipse(x, top, u * 8, u * 1.8, hot)
    for side, reach in ((-1, 16.0), (0.2, 26.0), (1, 20.0)):
        points = [(x + side * u * 4, top)]
        for k in range(4):
            points.append((x + side * u * (5 + 5 * k) + p.lot(-1.5, 1.5) * u, top + reach * u * (k + 1) / 4))
        c.line(points, lava, u * 2.2)
    c.below(shapes.hill(p, p.h * 0.84, u * 2), p.tone((70, 58, 62)))
    river = shapes.wave_line(p, p.h * 0.9, u * 1.2, u * 60)
    c.poly([*river, *[(a, b + u * 3) for a, b in reversed(river)]], lava)
    c.glow(p.w / 2, p.h * 0.92, u * 30, lava, 0.25)
    return Ground(p.h * 0.96, p.h * 0.06, p.horizon * 0.45)


def waterfall(p: Picture) -> Ground:
    backdrop.sky(p)
    u, c = p.u, p.canvas
    x, half = p.w * p.rng.choice((0.38, 0.5, 0.62)), u * p.lot(8, 11)
    cliff = p.tone(p.light.snowed((128, 116, 110), 0.3), 0.7)
    top, pool = p.h * 0.26, p.h * 0.76
    left = [
        (-u, top - u * 6),
        (x - half - u * 18, top - u * 3),
        (x - half - u * 4, top),
        (x - half, top + u),
        (x - half, pool),
        (-u, pool),
    ]
    right = [
        (p.w + u, top - u * 8),
        (x + half + u * 22, top - u * 5),
        (x + half + u * 4, top),
        (x + half, top + u),
        (x + half, pool),
        (p.w + u, pool),
    ]
    c.poly(left, cliff)
    c.poly(right, darker(cliff, 0.07))
    for k in range(5):
        for side in (-1, 1):
            bx = x + side * (half + u * (6 + 15 * k))
            c.poly(
                [
                    (bx - u * 3, top + u * (6 + 4 * (k % 2))),
                    (bx + u * 3, top + u * 9),
                    (bx + u * 2, pool),
                    (bx - u * 4, pool),
                ],
                darker(cliff, 0.14),
            )
    grass = p.light.snowed((76, 142, 78))
    for points in (left, right):
        rim = points[:4]
        c.poly([*rim, *[(a, b + u * 4) for a, b in reversed(rim)]], p.tone(grass, 0.75))
    for _ in range(7):
        tx = p.rng.choice((p.lot(0, x - half - u * 8), p.lot(x + half + u * 8, p.w)))
        shapes.pine(p, tx, top - u * 1.5, u * p.lot(13, 20), p.tone(p.light.snowed((46, 100, 66), 0.5), 0.72))
    sea = backdrop.sea_color(p)
    fall = mix(sea, p.light.filter((250, 253, 255)), 0.72 if p.scene.time != "night" else 0.5)
    c.rect(x - half, top + u, x + half, pool, fall)
    for k in range(-2, 3):
        c.rect(
            x + k * half * 0.4 - u * 0.7,
            top + u * (3 + abs(k)),
            x + k * half * 0.4 + u * 0.7,
            pool,
            mix(fall, sea, 0.4),
        )
    c.gradient(0, pool, p.w, p.h, (mix(sea, fall, 0.45), darker(sea, 0.2)))
    for k in range(-3, 4):
        c.circle(
            x + k * half * 0.42,
            pool + u * (1 if k % 2 else 0),
            u * 3.6,
            mix(fall, p.light.filter((255, 255, 255)), 0.4),
        )
    for k in range(3):
        c.line(
            [(x - half * (1.6 + k), pool + u * (6 + 4 * k)), (x + half * (1.6 + k), pool + u * (6 + 4 * k))],
            mix(sea, fall, 0.5),
            u * 0.6,
        )
    c.below(shapes.hill(p, p.h * 0.91, u * 1.4), p.tone(mix(grass, (50, 96, 52), 0.5)))
    return Ground(p.h * 0.965, p.h * 0.05, p.h * 0.22)


def desert(p: Picture) -> Ground:
    backdrop.sky(p)
    if p.chance(0.5):
        p.canvas.below(shapes.ridge(p, p.horizon, p.u * 12), p.tone((198, 124, 88), 0.35))
    for depth, y, amplitude, base in (
        (0.4, p.horizon + p.u * 2, 5.0, (238, 192, 122)),
        (0.72, p.horizon + p.u * 13, 6.0, (226, 168, 98)),
        (1.0, p.h * 0.84, 4.0, (208, 140, 78)),
    ):
        crest = shapes.hill(p, y, p.u * amplitude)
        p.canvas.below(crest, p.tone(p.light.snowed(base, 0.6), depth))
    green = p.tone((66, 126, 78))
    for _ in range(p.rng.randint(1, 3)):
        x, y, h = p.rng.choice((p.lot(0.04, 0.2), p.lot(0.8, 0.96))) * p.w, p.h * p.lot(0.84, 0.92), p.u * p.lot(16, 24)
        p.canvas.limb([(x, y), (x, y - h)], green, h * 0.18)
        for side, k in ((-1, 0.42), (1, 0.56)):
            p.canvas.limb(
                [(x, y - h * k), (x + side * h * 0.3, y - h * k), (x + side * h * 0.3, y - h * (k + 0.3))],
                green,
                h * 0.13,
            )
    return Ground(p.h * 0.94, p.h * 0.08, p.horizon * 0.6)


def field(p: Picture) -> Ground:
    backdrop.sky(p)
    crop = p.light.snowed(p.rng.choice(((214, 188, 92), (134, 174, 78), (226, 196, 98))), 0.7)
    p.canvas.below(shapes.hill(p, p.horizon - p.u * 2, p.u * 4), p.tone(p.light.snowed((104, 146, 90)), 0.35))
    y = p.horizon + p.u * 4
    p.canvas.below(shapes.hill(p, y, p.u * 1.4), p.tone(crop, 0.8))
    row, vx = p.tone(mix(crop, (104, 110, 46), 0.36), 0.9), p.w * p.lot(0.35, 0.65)
    for k in range(-8, 9):
        near, far = k * p.w * 0.16, k * p.w * 0.025
        p.canvas.poly(
            [
                (vx + far, y + p.u * 3),
                (vx + far + p.u * 0.8, y + p.u * 3),
                (vx + near + p.u * 6, p.h),
                (vx + near - p.u * 1, p.h),
            ],
            row,
        )
    if p.chance(0.55) and not any(item.key in ("house", "windmill") for item in p.scene.items):
        x, u = p.rng.choice((p.lot(0.1, 0.25), p.lot(0.75, 0.9))) * p.w, p.u
        barn = p.tone((182, 64, 54), 0.85)
        p.canvas.rect(x - u * 9, y - u * 8, x + u * 9, y + u * 4, barn)
        p.canvas.poly(
            [(x - u * 10, y - u * 8), (x - u * 6, y - u * 13), (x + u * 6, y - u * 13), (x + u * 10, y - u * 8)],
            p.tone(p.light.snowed((98, 66, 66)), 0.85),
        )
        p.canvas.rect(x - u * 3, y - u * 4, x + u * 3, y + u * 4, shapes.window_color(p, barn))
    return Ground(p.h * 0.94, p.h * 0.08, p.horizon * 0.65)


def garden(p: Picture) -> Ground:
    backdrop.sky(p)
    grass = p.light.snowed((102, 174, 92))
    p.canvas.below(shapes.hill(p, p.horizon, p.u * 4), p.tone(grass, 0.42))
    crowns: tuple[Color, ...] = ((74, 146, 74), (238, 154, 184), (116, 166, 74))
    for i in range(5):
        x = (i + p.lot(0.1, 0.9)) * p.w / 5
        crown = p.tone(p.light.snowed(p.rng.choice(crowns), 0.6), 0.7)
        shapes.round_tree(p, x, p.horizon + p.u * p.lot(3, 8), p.u * p.lot(24, 36), crown, p.tone((98, 72, 52), 0.7))
    p.canvas.below(shapes.hill(p, p.horizon + p.u * 9, p.u * 2), p.tone(mix(grass, (64, 136, 64), 0.4)))
    shapes.flower_bed(p, 42, p.horizon + p.u * 13, p.h * 0.99, None)
    return Ground(p.h * 0.94, p.h * 0.08, p.horizon * 0.6)


def arctic(p: Picture) -> Ground:
    backdrop.sky(p)
    u = p.u
    if p.scene.time == "night" and p.scene.weather == "clear":
        for k in range(3):
            p.canvas.glow(
                p.w * (0.2 + 0.3 * k), p.horizon * p.lot(0.25, 0.5), u * 18, p.light.filter((40, 214, 140)), 0.4
            )
    p.canvas.below(shapes.ridge(p, p.horizon, u * 14), p.tone((196, 214, 234), 0.5))
    backdrop.water(p, p.horizon + u, p.h)
    for _ in range(4):
        x, y, w = p.lot(0, p.w), p.horizon + u * p.lot(3, 16), u * p.lot(9, 17)
        ice = p.tone((226, 240, 250))
        p.canvas.poly(
            [(x - w, y), (x - w * 0.55, y - w * 0.7), (x - w * 0.1, y - w), (x + w * 0.45, y - w * 0.45), (x + w, y)],
            ice,
        )
        p.canvas.poly(
            [(x - w * 0.1, y - w), (x + w * 0.45, y - w * 0.45), (x + w, y), (x + w * 0.1, y)],
            mix(ice, p.light.filter((104, 160, 214)), 0.38),
        )
    p.canvas.below(shapes.hill(p, p.h * 0.85, u * 2), p.tone((236, 244, 252)))
    return Ground(p.h * 0.95, p.h * 0.08, p.horizon * 0.7)


def cave(p: Picture) -> Ground:
    u, c = p.u, p.canvas
    lamp = (
        p.light.lamp()
        if p.scene.mood == "neon"
        else p.light.filter(p.rng.choice(((110, 204, 255), (255, 176, 96), (160, 130, 255))))
    )
    rock = p.light.filter((64, 54, 70))
    c.gradient(0, 0, p.w, p.h, (darker(rock, 0.35), rock, darker(rock, 0.45)))
    x, y = p.w * p.lot(0.4, 0.6), p.h * 0.5
    for k, radius in ((0.28, 44.0), (0.5, 34.0), (0.75, 24.0)):
        c.ellipse(x, y, radius * u, radius * u * 0.82, mix(rock, lamp, k))
    c.glow(x, y, u * 34, lamp, 0.26)
    near, far = darker(rock, 0.6), darker(rock, 0.35)
    for shade, count in ((far, 7), (near, 7)):
        for i in range(count):
            cx, w = (i + p.lot(0.1, 0.9)) * p.w / count, u * p.lot(4, 8)
            reach = p.lot(14, 40) * (1.2 if abs(cx - x) > u * 40 else 0.6)
            c.poly([(cx - w, -1), (cx + w, -1), (cx, reach * u)], shade)
        for i in range(count - 2):
            cx, w = (i + p.lot(0.1, 0.9)) * p.w / (count - 2), u * p.lot(4, 8)
            if abs(cx - x) > u * 22:
                c.poly([(cx - w, p.h), (cx + w, p.h), (cx, p.h - u * p.lot(16, 32))], shade)
    for _ in range(5):
        cx, h = p.rng.choice((p.lot(0.02, 0.24), p.lot(0.76, 0.98))) * p.w, u * p.lot(8, 15)
        c.poly(
            [(cx - h * 0.22, p.h * 0.88), (cx - h * 0.1, p.h * 0.88 - h), (cx + h * 0.16, p.h * 0.88)],
            mix(lamp, (255, 255, 255), 0.25),
        )
    c.below(shapes.hill(p, p.h * 0.87, u * 2.4), near)
    return Ground(p.h * 0.95, p.h * 0.3, p.h * 0.5, spread=0.8)
