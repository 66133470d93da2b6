"""Small things that stories turn on: keys, letters, coins, toys, treasures. Each is drawn on the pen's grid."""

import math

from models.starter.training.illustrator.palette import darker, lighter
from models.starter.training.illustrator.pen import (
    BLUE,
    CREAM,
    DARK,
    GOLD,
    IRON,
    LEAF,
    PAPER,
    RED,
    STEEL,
    WOOD,
    Pen,
)  # fmt: skip


def key(d: Pen) -> None:
    metal = d.own(GOLD)
    d.hoop(metal, 0, 7.8, 2.2, 2.2, 1.1)
    d.box(metal, -0.55, 0, 0.55, 6)
    d.box(metal, 0.3, 0.3, 2.4, 1.4)
    d.box(metal, 0.3, 2.2, 1.9, 3.3)


def padlock(d: Pen) -> None:
    body = d.own(GOLD)
    d.arc(d.lit(STEEL), 0, 6, 2.6, 4, 180, 360, 1.1)
    d.box(body, -3.8, 0, 3.8, 6.2, 0.8)
    d.disc(d.lit(DARK), 0, 3.7, 0.9)
    d.poly(d.lit(DARK), (-0.4, 3.6), (0.4, 3.6), (0.7, 1.4), (-0.7, 1.4))


def letter(d: Pen) -> None:
    paper = d.own(PAPER)
    d.box(paper, -5.2, 0.6, 5.2, 7.6, 0.3)
    d.poly(darker(paper, 0.14), (-5.2, 7.6), (5.2, 7.6), (0, 3.4))
    d.stroke(darker(paper, 0.35), 0.25, (-5, 7.4), (0, 3.4), (5, 7.4))
    d.disc(d.lit(RED), 0, 3.6, 1.1)


def paper(d: Pen) -> None:
    sheet = d.own(PAPER)
    d.poly(sheet, (-3.4, 0), (3.4, 0), (3.4, 8), (1.6, 10), (-3.4, 10))
    d.poly(darker(sheet, 0.25), (3.4, 8), (1.6, 10), (1.6, 8))
    for i, width in enumerate((4.4, 4.8, 3.6, 4.8, 2.4)):
        d.box(darker(sheet, 0.5), -2.5, 6.9 - 1.4 * i, -2.5 + width, 7.4 - 1.4 * i)


def map(d: Pen) -> None:
    sheet = d.own((234, 208, 150))
    for i in range(3):
        c = sheet if i % 2 == 0 else darker(sheet, 0.12)
        low, high = (0.4, 0) if i % 2 == 0 else (0, 0.4)
        d.poly(
            c, (-5.4 + 3.6 * i, low), (-1.8 + 3.6 * i, high), (-1.8 + 3.6 * i, 7.6 + high), (-5.4 + 3.6 * i, 7.6 + low)
        )
    d.oval(d.lit(LEAF), -3, 5.2, 1.6, 1.2)
    for i in range(4):
        d.disc(d.lit(DARK), -3.6 + 1.6 * i, 2.2 + 0.5 * i, 0.28)
    for side in (-1, 1):
        d.stroke(d.lit(RED), 0.5, (3.4 - side * 0.9, 4.2), (3.4 + side * 0.9, 6))


def gift(d: Pen) -> None:
    wrap, ribbon = d.own(RED), d.lit(GOLD)
    if d.color in ("yellow", "orange"):
        ribbon = d.lit(BLUE)
    d.box(wrap, -4, 0, 4, 5.6)
    d.box(darker(wrap, 0.18), -4.5, 5, 4.5, 7, 0.2)
    d.box(ribbon, -0.8, 0, 0.8, 7)
    for side in (-1, 1):
        d.hoop(ribbon, side * 1.5, 8.1, 1.5, 1.1, 0.7)


def box(d: Pen) -> None:
    card = d.own((196, 148, 98))
    d.box(card, -4.4, 0, 4.4, 6)
    d.box(darker(card, 0.3), -4.4, 5.6, 4.4, 6.4)
    for side in (-1, 1):
        d.poly(lighter(card, 0.18), (side * 4.4, 6.2), (0.4 * side, 6.2), (side * 1.6, 8.4), (side * 5.8, 8.2))
    d.box(lighter(card, 0.4), -0.6, 0, 0.6, 5.6)


def ball(d: Pen) -> None:
    skin = d.own(RED)
    d.disc(skin, 0, 4, 4)
    d.arc(lighter(skin, 0.75), -5.6, 4, 4.4, 5, 315, 45, 0.8)
    d.arc(lighter(skin, 0.75), 5.6, 4, 4.4, 5, 135, 225, 0.8)
    d.oval(lighter(skin, 0.5), -1, 6.4, 1, 0.5)


