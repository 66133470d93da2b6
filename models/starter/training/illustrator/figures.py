"""People and robots, from the front. Feet at (x, y); `k` is the unit of length, a grown person is 44 of them tall."""

import math
from dataclasses import dataclass

from models.starter.training.illustrator.backdrop import named_accent
from models.starter.training.illustrator.palette import Color, darker, lighter, mix
from models.starter.training.illustrator.pen import DARK, GOLD, STEEL, Pen
from models.starter.training.illustrator.picture import Picture

_SKINS: tuple[Color, ...] = ((246, 206, 170), (226, 172, 130), (172, 116, 80), (116, 76, 54))
_HAIRS: tuple[Color, ...] = ((52, 36, 32), (96, 60, 38), (198, 142, 74), (158, 72, 40), (30, 28, 36))
_COATS: tuple[Color, ...] = ((200, 66, 60), (56, 104, 160), (226, 170, 64), (74, 136, 96), (122, 84, 150))


@dataclass(frozen=True)
class Body:
    """What distinguishes one figure from another."""

    height: float = 40
    head: float = 7.4
    hem: float = 0.34
    """Where the coat ends, as a fraction of the height above the ground; small is a long dress."""
    flare: float = 1.15


_BODIES: dict[str, Body] = {
    "woman": Body(39, 7.2, 0.2, 1.5),
    "man": Body(42, 7.2, 0.38, 1.05),
    "girl": Body(29, 7.4, 0.24, 1.55),
    "boy": Body(29, 7.4, 0.36, 1.1),
    "elder": Body(38, 7.3, 0.16, 1.2),
    "explorer": Body(41, 7.1, 0.38, 1.1),
    "scientist": Body(41, 7.2, 0.22, 1.15),
    "wizard": Body(40, 7.1, 0.05, 1.7),
    "king": Body(40, 7.1, 0.06, 1.55),
}


def person(p: Picture, x: float, y: float, k: float, color: str | None, kind: str) -> None:
    """One of the kinds in `_BODIES`, wearing `color` or something of their own."""
    body, c, rng = _BODIES[kind], p.canvas, p.rng
    own: Color = {
        "scientist": (240, 242, 244),
        "wizard": (98, 66, 168),
        "king": (186, 44, 56),
        "explorer": (170, 132, 84),
    }.get(kind, rng.choice(_COATS))
    coat = named_accent(p, color, own)
    skin, hair = p.light.object(rng.choice(_SKINS)), p.light.object(rng.choice(_HAIRS))
    if kind in ("elder", "wizard"):
        hair = p.light.object((232, 230, 226))
    trousers = p.light.object((60, 62, 84) if kind != "boy" else (96, 84, 70))
    h = body.height * k
    hem, shoulder, chin = y - h * body.hem, y - h * 0.76, y - h * 0.79
    half, foot = h * 0.135, h * 0.068
    for side in (-1, 1):
        c.rect(x + side * foot - foot * 0.75, hem - h * 0.04, x + side * foot + foot * 0.75, y - h * 0.03, trousers)
        c.rounded(
            x + side * foot * 1.15 - foot,
            y - h * 0.045,
            x + side * foot * 1.15 + foot,
            y,
            h * 0.02,
            darker(trousers, 0.45),
        )
    if kind == "explorer":
        c.rounded(x - half * 1.5, shoulder, x + half * 1.5, y - h * 0.46, h * 0.03, p.light.object((126, 84, 54)))
    head_y, r = chin - body.head * k * 0.75, body.head * k
    if kind in ("woman", "girl"):
        c.rounded(
            x - r * 1.15, head_y - r * 0.6, x + r * 1.15, head_y + r * (2.3 if kind == "woman" else 1.7), r * 0.7, hair
        )
    arm = h * 0.088
    for side in (-1, 1):
        hand = (x + side * half * 1.75, y - h * 0.44)
        c.limb([(x + side * half * 0.86, shoulder + h * 0.05), hand], darker(coat, 0.14), arm)
        c.circle(hand[0], hand[1], arm * 0.55, skin)
    wide = half * body.flare
    c.poly(
        [
            (x - half * 0.8, shoulder),
            (x + half * 0.8, shoulder),
            (x + half, shoulder + h * 0.05),
            (x + wide, hem),
            (x - wide, hem),
            (x - half, shoulder + h * 0.05),
        ],
        coat,
    )
    c.poly(
        [
            (x + half * 0.3, shoulder),
            (x + half * 0.8, shoulder),
            (x + half, shoulder + h * 0.05),
            (x + wide, hem),
            (x + wide * 0.45, hem),
        ],
        darker(coat, 0.13),
    )
    c.rect(x - r * 0.3, chin - r * 0.3, x + r * 0.3, shoulder + h * 0.012, darker(skin, 0.12))
    c.ellipse(x, head_y, r * 0.86, r, skin)
    _face_and_hair(p, x, head_y, r, kind, hair, skin)
    _wear(p, x, y, k, h, head_y, r, kind, coat, hair)


