"""Rooms. The hour and the weather come in through their windows."""

import math

from models.starter.training.illustrator.palette import Color, darker, lighter, mix
from models.starter.training.illustrator.picture import Ground, Picture

_DIM = {"day": 1.0, "dawn": 0.86, "sunset": 0.8, "night": 0.56}
_TINT: dict[str, Color] = {
    "day": (255, 255, 255),
    "dawn": (255, 214, 200),
    "sunset": (255, 170, 110),
    "night": (120, 130, 200),
}


def shade(p: Picture, base: Color, keep: float = 0.0) -> Color:
    """A colour of the room at this hour; `keep` (0 to 1) of it stays as bright as by day."""
    k = _DIM[p.scene.time]
    k += (1 - k) * keep
    tint, weight = _TINT[p.scene.time], 0.0 if p.scene.time == "day" else 0.16
    c = mix((base[0] * k, base[1] * k, base[2] * k), (tint[0] * k, tint[1] * k, tint[2] * k), weight)
    if p.scene.mood == "neon":
        c = mix(c, (50, 16, 92), 0.5)
    return p.light.filter(c)


def walls(p: Picture, wall: Color, floor: Color, floor_y: float) -> tuple[Color, Color, float]:
    """Paint wall and floor; returns both colours and the height of the floor's edge."""
    wall_color, floor_color, y = shade(p, wall), shade(p, floor), p.h * floor_y
    p.canvas.gradient(0, 0, p.w, y, (darker(wall_color, 0.16), wall_color))
    p.canvas.rect(0, y, p.w, p.h, floor_color)
    p.canvas.rect(0, y - p.u * 1.4, p.w, y, darker(floor_color, 0.3))
    return wall_color, floor_color, y


def window(p: Picture, x: float, y: float, w: float, h: float) -> None:
    """A window with the sky of the hour and the weather in it; large, for they are to be seen."""
    c, u, rng = p.canvas, p.u, p.rng
    frame = shade(p, (240, 234, 224), 0.3)
    c.rect(x - u * 1.8, y - u * 1.8, x + w + u * 1.8, y + h + u * 1.8, frame)
    c.gradient(x, y, x + w, y + h, p.light.sky)
    weather, time = p.scene.weather, p.scene.time
    if p.scene.has("moon"):
        c.circle(x + w * 0.7, y + h * 0.3, u * 4.4, p.light.filter((242, 240, 218)))
        c.glow(x + w * 0.7, y + h * 0.3, u * 12, (200, 200, 180), 0.25)
    elif time == "night" and weather == "clear":
        for _ in range(12):
            c.circle(x + rng.random() * w, y + rng.random() * h, u * 0.4, (255, 255, 242))
    elif time in ("dawn", "sunset") and weather == "clear":
        c.circle(
            x + w * 0.3, y + h * 0.72, u * 4.2, p.light.filter((255, 214, 130) if time == "dawn" else (255, 150, 76))
        )
    if weather in ("cloudy", "rain", "storm", "fog"):
        tone = mix(
            p.light.sky[1], p.light.filter((70, 76, 92) if weather in ("rain", "storm") else (236, 238, 240)), 0.5
        )
        for k in range(3):
            cx, cy = x + w * (0.22 + 0.28 * k), y + h * (0.18 + 0.06 * (k % 2))
            c.ellipse(cx, cy, w * 0.14, h * 0.08, tone)
    hills = mix(p.light.sky[2], p.tone((70, 110, 84)), 0.6)
    c.rect(x, y + h * 0.84, x + w, y + h, p.light.snowed(hills, 0.85) if weather == "snow" else hills)
    if weather == "storm":
        c.line(
            [
                (x + w * 0.62, y),
                (x + w * 0.52, y + h * 0.3),
                (x + w * 0.64, y + h * 0.42),
                (x + w * 0.54, y + h * 0.78),
            ],
            (255, 250, 214),
            u * 0.9,
        )
    if weather in ("rain", "storm"):
        drop = mix(p.light.sky[1], (232, 242, 255), 0.62)
        for _ in range(18):
            a, b = x + u + rng.random() * (w - u * 2), y + rng.random() * (h - u * 4)
            c.line([(a + u * 0.6, b), (a, b + u * 3.4)], drop, u * 0.5)
    if weather == "snow":
        for _ in range(22):
            c.circle(x + u + rng.random() * (w - u * 2), y + u + rng.random() * (h - u * 2), u * 0.65, (250, 252, 255))
    if weather == "fog":
        c.translucent(
            [(x, y + h * 0.4), (x + w, y + h * 0.4), (x + w, y + h), (x, y + h)],
            mix(p.light.sky[2], (236, 238, 240), 0.5),
            0.7,
        )
    c.rect(x + w / 2 - u * 0.6, y, x + w / 2 + u * 0.6, y + h, frame)
    c.rect(x, y + h / 2 - u * 0.6, x + w, y + h / 2 + u * 0.6, frame)


