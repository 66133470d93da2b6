"""Plants and things: standing at (x, y), `k` the unit of length. They are large, for small they would not be seen."""

import math

from models.starter.training.illustrator import settings_space, shapes
from models.starter.training.illustrator.backdrop import named_accent
from models.starter.training.illustrator.palette import ACCENTS, Color, darker, lighter, mix
from models.starter.training.illustrator.picture import Picture


def tree(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    crown = named_accent(p, color, p.light.snowed((78, 148, 80), 0.7))
    shapes.round_tree(p, x, y, 50 * k, crown, p.light.object((100, 72, 52)))


def flowers(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    """Five large flowers on their stems."""
    c = p.canvas
    stem = p.light.object((66, 142, 74))
    for dx, height in ((-14, 16), (14, 15), (-7, 22), (8, 21), (0, 26)):
        top = (x + dx * k, y - height * k)
        petal = named_accent(p, color, ACCENTS[p.rng.choice(("red", "pink", "yellow", "purple", "orange"))])
        c.line([(x + dx * k * 0.5, y), top], stem, k * 1.3)
        c.ellipse(x + dx * k * 0.8 + 2.4 * k, y - height * k * 0.45, 3.2 * k, 1.4 * k, stem)
        for i in range(6):
            c.circle(top[0] + math.cos(i * 1.047) * 3.2 * k, top[1] + math.sin(i * 1.047) * 3.2 * k, 2.5 * k, petal)
        c.circle(*top, 2.1 * k, p.light.object((252, 214, 96)))


def mushroom(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    c, v = p.canvas, 12 * k
    cap, stalk = named_accent(p, color, (212, 62, 54)), p.light.object((242, 232, 212))
    for dx, size in ((v * 1.3, 0.55), (0.0, 1.0)):
        s = v * size
        c.poly(
            [
                (x + dx - s * 0.42, y),
                (x + dx + s * 0.42, y),
                (x + dx + s * 0.26, y - s * 1.2),
                (x + dx - s * 0.26, y - s * 1.2),
            ],
            stalk,
        )
        c.half(x + dx, y - s * 1.0, s * 1.15, s * 1.15, cap)
        for a, b, r in ((-0.55, 1.35, 0.17), (0.05, 1.72, 0.2), (0.6, 1.3, 0.15)):
            c.ellipse(x + dx + a * s, y - b * s, r * s, r * s * 0.85, stalk)


def plant(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    c, green = p.canvas, p.light.object((74, 154, 84))
    for angle, length in ((-2.6, 13), (-2.1, 17), (-1.57, 19), (-1.05, 17), (-0.55, 13)):
        ex, ey = x + math.cos(angle) * length * k, y - 10 * k + math.sin(angle) * length * k
        nx, ny = -math.sin(angle) * 2.6 * k, math.cos(angle) * 2.6 * k
        mx, my = (x + ex) / 2, (y - 10 * k + ey) / 2
        c.poly([(x, y - 10 * k), (mx + nx, my + ny), (ex, ey), (mx - nx, my - ny)], green)
    pot = p.light.object((190, 98, 66))
    c.poly([(x - 7 * k, y - 11 * k), (x + 7 * k, y - 11 * k), (x + 5 * k, y), (x - 5 * k, y)], pot)
    c.rect(x - 8 * k, y - 12.4 * k, x + 8 * k, y - 10 * k, darker(pot, 0.15))


def crystal(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    c = p.canvas
    stone = p.light.filter(ACCENTS[color]) if color else p.light.filter((110, 214, 250))
    for dx, height, half, lean in ((-8, 20, 4, -5), (8, 22, 4.4, 5), (0, 32, 5.6, 0)):
        tip = (x + (dx + lean) * k, y - height * k)
        left, right = (x + (dx - half) * k, y), (x + (dx + half) * k, y)
        mid_l = (x + (dx - half + lean * 0.7) * k, y - height * 0.7 * k)
        mid_r = (x + (dx + half + lean * 0.7) * k, y - height * 0.7 * k)
        c.poly([left, mid_l, tip, mid_r, right], stone)
        c.poly(
            [
                (x + (dx + half * 0.2) * k, y),
                (x + (dx + half * 0.2 + lean * 0.7) * k, y - height * 0.66 * k),
                tip,
                mid_r,
                right,
            ],
            darker(stone, 0.2),
        )
        c.poly(
            [
                left,
                mid_l,
                (x + (dx - half * 0.4 + lean * 0.7) * k, y - height * 0.66 * k),
                (x + (dx - half * 0.5) * k, y),
            ],
            lighter(stone, 0.4),
        )
    c.glow(x, y - 16 * k, 20 * k, stone, 0.45)


def book(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    """A large open book, tilted towards us."""
    c, v = p.canvas, 15 * k
    cover, page = named_accent(p, color, (166, 62, 56)), p.light.object((250, 244, 228))
    c.poly(
        [
            (x - v * 1.4, y - v * 0.85),
            (x, y - v * 0.6),
            (x + v * 1.4, y - v * 0.85),
            (x + v * 1.5, y),
            (x, y + v * 0.16),
            (x - v * 1.5, y),
        ],
        cover,
    )
    for side in (-1, 1):
        c.poly(
            [
                (x, y - v * 0.68),
                (x + side * v * 0.7, y - v * 1.0),
                (x + side * v * 1.3, y - v * 0.92),
                (x + side * v * 1.38, y - v * 0.1),
                (x + side * v * 0.7, y - v * 0.16),
                (x, y + v * 0.04),
            ],
            page if side < 0 else darker(page, 0.06),
        )
        for i in range(3):
            t = y - v * (0.72 - 0.2 * i)
            c.line(
                [(x + side * v * 0.28, t + v * 0.06), (x + side * v * 1.12, t - v * 0.06)], darker(page, 0.35), k * 0.7
            )


def cup(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    c, v = p.canvas, 11 * k
    china = named_accent(p, color, (240, 236, 230))
    c.ring(x + v * 1.0, y - v * 0.85, v * 0.42, v * 0.42, china, v * 0.2)
    c.ellipse(x, y - v * 0.02, v * 1.5, v * 0.22, darker(china, 0.2))
    c.poly([(x - v, y - v * 1.4), (x + v, y - v * 1.4), (x + v * 0.7, y - v * 0.1), (x - v * 0.7, y - v * 0.1)], china)
    c.poly(
        [(x + v * 0.4, y - v * 1.4), (x + v, y - v * 1.4), (x + v * 0.7, y - v * 0.1), (x + v * 0.3, y - v * 0.1)],
        darker(china, 0.12),
    )
    c.ellipse(x, y - v * 1.4, v, v * 0.26, darker(china, 0.12))
    c.ellipse(x, y - v * 1.38, v * 0.84, v * 0.18, p.light.object((104, 66, 42)))
    steam = mix(china, (255, 255, 255), 0.4)
    for dx in (-0.4, 0.05, 0.5):
        c.line(
            [(x + dx * v + math.sin(i * 1.2) * v * 0.12, y - v * (1.75 + 0.26 * i)) for i in range(5)], steam, k * 1.3
        )


def cake(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    c, v = p.canvas, 11 * k
    icing, base = named_accent(p, color, (244, 160, 184)), p.light.object((228, 184, 128))
    c.ellipse(x, y - v * 0.05, v * 1.7, v * 0.26, p.light.object((226, 228, 234)))
    c.rounded(x - v * 1.35, y - v * 1.15, x + v * 1.35, y - v * 0.1, v * 0.14, base)
    c.rounded(x - v * 1.35, y - v * 1.2, x + v * 1.35, y - v * 0.75, v * 0.14, icing)
    for i in range(5):
        c.half(x + (i - 2) * v * 0.54, y - v * 0.76, v * 0.28, v * 0.3, icing, lower=True)
    for i in (-1, 0, 1):
        c.rect(
            x + i * v * 0.6 - v * 0.08,
            y - v * 1.75,
            x + i * v * 0.6 + v * 0.08,
            y - v * 1.2,
            p.light.object((246, 246, 240)),
        )
        c.ellipse(x + i * v * 0.6, y - v * 1.92, v * 0.11, v * 0.19, p.light.filter((255, 206, 84)))
    c.glow(x, y - v * 1.9, v * 1.2, p.light.filter((255, 206, 84)), 0.3)


def clock(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    """A round clock on a stand."""
    c, v = p.canvas, 14 * k
    rim, face = named_accent(p, color, (176, 120, 64)), p.light.object((250, 246, 234))
    cy = y - v * 1.35
    for side in (-1, 1):
        c.poly(
            [(x + side * v * 0.45, cy + v * 0.7), (x + side * v * 0.75, cy + v * 0.6), (x + side * v * 0.85, y)],
            darker(rim, 0.25),
        )
    c.circle(x, cy, v, rim)
    c.circle(x, cy, v * 0.82, face)
    ink = (46, 40, 48)
    for i in range(12):
        a = i * math.pi / 6
        c.circle(x + math.cos(a) * v * 0.68, cy + math.sin(a) * v * 0.68, v * 0.05, ink)
    hour, minute = p.lot(0, 6.28), p.lot(0, 6.28)
    c.line([(x, cy), (x + math.cos(hour) * v * 0.4, cy + math.sin(hour) * v * 0.4)], ink, v * 0.11)
    c.line([(x, cy), (x + math.cos(minute) * v * 0.6, cy + math.sin(minute) * v * 0.6)], ink, v * 0.08)
    c.circle(x, cy, v * 0.09, ink)


def lamp(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    """A lantern on a post."""
    c, h = p.canvas, 36 * k
    iron = p.light.object((56, 56, 68))
    light = p.light.filter(lighter(ACCENTS[color], 0.2)) if color else p.light.lamp()
    c.rect(x - k, y - h * 0.8, x + k, y, iron)
    c.poly([(x - k * 3.4, y), (x + k * 3.4, y), (x + k, y - k * 3), (x - k, y - k * 3)], iron)
    c.poly([(x - k * 5, y - h), (x + k * 5, y - h), (x + k * 3.2, y - h * 0.76), (x - k * 3.2, y - h * 0.76)], light)
    c.poly([(x - k * 6, y - h), (x + k * 6, y - h), (x, y - h * 1.13)], iron)
    c.line([(x, y - h), (x, y - h * 0.76)], iron, k * 0.6)
    c.glow(x, y - h * 0.88, k * 17, light, 0.6)


def fire(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    c, v = p.canvas, 9 * k
    wood = p.light.object((112, 76, 52))
    for side in (-1, 1):
        c.limb([(x - side * v * 1.2, y - v * 0.1), (x + side * v * 0.8, y - v * 0.5)], wood, v * 0.3)
    for size, shade in ((1.0, (238, 92, 40)), (0.68, (250, 160, 54)), (0.38, (255, 228, 130))):
        s, flame = v * size, p.light.filter(shade)
        c.half(x, y - s * 0.85, s * 0.9, s * 0.75, flame, lower=True)
        c.poly(
            [
                (x - s * 0.9, y - s * 0.84),
                (x - s * 0.5, y - s * 1.9),
                (x - s * 0.2, y - s * 1.45),
                (x + s * 0.1, y - s * 2.7),
                (x + s * 0.45, y - s * 1.6),
                (x + s * 0.7, y - s * 1.9),
                (x + s * 0.9, y - s * 0.84),
            ],
            flame,
        )
    c.glow(x, y - v * 1.2, v * 2.6, p.light.filter((255, 150, 60)), 0.6)


def computer(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    c, v = p.canvas, 13 * k
    case = named_accent(p, color, (206, 208, 214))
    screen = p.light.lamp() if p.scene.mood == "neon" else p.light.filter((96, 206, 226))
    c.rect(x - v * 0.2, y - v * 0.6, x + v * 0.2, y - v * 0.2, darker(case, 0.3))
    c.rounded(x - v * 1.1, y - v * 2.2, x + v * 1.1, y - v * 0.5, v * 0.14, case)
    c.rect(x - v * 0.94, y - v * 2.05, x + v * 0.94, y - v * 0.7, (28, 36, 52))
    for i, width in enumerate((1.2, 0.8, 1.4, 0.6)):
        top = y - v * (1.9 - 0.3 * i)
        c.rect(x - v * 0.8, top, x - v * 0.8 + v * width, top + v * 0.14, screen)
    c.poly(
        [(x - v * 1.1, y - v * 0.24), (x + v * 1.1, y - v * 0.24), (x + v * 1.3, y), (x - v * 1.3, y)],
        darker(case, 0.15),
    )
    c.glow(x, y - v * 1.4, v * 1.4, screen, 0.25)


def guitar(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    """An upright guitar."""
    c, v = p.canvas, 9.5 * k
    body, neck = named_accent(p, color, (204, 128, 62)), p.light.object((92, 58, 40))
    c.circle(x, y - v * 0.95, v * 0.95, body)
    c.circle(x, y - v * 2.1, v * 0.7, body)
    c.rect(x - v * 0.62, y - v * 2.0, x + v * 0.62, y - v * 1.2, body)
    c.circle(x, y - v * 1.6, v * 0.33, darker(neck, 0.4))
    c.rect(x - v * 0.15, y - v * 4.4, x + v * 0.15, y - v * 1.7, neck)
    c.rounded(x - v * 0.28, y - v * 4.95, x + v * 0.28, y - v * 4.3, v * 0.1, darker(neck, 0.25))
    c.rect(x - v * 0.4, y - v * 0.75, x + v * 0.4, y - v * 0.6, neck)
    c.line([(x, y - v * 0.7), (x, y - v * 4.4)], lighter(body, 0.7), k * 0.5)


def piano(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    c, v = p.canvas, 14 * k
    case = named_accent(p, color, (52, 46, 54))
    for dx in (-1.2, 1.2):
        c.rect(x + dx * v - v * 0.09, y - v * 0.8, x + dx * v + v * 0.09, y, darker(case, 0.2))
    c.poly(
        [
            (x - v * 1.4, y - v * 1.5),
            (x + v * 0.4, y - v * 2.6),
            (x + v * 1.5, y - v * 2.3),
            (x + v * 1.4, y - v * 1.5),
        ],
        lighter(case, 0.14),
    )
    c.rounded(x - v * 1.5, y - v * 1.5, x + v * 1.5, y - v * 0.7, v * 0.12, case)
    c.rect(x - v * 1.35, y - v * 1.15, x + v * 1.35, y - v * 0.85, p.light.object((250, 248, 240)))
    for i in range(9):
        left = x - v * 1.2 + i * v * 0.29
        c.rect(left, y - v * 1.15, left + v * 0.12, y - v * 0.98, (30, 28, 34))


def chest(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    """An open chest full of gold."""
    c, v = p.canvas, 13 * k
    wood, gold = named_accent(p, color, (150, 96, 56)), p.light.filter((255, 210, 84))
    c.poly(
        [
            (x - v * 1.15, y - v * 1.0),
            (x - v * 1.0, y - v * 1.9),
            (x + v * 1.0, y - v * 1.9),
            (x + v * 1.15, y - v * 1.0),
        ],
        darker(wood, 0.3),
    )
    for i in range(7):
        c.circle(x + (i - 3) * v * 0.3, y - v * (1.02 + 0.12 * (i % 2)), v * 0.24, gold)
    c.rect(x - v * 1.15, y - v * 1.0, x + v * 1.15, y, wood)
    for dx in (-0.85, 0.85):
        c.rect(x + dx * v - v * 0.12, y - v * 1.0, x + dx * v + v * 0.12, y, darker(gold, 0.25))
    c.rounded(x - v * 0.2, y - v * 0.9, x + v * 0.2, y - v * 0.45, v * 0.06, gold)
    c.glow(x, y - v * 1.2, v * 1.2, gold, 0.4)


def umbrella(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    c, v = p.canvas, 16 * k
    cloth = named_accent(p, color, (206, 62, 70))
    c.line([(x, y), (x, y - v * 1.9)], p.light.object((74, 58, 52)), k * 1.3)
    c.half(x, y - v * 1.05, v * 1.1, v * 1.0, cloth)
    c.half(x, y - v * 1.05, v * 0.42, v * 1.0, darker(cloth, 0.16))
    for dx in (-0.73, 0.0, 0.73):
        c.half(x + dx * v, y - v * 1.04, v * 0.37, v * 0.16, darker(cloth, 0.35))


def planet(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    base: Color = (
        ACCENTS[color] if color else p.rng.choice(((216, 124, 84), (92, 154, 214), (196, 166, 114), (146, 114, 196)))
    )
    settings_space.world(p, x, y, 15 * k, base, ringed=True)