def _face_and_hair(p: Picture, x: float, head_y: float, r: float, kind: str, hair: Color, skin: Color) -> None:
    c = p.canvas
    if kind in ("woman", "man", "girl", "boy", "elder", "scientist"):
        c.half(x, head_y - r * 0.12, r * 0.98, r * 1.05, hair)
        if kind in ("woman", "girl"):
            c.poly(
                [
                    (x - r * 0.98, head_y - r * 0.16),
                    (x + r * 0.3, head_y - r * 0.16),
                    (x - r * 0.98, head_y + r * 0.16),
                ],
                hair,
            )
    if kind in ("elder", "wizard"):
        c.poly(
            [
                (x - r * 0.8, head_y + r * 0.25),
                (x + r * 0.8, head_y + r * 0.25),
                (x + r * 0.3, head_y + r * 2),
                (x - r * 0.3, head_y + r * 2),
            ],
            hair,
        )
    eye, white = (34, 30, 36), p.light.object((252, 252, 252))
    for side in (-1, 1):
        c.ellipse(x + side * r * 0.36, head_y + r * 0.16, r * 0.2, r * 0.24, white)
        c.ellipse(x + side * r * 0.34, head_y + r * 0.18, r * 0.12, r * 0.17, eye)
    if kind not in ("elder", "wizard"):
        smile = (x - r * 0.3, head_y + r * 0.28, x + r * 0.3, head_y + r * 0.66)
        c.arc(smile, 20, 160, darker(skin, 0.5), r * 0.1)
    if kind == "scientist":
        for side in (-1, 1):
            c.ring(x + side * r * 0.38, head_y + r * 0.16, r * 0.36, r * 0.36, eye, r * 0.1)


def _wear(
    p: Picture, x: float, y: float, k: float, h: float, head_y: float, r: float, kind: str, coat: Color, hair: Color
) -> None:
    """Hats and what they carry."""
    c = p.canvas
    if kind == "explorer":
        hat = p.light.object((150, 108, 66))
        c.rounded(x - r * 1.6, head_y - r * 0.62, x + r * 1.6, head_y - r * 0.34, r * 0.14, hat)
        c.half(x, head_y - r * 0.5, r * 0.92, r * 0.95, hat)
        c.rect(x - r * 0.92, head_y - r * 0.76, x + r * 0.92, head_y - r * 0.56, darker(hat, 0.4))
    elif kind == "wizard":
        c.poly(
            [(x - r * 1.5, head_y - r * 0.35), (x + r * 1.5, head_y - r * 0.35), (x + r * 0.3, head_y - r * 3)],
            darker(coat, 0.2),
        )
        c.rect(x - r * 1.5, head_y - r * 0.5, x + r * 1.5, head_y - r * 0.25, p.light.object((240, 200, 80)))
        sx, glow = x + h * 0.25, p.light.filter((255, 226, 120))
        c.line([(sx, y), (sx, y - h * 0.78)], p.light.object((122, 84, 54)), k * 1.2)
        c.circle(sx, y - h * 0.8, k * 2.4, glow)
        c.glow(sx, y - h * 0.8, k * 10, glow, 0.5)
    elif kind == "king":
        gold = p.light.object((248, 202, 70))
        top = head_y - r * 0.5
        c.poly(
            [
                (x - r, top),
                (x + r, top),
                (x + r * 1.1, top - r * 1.1),
                (x + r * 0.5, top - r * 0.55),
                (x, top - r * 1.25),
                (x - r * 0.5, top - r * 0.55),
                (x - r * 1.1, top - r * 1.1),
            ],
            gold,
        )
        c.rect(x - h * 0.025, y - h * 0.7, x + h * 0.025, y - h * 0.06, p.light.object((246, 240, 228)))
        c.rect(x - h * 0.19, y - h * 0.1, x + h * 0.19, y - h * 0.05, p.light.object((246, 240, 228)))
    elif kind == "elder":
        sx = x + h * 0.22
        c.line([(sx, y), (sx, y - h * 0.46)], p.light.object((108, 74, 48)), k * 1.1)
    elif kind == "scientist":
        c.rect(x - h * 0.008, y - h * 0.74, x + h * 0.008, y - h * 0.24, darker(coat, 0.25))
        glass = p.light.filter((96, 226, 160))
        c.poly(
            [
                (x - h * 0.24, y - h * 0.4),
                (x - h * 0.16, y - h * 0.4),
                (x - h * 0.185, y - h * 0.5),
                (x - h * 0.215, y - h * 0.5),
            ],
            glass,
        )


