"""Animals, mostly from the side. Those on the ground stand at (x, y), those in air and water are centred there."""

import math

from models.starter.training.illustrator.backdrop import named_accent
from models.starter.training.illustrator.palette import Color, darker, lighter, luminance, mix
from models.starter.training.illustrator.picture import Picture

_EYE: Color = (30, 28, 34)


def cat(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    c, v = p.canvas, 8.5 * k
    fur = named_accent(p, color, p.rng.choice(((70, 66, 76), (222, 146, 74), (160, 156, 162))))
    c.limb([(x + v * 0.6, y - v * 0.25), (x + v * 1.35, y - v * 0.3), (x + v * 1.5, y - v * 1.1)], fur, v * 0.3)
    c.ellipse(x, y - v * 0.85, v * 0.85, v * 0.9, fur)
    c.ellipse(x, y - v * 0.7, v * 0.42, v * 0.62, lighter(fur, 0.35))
    for side in (-1, 1):
        c.ellipse(x + side * v * 0.32, y - v * 0.14, v * 0.27, v * 0.17, lighter(fur, 0.2))
        c.poly(
            [
                (x + side * v * 0.68, y - v * 2.15),
                (x + side * v * 0.1, y - v * 2.35),
                (x + side * v * 0.55, y - v * 2.95),
            ],
            fur,
        )
    c.ellipse(x, y - v * 1.95, v * 0.74, v * 0.62, fur)
    for side in (-1, 1):
        c.ellipse(x + side * v * 0.3, y - v * 2.0, v * 0.15, v * 0.18, p.light.filter((250, 224, 96)))
        c.ellipse(x + side * v * 0.3, y - v * 2.0, v * 0.06, v * 0.15, _EYE)
    c.poly(
        [(x - v * 0.1, y - v * 1.78), (x + v * 0.1, y - v * 1.78), (x, y - v * 1.66)], p.light.filter((236, 130, 140))
    )


def rabbit(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    c, v = p.canvas, 7.5 * k
    fur = named_accent(p, color, p.rng.choice(((212, 190, 166), (238, 234, 228), (160, 142, 130))))
    for side in (-1, 1):
        c.ellipse(x + side * v * 0.34, y - v * 3.1, v * 0.2, v * 0.85, fur)
        c.ellipse(x + side * v * 0.34, y - v * 3.05, v * 0.1, v * 0.62, p.light.filter((240, 170, 176)))
    c.ellipse(x, y - v * 0.9, v * 0.85, v * 0.92, fur)
    c.ellipse(x, y - v * 0.75, v * 0.45, v * 0.6, lighter(fur, 0.45))
    c.circle(x, y - v * 2.0, v * 0.66, fur)
    for side in (-1, 1):
        c.ellipse(x + side * v * 0.4, y - v * 0.12, v * 0.34, v * 0.17, lighter(fur, 0.2))
        c.circle(x + side * v * 0.26, y - v * 2.1, v * 0.1, _EYE)
    c.ellipse(x, y - v * 1.86, v * 0.1, v * 0.07, p.light.filter((236, 120, 130)))


def owl(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    c, v = p.canvas, 8 * k
    feather = named_accent(p, color, (150, 108, 74))
    c.ellipse(x, y - v * 1.5, v * 1.0, v * 1.5, feather)
    for side in (-1, 1):
        c.ellipse(x + side * v * 0.85, y - v * 1.3, v * 0.32, v * 1.0, darker(feather, 0.25))
        c.poly(
            [(x + side * v * 0.85, y - v * 2.6), (x + side * v * 0.2, y - v * 2.75), (x + side * v * 0.8, y - v * 3.3)],
            feather,
        )
    c.ellipse(x, y - v * 1.1, v * 0.6, v * 0.95, lighter(feather, 0.45))
    for side in (-1, 1):
        c.circle(x + side * v * 0.4, y - v * 2.25, v * 0.4, p.light.object((246, 238, 216)))
        c.circle(x + side * v * 0.4, y - v * 2.25, v * 0.2, _EYE)
    c.poly([(x - v * 0.14, y - v * 2.0), (x + v * 0.14, y - v * 2.0), (x, y - v * 1.7)], p.light.object((240, 170, 60)))


def penguins(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    c = p.canvas
    for i, size in ((-1, 0.9), (1, 0.85), (0, 1.1), (2, 0.65)):
        v, px = 7 * k * size, x + i * 15 * k
        c.ellipse(px, y - v * 1.5, v * 0.95, v * 1.5, p.light.object((50, 54, 70)))
        c.ellipse(px, y - v * 1.25, v * 0.62, v * 1.15, p.light.object((246, 246, 244)))
        c.circle(px, y - v * 2.9, v * 0.64, p.light.object((50, 54, 70)))
        for side in (-1, 1):
            c.circle(px + side * v * 0.24, y - v * 3.0, v * 0.14, (250, 250, 250))
            c.ellipse(px + side * v * 0.4, y - v * 0.06, v * 0.34, v * 0.14, p.light.object((242, 166, 60)))
        c.poly(
            [(px - v * 0.18, y - v * 2.8), (px + v * 0.18, y - v * 2.8), (px, y - v * 2.45)],
            p.light.object((242, 166, 60)),
        )


def birds(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    if color:
        ink = named_accent(p, color, (0, 0, 0))
    else:
        ink = mix(p.light.sky[1], (16, 16, 28) if luminance(p.light.sky[1]) > 70 else (238, 240, 250), 0.78)
    for i in range(7):
        bx, by = x + (i - 3) * 9 * k + p.lot(-2, 2) * k, y - abs(i - 3) * 3.2 * k + p.lot(-3, 3) * k
        w = k * p.lot(3.4, 4.8)
        p.canvas.line(
            [
                (bx - w, by - w * 0.5),
                (bx - w * 0.4, by - w * 0.55),
                (bx, by),
                (bx + w * 0.4, by - w * 0.55),
                (bx + w, by - w * 0.5),
            ],
            ink,
            k * 1.1,
        )


def butterflies(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    for i in range(5):
        bx, by, v = x + (i - 2) * 17 * k + p.lot(-4, 4) * k, y + p.lot(-12, 12) * k, k * p.lot(3.4, 4.6)
        wing = named_accent(p, color, p.rng.choice(((242, 150, 60), (120, 140, 240), (240, 110, 160), (250, 214, 90))))
        for side in (-1, 1):
            p.canvas.ellipse(bx + side * v * 0.75, by - v * 0.5, v * 0.72, v * 0.62, wing)
            p.canvas.ellipse(bx + side * v * 0.6, by + v * 0.5, v * 0.52, v * 0.48, darker(wing, 0.18))
        p.canvas.ellipse(bx, by, v * 0.16, v * 0.85, _EYE)


def bees(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    gold, ink = p.light.object((250, 202, 54)), (34, 28, 26)
    for i in range(6):
        bx, by, v = x + (i - 2.5) * 15 * k + p.lot(-4, 4) * k, y + p.lot(-14, 14) * k, k * p.lot(3.2, 4.2)
        p.canvas.ellipse(bx - v * 0.2, by - v * 0.75, v * 0.55, v * 0.5, mix((250, 250, 255), p.light.sky[1], 0.2))
        p.canvas.ellipse(bx, by, v, v * 0.66, gold)
        for dx in (-0.35, 0.2):
            p.canvas.rect(bx + dx * v, by - v * 0.58, bx + (dx + 0.26) * v, by + v * 0.58, ink)


def fish(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    c, v, side = p.canvas, 13 * k, p.rng.choice((-1, 1))
    scales = named_accent(p, color, (244, 150, 60))

    def at(dx: float, dy: float) -> tuple[float, float]:
        return x + side * dx * v, y - dy * v

    c.poly([at(-0.75, 0), at(-1.6, 0.6), at(-1.4, 0), at(-1.6, -0.6)], darker(scales, 0.15))
    c.poly([at(-0.3, 0.45), at(0.35, 0.5), at(-0.1, 0.9)], darker(scales, 0.15))
    c.ellipse(x, y, v, v * 0.58, scales)
    c.ellipse(*at(0.05, -0.2), v * 0.75, v * 0.32, lighter(scales, 0.3))
    c.poly([at(0.1, -0.05), at(-0.4, -0.1), at(-0.3, -0.45)], darker(scales, 0.2))
    c.circle(*at(0.62, 0.14), v * 0.13, (250, 250, 250))
    c.circle(*at(0.64, 0.14), v * 0.07, _EYE)


def whale(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    c, v, side = p.canvas, 15 * k, p.rng.choice((-1, 1))
    skin = named_accent(p, color, (68, 108, 164))

    def at(dx: float, dy: float) -> tuple[float, float]:
        return x + side * dx * v, y - dy * v

    c.poly(
        [at(-0.9, 0.1), at(-1.9, 0.5), at(-2.2, 1.0), at(-1.75, 0.85), at(-1.4, 1.15), at(-1.55, 0.6), at(-0.8, -0.3)],
        skin,
    )
    c.ellipse(x, y, v * 1.35, v * 0.68, skin)
    c.half(x + side * v * 0.1, y + v * 0.08, v * 1.18, v * 0.56, lighter(skin, 0.55), lower=True)
    c.poly([at(0.3, -0.2), at(-0.3, -0.75), at(0.0, -0.15)], darker(skin, 0.25))
    c.circle(*at(0.9, 0.06), v * 0.09, _EYE)
    if p.scene.setting != "underwater":
        spray = mix(p.light.sky[2], (240, 248, 255), 0.7)
        for dx in (-0.25, 0.25):
            c.line([at(0.4, 0.65), at(0.4 + dx * 0.5, 1.2), at(0.4 + dx * 1.6, 1.35)], spray, v * 0.12)


def jellyfish(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    c = p.canvas
    for dx, dy, size in ((-20, 6, 0.7), (22, 2, 0.6), (0, 0, 1.1)):
        v, jx, jy = 10 * k * size, x + dx * k, y + dy * k
        bell = named_accent(p, color, (238, 140, 210))
        for i in range(5):
            tx = jx + (i - 2) * v * 0.36
            c.line(
                [(tx + math.sin(j * 1.3 + i) * v * 0.14, jy + v * 0.1 + j * v * 0.32) for j in range(5)],
                lighter(bell, 0.25),
                v * 0.13,
            )
        c.half(jx, jy + v * 0.2, v, v * 1.1, bell)
        c.half(jx - v * 0.2, jy, v * 0.45, v * 0.6, lighter(bell, 0.35))
        c.glow(jx, jy, v * 1.6, bell, 0.3)