def pendant(p: Picture, x: float, y: float) -> None:
    """A hanging lamp."""
    c, u = p.canvas, p.u
    lamp = p.light.lamp()
    c.line([(x, 0), (x, y - u * 3)], shade(p, (50, 46, 54)), u * 0.6)
    c.poly(
        [(x - u * 6.5, y + u), (x + u * 6.5, y + u), (x + u * 2.4, y - u * 4), (x - u * 2.4, y - u * 4)],
        shade(p, (88, 80, 92)),
    )
    c.half(x, y + u, u * 3, u * 2.4, lamp, lower=True)
    c.glow(x, y + u * 5, u * 22, lamp, {"night": 0.42, "sunset": 0.24, "dawn": 0.2, "day": 0.1}[p.scene.time])


def _columns(p: Picture) -> tuple[float, float]:
    """Window's left edge and the other side's middle, as fractions of the width; they change sides by lot."""
    return (0.08, 0.74) if p.chance(0.5) else (0.6, 0.26)


def room(p: Picture) -> Ground:
    c, u = p.canvas, p.u
    wall: Color = p.rng.choice(((206, 174, 148), (158, 180, 188), (214, 198, 158), (182, 152, 180)))
    _, floor, y = walls(p, wall, (150, 108, 80), 0.76)
    left, other = _columns(p)
    window(p, p.w * left, p.h * 0.12, p.w * 0.32, p.h * 0.4)
    sofa, x = shade(p, p.rng.choice(((186, 80, 70), (74, 116, 138), (98, 130, 86), (210, 158, 78))), 0.2), p.w * other
    c.rounded(x - u * 24, y - u * 20, x + u * 24, y + u * 4, u * 5, sofa)
    c.rounded(x - u * 27, y - u * 11, x + u * 27, y + u * 6, u * 4, darker(sofa, 0.16))
    c.rounded(x - u * 20, y - u * 13, x + u * 20, y - u * 3, u * 2, lighter(sofa, 0.1))
    c.rect(x - u * 11, p.h * 0.18, x + u * 11, p.h * 0.36, shade(p, (74, 60, 58)))
    c.rect(x - u * 9.4, p.h * 0.18 + u * 1.6, x + u * 9.4, p.h * 0.36 - u * 1.6, p.light.accent())
    c.ellipse(p.w * 0.5, p.h * 0.92, u * 40, u * 6, mix(floor, shade(p, (206, 130, 98)), 0.7))
    pendant(p, p.w * 0.5, p.h * 0.13)
    return Ground(p.h * 0.94, p.h * 0.2, p.h * 0.4, scale=1.1)