def astronaut(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    c, h = p.canvas, 44 * k
    suit = named_accent(p, color, (236, 238, 244))
    fold, visor = darker(suit, 0.16), p.light.filter((44, 66, 118))
    c.rounded(x - h * 0.19, y - h * 0.74, x + h * 0.19, y - h * 0.36, h * 0.04, darker(suit, 0.32))
    for side in (-1, 1):
        c.rounded(x + side * h * 0.085 - h * 0.07, y - h * 0.36, x + side * h * 0.085 + h * 0.07, y, h * 0.03, fold)
        c.rect(x + side * h * 0.085 - h * 0.075, y - h * 0.05, x + side * h * 0.085 + h * 0.075, y, darker(suit, 0.4))
        c.limb([(x + side * h * 0.14, y - h * 0.66), (x + side * h * 0.25, y - h * 0.42)], fold, h * 0.1)
    c.rounded(x - h * 0.155, y - h * 0.73, x + h * 0.155, y - h * 0.3, h * 0.05, suit)
    c.rounded(x - h * 0.07, y - h * 0.62, x + h * 0.07, y - h * 0.52, h * 0.015, p.light.filter((224, 84, 70)))
    c.circle(x, y - h * 0.85, h * 0.155, suit)
    c.ellipse(x, y - h * 0.845, h * 0.115, h * 0.095, visor)
    c.ellipse(x - h * 0.04, y - h * 0.875, h * 0.03, h * 0.02, lighter(visor, 0.6))


def knight(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    """A great helmet with a plume, a shield before the body, a sword held upright."""
    d = Pen(p, x, y, k * 1.25, color)
    cloth, steel = d.own((66, 96, 186)), d.lit(STEEL)
    d.box(d.lit(GOLD), 3.2, 3.4, 5.6, 4, 0.2)
    d.poly(lighter(steel, 0.4), (4, 4), (4.8, 4), (4.8, 10), (4.4, 10.8), (4, 10))
    for side in (-1, 1):
        d.box(darker(steel, 0.25), side * 1.2 - 0.9, 0, side * 1.2 + 0.9, 2.6, 0.3)
    d.stroke(darker(steel, 0.12), 1.3, (2, 5), (4.2, 3.6))
    d.poly(cloth, (-2, 5.9), (2, 5.9), (2.4, 1.8), (-2.4, 1.8))
    d.poly(cloth, (0, 9.8), (-1.2, 11.6), (-3.6, 11.2), (-2.8, 9.6), (-1.4, 9))
    d.box(steel, -2.3, 5.4, 2.3, 9.4, 0.8)
    d.dome(steel, 0, 8.6, 2.3, 1.9)
    d.box(d.lit(DARK), -1.7, 7.6, 1.7, 8.3)
    d.box(d.lit(DARK), -0.3, 5.8, 0.3, 8)
    d.poly(steel, (-4.8, 5.9), (-0.8, 5.9), (-0.8, 3.4), (-2.8, 1), (-4.8, 3.4))
    d.poly(cloth, (-4.3, 5.4), (-1.3, 5.4), (-1.3, 3.5), (-2.8, 1.8), (-4.3, 3.5))
    d.box(d.lit(GOLD), -3.1, 2.4, -2.5, 5.2)


def robot(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    c, v = p.canvas, 7.4 * k
    body = named_accent(p, color, (162, 174, 192))
    joint, dark = darker(body, 0.3), p.light.object((44, 50, 66))
    eye = p.light.lamp() if p.scene.mood == "neon" else p.light.filter((112, 240, 255))
    for side in (-1, 1):
        c.rect(x + side * v * 0.5 - v * 0.26, y - v * 1.5, x + side * v * 0.5 + v * 0.26, y, joint)
        c.rounded(x + side * v * 0.55 - v * 0.42, y - v * 0.36, x + side * v * 0.55 + v * 0.42, y, v * 0.14, dark)
        c.limb([(x + side * v * 1.3, y - v * 3), (x + side * v * 1.55, y - v * 1.7)], joint, v * 0.46)
        c.circle(x + side * v * 1.58, y - v * 1.55, v * 0.34, dark)
    c.rounded(x - v * 1.1, y - v * 3.4, x + v * 1.1, y - v * 1.2, v * 0.34, body)
    c.rounded(x + v * 0.6, y - v * 3.4, x + v * 1.1, y - v * 1.2, v * 0.3, darker(body, 0.12))
    c.rounded(x - v * 0.62, y - v * 2.9, x + v * 0.44, y - v * 2.1, v * 0.14, dark)
    c.circle(x - v * 0.26, y - v * 2.5, v * 0.2, eye)
    c.rect(x - v * 0.25, y - v * 3.7, x + v * 0.25, y - v * 3.4, joint)
    c.rounded(x - v * 0.95, y - v * 5.2, x + v * 0.95, y - v * 3.6, v * 0.4, body)
    c.rounded(x - v * 0.74, y - v * 4.9, x + v * 0.74, y - v * 4.0, v * 0.3, dark)
    for side in (-1, 1):
        c.circle(x + side * v * 0.36, y - v * 4.46, v * 0.22, eye)
    c.line([(x, y - v * 5.2), (x, y - v * 5.8)], joint, v * 0.14)
    c.circle(x, y - v * 5.9, v * 0.2, p.light.filter((255, 92, 80)))
    c.glow(x, y - v * 4.4, v * 1.8, eye, 0.22)


def crowd(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    """Seven people, some behind the others."""
    kinds = ("man", "woman", "elder", "woman", "man", "girl", "boy")
    order = sorted(range(7), key=lambda i: abs(i - 3), reverse=True)
    for i in order:
        step = (i - 3) * 11.5 * k
        person(p, x + step, y - abs(math.sin(i * 2.1)) * 3 * k, k * 0.62, color if i % 2 == 0 else None, kinds[i])


def statue(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    """A standing figure of one stone on a plinth, an arm raised."""
    c, h = p.canvas, 36 * k
    stone = named_accent(p, color, (198, 194, 186))
    dark = darker(stone, 0.18)
    c.rect(x - 10 * k, y - 9 * k, x + 10 * k, y, darker(stone, 0.1))
    c.rect(x - 12 * k, y - 11 * k, x + 12 * k, y - 8.4 * k, stone)
    base = y - 11 * k
    c.poly(
        [(x - h * 0.14, base), (x + h * 0.14, base), (x + h * 0.11, base - h * 0.7), (x - h * 0.11, base - h * 0.7)],
        stone,
    )
    c.poly(
        [(x + h * 0.03, base), (x + h * 0.14, base), (x + h * 0.11, base - h * 0.7), (x + h * 0.04, base - h * 0.7)],
        dark,
    )
    c.limb([(x + h * 0.09, base - h * 0.66), (x + h * 0.24, base - h * 1.02)], stone, h * 0.08)
    c.limb([(x - h * 0.09, base - h * 0.66), (x - h * 0.16, base - h * 0.36)], dark, h * 0.08)
    c.circle(x, base - h * 0.84, h * 0.115, stone)
    c.circle(x + h * 0.26, base - h * 1.06, h * 0.055, mix(stone, (255, 240, 190), 0.4))