def kite(d: Pen) -> None:
    d.y += 5 * d.unit  # it hangs in the air, centred
    cloth = d.own(RED)
    d.stroke(d.lit(PAPER), 0.22, (0, 3.6), (-1, 2.4), (0.6, 1.2), (-0.4, 0))
    for x, y in ((-0.7, 2.4), (0.4, 1.2)):
        d.poly(d.lit(GOLD), (x - 0.9, y + 0.5), (x + 0.9, y - 0.5), (x + 0.9, y + 0.5), (x - 0.9, y - 0.5))
    d.poly(cloth, (0, 10), (2.9, 7), (0, 3.2), (-2.9, 7))
    d.poly(lighter(cloth, 0.55), (0, 10), (2.9, 7), (0, 7))
    d.poly(lighter(cloth, 0.55), (0, 3.2), (-2.9, 7), (0, 7))


def mask(d: Pen) -> None:
    face = d.own((246, 240, 228))
    d.oval(face, 0, 6.2, 3.6, 3.8)
    d.poly(face, (-3.2, 4.6), (3.2, 4.6), (0, 0))
    for side in (-1, 1):
        d.poly(d.lit(DARK), (side * 0.6, 6), (side * 2.6, 7.2), (side * 2.3, 5.8))
        d.disc(d.lit(RED), side * 2.1, 4.6, 0.6)
    d.dome(d.lit(RED), 0, 3.4, 1.4, 1.1, bowl=True)


def crown(d: Pen) -> None:
    gold = d.own(GOLD)
    d.poly(gold, (-4.4, 1), (4.4, 1), (5, 7.4), (2.4, 4.6), (0, 8.6), (-2.4, 4.6), (-5, 7.4))
    d.box(darker(gold, 0.22), -4.5, 0, 4.5, 1.8, 0.3)
    for x, y, c in ((-5, 7.6, RED), (0, 8.8, BLUE), (5, 7.6, RED), (-2.4, 0.9, BLUE), (0, 0.9, RED), (2.4, 0.9, BLUE)):
        d.disc(d.lit(c), x, y, 0.65)


def ring(d: Pen) -> None:
    gold = d.own(GOLD)
    d.hoop(gold, 0, 3.4, 3.4, 3.4, 1.0)
    gem = d.lit((126, 214, 244))
    d.poly(gem, (-2, 8.6), (2, 8.6), (0, 5.8))
    d.poly(lighter(gem, 0.5), (-2, 8.6), (-1, 9.8), (1, 9.8), (2, 8.6))


def sword(d: Pen) -> None:
    blade, grip = d.lit((206, 214, 226)), d.own(BLUE)
    d.poly(blade, (-1.3, 3), (1.3, 3), (1.3, 8.8), (0, 10.6), (-1.3, 8.8))
    d.poly(darker(blade, 0.2), (0, 3), (1.3, 3), (1.3, 8.8), (0, 10.6))
    d.box(d.lit(GOLD), -3.2, 2.3, 3.2, 3.4, 0.3)
    d.box(grip, -0.7, 0.6, 0.7, 2.5)
    d.disc(d.lit(GOLD), 0, 0.5, 0.8)


def shield(d: Pen) -> None:
    face = d.own(BLUE)
    for c, s in ((d.lit(STEEL), 1.0), (face, 0.84)):
        d.poly(
            c,
            (-4 * s, 5.5 + 4.2 * s),
            (4 * s, 5.5 + 4.2 * s),
            (4 * s, 5.5 - 1 * s),
            (0, 5.5 - 5.4 * s),
            (-4 * s, 5.5 - 1 * s),
        )
    d.box(d.lit(GOLD), -0.7, 1.6, 0.7, 9)
    d.box(d.lit(GOLD), -3.4, 5.6, 3.4, 7)


def flag(d: Pen) -> None:
    cloth = d.own(RED)
    d.box(d.lit(WOOD), -3.4, 0, -2.8, 10)
    d.poly(cloth, (-2.8, 9.8), (0, 9.2), (2, 9.9), (5, 9.3), (5, 4.9), (2, 5.5), (0, 4.8), (-2.8, 5.4))
    d.disc(d.lit(PAPER), 0.9, 7.3, 1.2)
    d.disc(d.lit(GOLD), -3.1, 10, 0.6)


def coin(d: Pen) -> None:
    gold = d.own(GOLD)
    d.disc(darker(gold, 0.3), 0.5, 4.2, 4.2)
    d.disc(gold, 0, 4.2, 4.2)
    d.hoop(darker(gold, 0.2), 0, 4.2, 3.4, 3.4, 0.35)
    points = []
    for i in range(10):
        radius, angle = (2.3, 1.0)[i % 2], math.pi / 2 + i * math.pi / 5
        points.append((math.cos(angle) * radius, 4.2 + math.sin(angle) * radius))
    d.poly(darker(gold, 0.28), *points)