def kitchen(p: Picture) -> Ground:
    c, u = p.canvas, p.u
    wall: Color = p.rng.choice(((238, 212, 168), (196, 220, 212), (242, 202, 178)))
    walls(p, wall, (156, 118, 90), 0.86)
    left, other = _columns(p)
    window(p, p.w * left, p.h * 0.1, p.w * 0.32, p.h * 0.38)
    wood, x = shade(p, (134, 94, 68)), p.w * other
    for row in (0.24, 0.44):
        c.rect(x - u * 30, p.h * row, x + u * 30, p.h * row + u * 1.6, wood)
        for k in range(6):
            cup_x, height = x - u * 26 + k * u * 10, u * p.lot(4, 7)
            c.rounded(cup_x - u * 2.6, p.h * row - height, cup_x + u * 2.6, p.h * row, u, p.light.accent())
    c.rect(0, p.h * 0.62, p.w, p.h * 0.66, shade(p, (226, 212, 194)))
    c.rect(0, p.h * 0.66, p.w, p.h * 0.88, wood)
    for k in range(5):
        c.rounded(p.w * k / 5 + u * 2, p.h * 0.69, p.w * (k + 1) / 5 - u * 2, p.h * 0.85, u, lighter(wood, 0.1))
        c.circle(p.w * (k + 0.5) / 5, p.h * 0.715, u * 0.8, darker(wood, 0.4))
    kettle = shade(p, (200, 70, 62), 0.3)
    c.half(p.w * left + p.w * 0.1, p.h * 0.62, u * 6, u * 9, kettle)
    c.circle(p.w * left + p.w * 0.1, p.h * 0.62 - u * 9.4, u * 1.2, darker(kettle, 0.3))
    pendant(p, p.w * 0.48, p.h * 0.12)
    return Ground(p.h * 0.97, p.h * 0.2, p.h * 0.4, scale=1.1)


def library(p: Picture) -> Ground:
    c, u = p.canvas, p.u
    walls(p, (136, 96, 70), (100, 68, 50), 0.84)
    wood, row_height = shade(p, (82, 52, 38)), p.h * 0.155
    for x0, x1 in ((0.0, p.w * 0.33), (p.w * 0.67, p.w)):
        c.rect(x0, 0, x1, p.h * 0.86, wood)
        for row in range(5):
            bottom = p.h * 0.03 + (row + 1) * row_height
            c.rect(x0 + u, bottom - row_height + u * 1.6, x1 - u, bottom, darker(wood, 0.35))
            x = x0 + u * 1.6
            while x < x1 - u * 5:
                width, height = u * p.lot(2.6, 4.2), row_height * p.lot(0.62, 0.84)
                book = shade(
                    p,
                    p.rng.choice(
                        (
                            (196, 62, 58),
                            (226, 140, 56),
                            (238, 204, 96),
                            (72, 148, 92),
                            (60, 112, 186),
                            (120, 78, 156),
                            (226, 218, 200),
                        )
                    ),
                    0.2,
                )
                c.rect(x, bottom - height, x + width - u * 0.4, bottom, book)
                x += width
    window(p, p.w * 0.385, p.h * 0.1, p.w * 0.23, p.h * 0.46)
    pendant(p, p.w * 0.5, p.h * 0.09)
    table = shade(p, (150, 100, 66))
    c.rect(p.w * 0.5 - u * 34, p.h * 0.76, p.w * 0.5 + u * 34, p.h * 0.79, table)
    for side in (-1, 1):
        c.rect(
            p.w * 0.5 + side * u * 30 - u * 1.4,
            p.h * 0.79,
            p.w * 0.5 + side * u * 30 + u * 1.4,
            p.h * 0.93,
            darker(table, 0.25),
        )
    return Ground(p.h * 0.96, p.h * 0.2, p.h * 0.4, scale=1.1, spread=0.8)


def lab(p: Picture) -> Ground:
    c, u = p.canvas, p.u
    walls(p, (182, 202, 214), (130, 140, 152), 0.8)
    screen = (
        p.light.lamp()
        if p.scene.mood == "neon"
        else p.light.filter(p.rng.choice(((70, 214, 232), (92, 232, 152), (124, 164, 255))))
    )
    left = 0.06 if p.chance(0.5) else 0.68
    window(p, p.w * left, p.h * 0.1, p.w * 0.26, p.h * 0.34)
    for i in range(2):
        x = p.w * ((0.4 if left < 0.5 else 0.05) + 0.3 * i)
        c.rounded(x, p.h * 0.12, x + p.w * 0.25, p.h * 0.4, u * 1.5, (26, 32, 46))
        points = [(x + p.w * 0.025 + k * p.w * 0.025, p.h * 0.26 + p.lot(-5, 5) * u) for k in range(9)]
        c.line(points, screen, u)
        c.glow(x + p.w * 0.125, p.h * 0.26, u * 14, screen, 0.22)
    bench = shade(p, (236, 240, 244), 0.2)
    c.rect(p.w * 0.02, p.h * 0.64, p.w * 0.98, p.h * 0.675, bench)
    for x in (0.06, 0.9):
        c.rect(p.w * x, p.h * 0.675, p.w * (x + 0.04), p.h * 0.88, darker(bench, 0.4))
    for i in range(5):
        x, y = p.w * (0.1 + 0.2 * i), p.h * 0.64
        liquid, glass = p.light.accent(p.rng.choice(("green", "purple", "blue", "pink", "orange"))), lighter(bench, 0.4)
        if p.chance(0.55):
            c.poly(
                [
                    (x - u * 5.6, y),
                    (x + u * 5.6, y),
                    (x + u * 1.7, y - u * 9),
                    (x + u * 1.7, y - u * 14),
                    (x - u * 1.7, y - u * 14),
                    (x - u * 1.7, y - u * 9),
                ],
                glass,
            )
            c.poly(
                [
                    (x - u * 5, y - u * 0.6),
                    (x + u * 5, y - u * 0.6),
                    (x + u * 2.8, y - u * 6),
                    (x - u * 2.8, y - u * 6),
                ],
                liquid,
            )
        else:
            c.rounded(x - u * 2.2, y - u * 14, x + u * 2.2, y, u, glass)
            c.rounded(x - u * 1.7, y - u * 8, x + u * 1.7, y - u * 0.5, u, liquid)
        c.glow(x, y - u * 4, u * 6, liquid, 0.22)
    return Ground(p.h * 0.96, p.h * 0.2, p.h * 0.4, scale=1.1)


def _gear(p: Picture, x: float, y: float, radius: float, c: Color) -> None:
    for k in range(8):
        angle = k * math.pi / 4
        dx, dy = math.cos(angle), math.sin(angle)
        p.canvas.line([(x, y), (x + dx * radius * 1.2, y + dy * radius * 1.2)], c, radius * 0.36)
    p.canvas.circle(x, y, radius, c)
    p.canvas.circle(x, y, radius * 0.42, darker(c, 0.45))


def workshop(p: Picture) -> Ground:
    c, u = p.canvas, p.u
    wall, _, _ = walls(p, (168, 130, 104), (112, 92, 82), 0.82)
    left, other = _columns(p)
    window(p, p.w * left, p.h * 0.1, p.w * 0.3, p.h * 0.36)
    x = p.w * other
    for dx, dy, radius in ((-12, 0.22, 9.0), (4, 0.34, 7.0), (16, 0.2, 6.0)):
        metal = shade(p, p.rng.choice(((196, 150, 84), (150, 158, 170), (176, 112, 80))), 0.15)
        _gear(p, x + dx * u, p.h * dy, u * radius, metal)
    board = p.h * 0.5
    for k in range(5):
        tx = x - u * 22 + k * u * 11
        c.rect(tx - u * 0.7, board, tx + u * 0.7, board + u * 8, darker(wall, 0.4))
        c.rect(tx - u * 2.4, board - u * 1, tx + u * 2.4, board + u * 2, shade(p, (150, 156, 166)))
    bench = shade(p, (158, 110, 70))
    c.rect(0, p.h * 0.66, p.w, p.h * 0.7, bench)
    for edge in (0.05, 0.92):
        c.rect(p.w * edge, p.h * 0.7, p.w * (edge + 0.03), p.h * 0.9, darker(bench, 0.25))
    for k in range(3):
        bx = p.w * left + p.w * (0.02 + 0.1 * k)
        c.rect(bx, p.h * 0.66 - u * 5, bx + u * 7, p.h * 0.66, p.light.accent())
    pendant(p, p.w * 0.5, p.h * 0.12)
    return Ground(p.h * 0.96, p.h * 0.2, p.h * 0.4, scale=1.1)