def star(d: Pen) -> None:
    gold = d.own(GOLD)
    points = []
    for i in range(10):
        radius, angle = (5.2, 2.3)[i % 2], math.pi / 2 + i * math.pi / 5
        points.append((math.cos(angle) * radius, 5 + math.sin(angle) * radius))
    d.poly(gold, *points)
    d.glow(d.p.light.filter((255, 230, 140)), 0, 5, 5, 0.35)


def heart(d: Pen) -> None:
    red = d.own(RED)
    for side in (-1, 1):
        d.disc(red, side * 2, 6.4, 2.35)
    d.poly(red, (-4.2, 5.6), (4.2, 5.6), (0, 0))
    d.box(red, -1, 4, 1, 6.6)
    d.oval(lighter(red, 0.5), -2.3, 7, 0.6, 0.9)


def globe(d: Pen) -> None:
    sea, stand = d.own((70, 146, 214)), d.lit(WOOD)
    d.box(stand, -2.6, 0, 2.6, 0.9, 0.3)
    d.box(stand, -0.4, 0.6, 0.4, 2.4)
    d.arc(stand, 0, 5.8, 4.4, 4.4, 270, 100, 0.6)
    d.disc(sea, 0, 5.8, 3.6)
    land = d.lit((96, 176, 90)) if d.color != "green" else d.lit(CREAM)
    d.oval(land, -1.5, 6.8, 1.3, 1.5)
    d.oval(land, -0.9, 4.4, 0.8, 1.2)
    d.oval(land, 1.7, 6.2, 1.1, 1.8)


def trophy(d: Pen) -> None:
    gold = d.own(GOLD)
    for side in (-1, 1):
        d.hoop(gold, side * 2.9, 7.4, 1.5, 1.5, 0.6)
    d.dome(gold, 0, 9.4, 3, 5.4, bowl=True)
    d.box(gold, -3.2, 9, 3.2, 9.9, 0.2)
    d.box(darker(gold, 0.2), -0.6, 1.6, 0.6, 4.4)
    d.box(d.lit(DARK), -2.4, 0, 2.4, 1.8, 0.2)
    d.oval(lighter(gold, 0.6), -1.4, 7.4, 0.4, 1.2)


def teddy(d: Pen) -> None:
    fur = d.own((188, 130, 78))
    pale = lighter(fur, 0.45)
    for side in (-1, 1):
        d.disc(fur, side * 2.2, 9.2, 1.2)
        d.disc(pale, side * 2.2, 9.2, 0.6)
        d.oval(darker(fur, 0.1), side * 3, 3.6, 1.1, 1.7)
        d.disc(fur, side * 2.2, 1.1, 1.4)
        d.disc(pale, side * 2.2, 1.1, 0.8)
    d.oval(fur, 0, 3.1, 2.7, 2.8)
    d.oval(pale, 0, 3, 1.6, 1.8)
    d.disc(fur, 0, 7.3, 2.8)
    d.oval(pale, 0, 6.5, 1.3, 1)
    d.eyes(0, 7.7, 1.1, 0.4)
    d.oval(d.lit(DARK), 0, 6.9, 0.5, 0.35)


def dice(d: Pen) -> None:
    side = d.own(PAPER)
    d.box(side, -3.6, 0, 3.6, 7.2, 0.9)
    dot = d.lit(DARK) if d.color != "black" else d.lit(PAPER)
    for x, y in ((-2, 1.6), (2, 1.6), (0, 3.6), (-2, 5.6), (2, 5.6)):
        d.disc(dot, x, y, 0.75)


def chess(d: Pen) -> None:
    """A pawn."""
    body = d.own((70, 62, 72))
    d.box(body, -3, 0, 3, 1.6, 0.5)
    d.poly(body, (-2.2, 1.4), (2.2, 1.4), (0.9, 6.2), (-0.9, 6.2))
    d.box(body, -1.8, 5.6, 1.8, 6.6, 0.4)
    d.disc(body, 0, 8, 2)
    d.oval(lighter(body, 0.4), -0.6, 8.6, 0.5, 0.6)


def yarn(d: Pen) -> None:
    wool = d.own((226, 110, 150))
    d.stroke(darker(wool, 0.15), 0.4, (2, 0.5), (5, 0.3), (6.2, 1))
    d.disc(wool, 0, 3.8, 3.8)
    for dx in (-1.8, 0, 1.8):
        d.arc(darker(wool, 0.25), dx - 2.4, 3.8, 3.2, 3.6, 310, 50, 0.35)
    for side in (-1, 1):
        d.stroke(d.lit(STEEL), 0.4, (side * -1.4, 4.6), (side * 3.6, 9.6))


def skull(d: Pen) -> None:
    bone = d.own((240, 234, 218))
    d.disc(bone, 0, 6.2, 3.8)
    d.box(bone, -2.1, 0.8, 2.1, 4, 0.4)
    for side in (-1, 1):
        d.disc(d.lit(DARK), side * 1.6, 5.8, 1.1)
    d.poly(d.lit(DARK), (-0.5, 3.6), (0.5, 3.6), (0, 4.6))
    for x in (-1, 0, 1):
        d.box(d.lit(DARK), x - 0.12, 0.8, x + 0.12, 2.4)


def ghost(d: Pen) -> None:
    sheet = d.own((238, 240, 248))
    d.dome(sheet, 0, 6, 3.6, 4.2)
    d.box(sheet, -3.6, 1.2, 3.6, 6.1)
    for x in (-2.7, -0.9, 0.9, 2.7):
        d.disc(sheet, x, 1.2, 0.92)
    for side in (-1, 1):
        d.oval(d.lit(DARK), side * 1.3, 6.6, 0.7, 1)
    d.oval(d.lit(DARK), 0, 4.4, 0.6, 0.8)


def feather(d: Pen) -> None:
    vane = d.own((236, 240, 246))
    d.poly(vane, (-0.4, 1.8), (-2.4, 4.6), (-1.6, 8), (1.6, 10.2), (2.2, 6.4), (1, 3))
    d.stroke(darker(vane, 0.35), 0.3, (-1, 0), (0, 4), (1.4, 9.6))


def shell(d: Pen) -> None:
    pearl = d.own((246, 190, 170))
    points = [(math.cos(math.pi * i / 8) * 4.4, 3.4 + math.sin(math.pi * i / 8) * 5) for i in range(9)]
    d.poly(pearl, (0, 0.6), *points)
    for i in range(1, 8):
        d.stroke(darker(pearl, 0.25), 0.25, (0, 1), points[i])
    d.box(darker(pearl, 0.2), -1.6, 0, 1.6, 1.1, 0.3)


def rock(d: Pen) -> None:
    stone = d.own((146, 146, 152))
    d.poly(stone, (-5, 0), (-4.4, 3.2), (-1.8, 6), (1.8, 5.6), (4.6, 2.6), (5, 0))
    d.poly(darker(stone, 0.2), (1.8, 5.6), (4.6, 2.6), (5, 0), (0.8, 0), (0.4, 3))


def rope(d: Pen) -> None:
    fibre = d.own((206, 168, 112))
    for y in (1.2, 2.8, 4.4):
        d.oval(fibre, 0, y, 4.6, 1.5)
        d.arc(darker(fibre, 0.35), 0, y, 4.6, 1.5, 0, 180, 0.3)
    d.oval(darker(fibre, 0.5), 0, 4.7, 2.6, 0.7)
    d.stroke(fibre, 1, (4, 1), (6.4, 0.8))


def scroll(d: Pen) -> None:
    sheet = d.own((240, 218, 166))
    d.box(sheet, -3.4, 1, 3.4, 9)
    for i, width in enumerate((4.2, 4.8, 3.4)):
        d.box(darker(sheet, 0.45), -2.4, 6.6 - 1.6 * i, -2.4 + width, 7.1 - 1.6 * i)
    for y in (0, 8.6):
        d.box(darker(sheet, 0.16), -4.4, y, 4.4, y + 1.5, 0.7)


def iron(d: Pen) -> None:
    metal = d.own(IRON)
    d.poly(metal, (-4.6, 0.8), (5.4, 0.8), (1.6, 4.4), (-4.6, 4.4))
    d.box(lighter(metal, 0.4), -4.8, 0, 5.6, 1)
    d.arc(d.lit(DARK), -1.6, 4.4, 2.6, 2.8, 180, 360, 0.9)


def snowflake(d: Pen) -> None:
    ice = d.own((206, 234, 250))
    for i in range(6):
        a = i * math.pi / 3 + math.pi / 6
        x, y = math.cos(a), math.sin(a)
        d.stroke(ice, 0.7, (0, 5), (x * 4.8, 5 + y * 4.8))
        for turn in (-0.7, 0.7):
            end = (x * 2.8 + math.cos(a + turn) * 1.5, 5 + y * 2.8 + math.sin(a + turn) * 1.5)
            d.stroke(ice, 0.55, (x * 2.8, 5 + y * 2.8), end)


def puzzle(d: Pen) -> None:
    """One piece of a jigsaw."""
    card = d.own((92, 150, 214))
    d.box(card, -3.6, 0, 3.6, 7.2)
    d.disc(card, 0, 8, 1.5)
    d.disc(card, 4.4, 3.6, 1.5)
    hole = darker(card, 0.55)
    d.disc(hole, -2.8, 3.6, 1.3)
    d.disc(hole, 0, 0.9, 1.3)