def stage(p: Picture) -> Ground:
    c, u = p.canvas, p.u
    back = p.light.filter((46, 34, 66) if p.scene.mood != "neon" else (34, 12, 70))
    curtain = p.light.filter(p.rng.choice(((178, 40, 48), (176, 36, 52), (120, 44, 120))))
    c.gradient(0, 0, p.w, p.h * 0.8, (darker(back, 0.3), back))
    boards = p.light.filter((172, 116, 74))
    c.gradient(0, p.h * 0.76, p.w, p.h, (darker(boards, 0.25), boards))
    beam = p.light.lamp()
    for fraction in (0.34, 0.66):
        top = p.w * fraction
        c.translucent(
            [(top - u * 2, 0), (top + u * 2, 0), (p.w * 0.5 + u * 24, p.h * 0.9), (p.w * 0.5 - u * 24, p.h * 0.9)],
            beam,
            0.2,
        )
    c.ellipse(p.w * 0.5, p.h * 0.91, u * 32, u * 6, mix(boards, beam, 0.5))
    for side in (0, 1):
        for k in range(5):
            width = p.w * 0.045
            x0 = k * width if side == 0 else p.w - (k + 1) * width
            c.rect(x0, 0, x0 + width, p.h * 0.86, darker(curtain, 0.22 if k % 2 else 0.0))
    for k in range(8):
        c.half(p.w * (k + 0.5) / 8, p.h * 0.05, p.w / 15, u * 9, darker(curtain, 0.1 if k % 2 else 0.0), lower=True)
    c.rect(0, 0, p.w, p.h * 0.06, darker(curtain, 0.15))
    return Ground(p.h * 0.94, p.h * 0.25, p.h * 0.45, scale=1.15, spread=0.7)


def classroom(p: Picture) -> Ground:
    c, u = p.canvas, p.u
    walls(p, (226, 206, 164), (164, 124, 92), 0.8)
    left = p.chance(0.5)
    window(p, p.w * (0.05 if left else 0.71), p.h * 0.12, p.w * 0.24, p.h * 0.36)
    x0 = p.w * (0.37 if left else 0.06)
    x1 = x0 + p.w * 0.57
    c.rect(x0 - u * 1.6, p.h * 0.12 - u * 1.6, x1 + u * 1.6, p.h * 0.5 + u * 1.6, shade(p, (150, 104, 68)))
    board = shade(p, (52, 98, 78))
    c.rect(x0, p.h * 0.12, x1, p.h * 0.5, board)
    chalk, width = mix(board, (244, 246, 240), 0.75), x1 - x0
    kind = p.rng.randrange(3)
    if kind == 0:
        for k in range(3):
            c.line(
                [(x0 + width * 0.1, p.h * (0.2 + 0.09 * k)), (x0 + width * p.lot(0.45, 0.8), p.h * (0.2 + 0.09 * k))],
                chalk,
                u * 0.8,
            )
    elif kind == 1:
        c.line(
            [
                (x0 + width * 0.15, p.h * 0.44),
                (x0 + width * 0.4, p.h * 0.2),
                (x0 + width * 0.4, p.h * 0.44),
                (x0 + width * 0.15, p.h * 0.44),
            ],
            chalk,
            u * 0.8,
        )
        c.ring(x0 + width * 0.7, p.h * 0.32, u * 8, u * 8, chalk, u * 0.8)
    else:
        c.ring(x0 + width * 0.3, p.h * 0.31, u * 7, u * 7, chalk, u * 0.8)
        c.ring(x0 + width * 0.3, p.h * 0.31, u * 13, u * 5, chalk, u * 0.8)
        c.line(
            [(x0 + width * 0.6, p.h * 0.4), (x0 + width * 0.75, p.h * 0.24), (x0 + width * 0.9, p.h * 0.3)],
            chalk,
            u * 0.8,
        )
    for k in range(3):
        x, wood = p.w * (0.18 + 0.32 * k), shade(p, (194, 142, 90))
        c.rect(x - u * 13, p.h * 0.74, x + u * 13, p.h * 0.775, wood)
        for side in (-1, 1):
            c.rect(x + side * u * 11 - u, p.h * 0.775, x + side * u * 11 + u, p.h * 0.9, darker(wood, 0.3))
        c.rect(x - u * 4, p.h * 0.74 - u * 2.4, x + u * 4, p.h * 0.74, p.light.accent())
    return Ground(p.h * 0.96, p.h * 0.2, p.h * 0.4, scale=1.1)
