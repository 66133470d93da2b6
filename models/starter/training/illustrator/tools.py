"""Tools, instruments and machines that stand on a table. Each is drawn on the pen's grid."""

import math

from models.starter.training.illustrator.palette import darker, lighter
from models.starter.training.illustrator.pen import (
    BLUE,
    CREAM,
    DARK,
    GLASS,
    GOLD,
    IRON,
    PAPER,
    RED,
    STEEL,
    WOOD,
    Pen,
)  # fmt: skip


def hammer(d: Pen) -> None:
    wood, iron = d.own(WOOD), d.lit(IRON)
    d.box(wood, -0.7, 0, 0.7, 8, 0.3)
    d.box(iron, -3.4, 7, 2.4, 10, 0.4)
    d.poly(iron, (2, 9.8), (2, 7.4), (4.6, 7))
    d.box(lighter(iron, 0.3), -3.8, 6.8, -2.6, 10.2, 0.2)


def saw(d: Pen) -> None:
    steel, wood = d.lit(STEEL), d.own(WOOD)
    d.poly(steel, (-6, 5.6), (3, 6.4), (3, 1.6), (-6, 3.4))
    for i in range(7):
        x = -5.6 + i * 1.2
        y = 3.4 - 0.2 * i
        d.poly(steel, (x, y), (x + 1.2, y - 0.2), (x + 0.6, y - 1.3))
    d.hoop(wood, 4.4, 4, 2, 2.6, 1.2)


def axe(d: Pen) -> None:
    steel, wood = d.lit(STEEL), d.own(WOOD)
    d.box(wood, -0.7, 0, 0.7, 10, 0.4)
    d.poly(steel, (-1.4, 8.8), (1, 8.8), (4.2, 10.4), (5, 7.6), (4.2, 4.4), (1, 6.2), (-1.4, 6.2))
    d.poly(lighter(steel, 0.5), (3.5, 10), (4.2, 10.4), (5, 7.6), (4.2, 4.4), (3.5, 4.8), (4.2, 7.6))


def wrench(d: Pen) -> None:
    steel = d.own(STEEL)
    d.box(steel, -0.9, 0, 0.9, 7.4, 0.8)
    d.disc(steel, 0, 8, 2.3)
    d.poly(d.lit(DARK), (-0.8, 10.4), (0.8, 10.4), (0.7, 7.8), (-0.7, 7.8))


def shovel(d: Pen) -> None:
    steel, wood = d.lit(STEEL), d.own(WOOD)
    d.box(wood, -0.4, 3, 0.4, 9.4)
    d.box(wood, -1.5, 9.1, 1.5, 10, 0.3)
    d.box(steel, -2.1, 1.6, 2.1, 4.2, 0.3)
    d.poly(steel, (-2.1, 2), (2.1, 2), (0, -0.2))


def scissors(d: Pen) -> None:
    grip, steel = d.own(RED), d.lit(STEEL)
    for side in (-1, 1):
        d.poly(steel, (side * 0.8, 3), (side * -0.6, 4), (side * -2.4, 10), (side * -1.6, 10))
        d.hoop(grip, side * 1.9, 1.8, 1.7, 1.8, 0.8)
        d.stroke(grip, 0.8, (side * 1, 3.2), (0, 4.8))
    d.disc(d.lit(IRON), 0, 4.9, 0.5)


def ladder(d: Pen) -> None:
    wood = d.own((196, 138, 78))
    for side in (-1, 1):
        d.poly(wood, (side * 2.8, 0), (side * 2.0, 0), (side * 1.5, 10), (side * 2.2, 10))
    for i in range(5):
        y = 1.2 + 1.9 * i
        d.box(darker(wood, 0.18), -2.3 + 0.1 * i, y, 2.3 - 0.1 * i, y + 0.6)


def gear(d: Pen) -> None:
    metal = d.own((190, 146, 82))
    for i in range(8):
        a = i * math.pi / 4
        d.stroke(metal, 1.7, (0, 5), (math.cos(a) * 4.2, 5 + math.sin(a) * 4.2))
    d.disc(metal, 0, 5, 3.8)
    d.disc(darker(metal, 0.3), 0, 5, 2.4)
    d.disc(d.lit(PAPER), 0, 5, 1.1)


def wheel(d: Pen) -> None:
    wood = d.own(WOOD)
    d.disc(darker(wood, 0.45), 0, 5, 5)
    d.hoop(wood, 0, 5, 4.6, 4.6, 0.9)
    d.disc(d.lit(CREAM), 0, 5, 3.7)
    for i in range(4):
        a = i * math.pi / 4
        x, y = math.cos(a) * 4, math.sin(a) * 4
        d.stroke(wood, 0.7, (-x, 5 - y), (x, 5 + y))
    d.disc(darker(wood, 0.3), 0, 5, 1.1)


def anchor(d: Pen) -> None:
    iron = d.own(IRON)
    d.hoop(iron, 0, 9, 1.2, 1.2, 0.6)
    d.box(iron, -0.5, 0.6, 0.5, 8)
    d.box(iron, -2.4, 6.2, 2.4, 7.2, 0.4)
    d.arc(iron, 0, 4.2, 4.2, 4, 0, 180, 1.0)
    for side in (-1, 1):
        d.poly(iron, (side * 4.9, 3.2), (side * 2.4, 3.8), (side * 4.2, 5.8))


def magnet(d: Pen) -> None:
    red = d.own(RED)
    d.arc(red, 0, 6, 3.8, 4, 180, 360, 2.2)
    for side in (-1, 1):
        x0, x1 = sorted((side * 3.8, side * 1.6))
        d.box(red, x0, 2, x1, 6.1)
        d.box(d.lit(STEEL), x0, 0, x1, 2)


def pencil(d: Pen) -> None:
    paint = d.own((246, 190, 52))
    d.box(paint, -1.2, 2.4, 1.2, 8.6)
    d.box(darker(paint, 0.2), 0.3, 2.4, 1.2, 8.6)
    d.poly(d.lit(CREAM), (-1.2, 2.5), (1.2, 2.5), (0, 0))
    d.poly(d.lit(DARK), (-0.5, 1), (0.5, 1), (0, 0))
    d.box(d.lit((240, 130, 140)), -1.2, 8.4, 1.2, 10, 0.4)


def brush(d: Pen) -> None:
    paint = d.own(BLUE)
    d.box(d.lit(WOOD), -0.7, 0, 0.7, 5, 0.5)
    d.box(d.lit(STEEL), -1.5, 4.6, 1.5, 6.4)
    d.poly(paint, (-1.5, 6.4), (1.5, 6.4), (2.1, 8.2), (0, 10.4), (-2.1, 8.2))


def compass(d: Pen) -> None:
    rim = d.own(GOLD)
    d.hoop(rim, 0, 9.4, 0.9, 0.9, 0.4)
    d.disc(rim, 0, 4.4, 4.4)
    d.disc(d.lit(PAPER), 0, 4.4, 3.5)
    d.poly(d.lit(RED), (-0.8, 4.4), (0.8, 4.4), (0, 7.6))
    d.poly(d.lit(BLUE), (-0.8, 4.4), (0.8, 4.4), (0, 1.2))
    d.disc(d.lit(DARK), 0, 4.4, 0.4)


def telescope(d: Pen) -> None:
    """A thick tube on three legs, looking up to the right."""
    brass = d.own((206, 150, 70))
    for foot in (-2.6, 0, 2.6):
        d.stroke(d.lit((104, 72, 50)), 0.55, (0, 5), (foot, 0.2))
    d.poly(darker(brass, 0.35), (-4.4, 3.3), (-3.8, 2.1), (-1.4, 3.3), (-2.2, 4.9))
    d.poly(brass, (-2.4, 5.1), (-1.3, 2.9), (3.4, 5.3), (2.2, 7.9))
    d.poly(lighter(brass, 0.3), (2.0, 8.4), (3.6, 5), (5.2, 5.9), (3.6, 9.2))
    d.poly(d.lit(GLASS), (3.9, 9.4), (5.5, 6), (5.9, 6.2), (4.3, 9.6))
    d.disc(d.lit(DARK), 0, 5, 0.7)


def microscope(d: Pen) -> None:
    metal = d.own((72, 84, 120))
    d.box(metal, -3.4, 0, 3.4, 1.3, 0.4)
    d.arc(metal, -0.6, 4.6, 3.4, 3.9, 270, 80, 1.2)
    d.box(darker(metal, 0.2), -2.4, 3, 1.6, 3.8)
    d.poly(d.lit(STEEL), (-2.2, 9.6), (-0.6, 9.9), (0.2, 5), (-1.4, 4.7))
    d.poly(metal, (-2.6, 9.4), (-0.2, 9.9), (-0.1, 10.6), (-2.6, 10.1))


def camera(d: Pen) -> None:
    body = d.own((58, 58, 68))
    d.box(body, -1.8, 6.6, 1.8, 8.4, 0.4)
    d.box(body, -5, 0.6, 5, 7.2, 0.8)
    d.box(d.lit(STEEL), -5, 5.4, 5, 6.2)
    d.disc(d.lit(STEEL), 0, 3.6, 2.7)
    d.disc(d.lit(DARK), 0, 3.6, 2.1)
    d.disc(d.lit((92, 150, 214)), 0, 3.6, 1.2)
    d.disc(d.lit(RED), 3.9, 6.6, 0.5)


def radio(d: Pen) -> None:
    body = d.own((176, 92, 56))
    d.stroke(d.lit(STEEL), 0.3, (3.6, 6.8), (5, 10.4))
    d.box(body, -5.4, 0, 5.4, 7, 0.8)
    d.disc(d.lit(DARK), -2.6, 3.3, 2.1)
    d.disc(d.lit(STEEL), -2.6, 3.3, 1.2)
    d.box(d.lit(PAPER), 0.4, 4, 4.4, 5.6)
    for x in (1.2, 3.6):
        d.disc(d.lit(GOLD), x, 2, 0.8)


def phone(d: Pen) -> None:
    """An old telephone: the receiver lies on top."""
    body = d.own(RED)
    d.poly(body, (-4.4, 0), (4.4, 0), (2.6, 6), (-2.6, 6))
    d.disc(d.lit(PAPER), 0, 2.9, 2)
    d.disc(darker(body, 0.35), 0, 2.9, 1)
    d.stroke(darker(body, 0.2), 1.6, (-4.2, 7), (-3, 8), (3, 8), (4.2, 7))
    for side in (-1, 1):
        d.oval(darker(body, 0.2), side * 4.4, 6.6, 1.3, 1.2)


def television(d: Pen) -> None:
    body = d.own((140, 92, 62))
    for side in (-1, 1):
        d.stroke(d.lit(IRON), 0.35, (0, 7.6), (side * 2.4, 10.4))
        d.box(d.lit(DARK), side * 3.2 - 0.4, 0, side * 3.2 + 0.4, 1.4)
    d.box(body, -5.4, 1, 5.4, 8, 0.8)
    d.box(d.p.light.filter((120, 206, 226)), -4.6, 1.8, 2.4, 7.2, 0.8)
    for y in (5.8, 3.8):
        d.disc(d.lit(GOLD), 3.9, y, 0.65)


def hourglass(d: Pen) -> None:
    wood, sand = d.own(WOOD), d.lit((240, 200, 110))
    d.poly(d.lit(GLASS), (-2.4, 9.2), (2.4, 9.2), (0.3, 5), (2.4, 0.8), (-2.4, 0.8), (-0.3, 5))
    d.poly(sand, (-1.7, 7.8), (1.7, 7.8), (0, 5))
    d.poly(sand, (-2.2, 0.9), (2.2, 0.9), (0, 3.6))
    for y in (0, 9):
        d.box(wood, -3.2, y, 3.2, y + 1, 0.3)
    for x in (-2.9, 2.5):
        d.box(wood, x, 0.8, x + 0.4, 9.2)


def bell(d: Pen) -> None:
    metal = d.own(GOLD)
    d.hoop(metal, 0, 9.2, 0.8, 0.8, 0.4)
    d.disc(darker(metal, 0.4), 0, 0.9, 1)
    d.dome(metal, 0, 4.4, 3, 4.2)
    d.poly(metal, (-3, 4.5), (3, 4.5), (4.6, 1.2), (-4.6, 1.2))
    d.box(darker(metal, 0.2), -4.7, 0.9, 4.7, 1.9, 0.3)
    d.oval(lighter(metal, 0.55), -1.4, 5, 0.4, 1.5)


def drum(d: Pen) -> None:
    shell = d.own(RED)
    d.box(shell, -4.4, 1.2, 4.4, 6.4)
    d.oval(shell, 0, 1.2, 4.4, 1.1)
    for i in range(4):
        x = -4.2 + 2.1 * i
        d.stroke(d.lit(GOLD), 0.35, (x, 5.8), (x + 1.05, 1), (x + 2.1, 5.8))
    d.oval(d.lit(PAPER), 0, 6.4, 4.4, 1.3)
    for side in (-1, 1):
        d.stroke(d.lit(WOOD), 0.5, (side * 0.6, 7), (side * 3.6, 9.6))
        d.disc(d.lit(CREAM), side * 0.6, 7, 0.6)


def trumpet(d: Pen) -> None:
    brass = d.own(GOLD)
    d.stroke(brass, 0.9, (-5.4, 6), (3, 6))
    d.poly(brass, (2, 6.4), (2, 5.6), (5.8, 3.2), (5.8, 8.8))
    d.oval(darker(brass, 0.35), 5.8, 6, 0.6, 2.8)
    d.hoop(brass, -0.8, 4.6, 2.9, 1.7, 0.8)
    for x in (-2.2, -0.8, 0.6):
        d.box(darker(brass, 0.2), x - 0.45, 5, x + 0.45, 8)


def violin(d: Pen) -> None:
    wood = d.own((176, 84, 40))
    d.disc(wood, 0, 1.9, 2.1)
    d.disc(wood, 0, 4.3, 1.7)
    d.box(wood, -1.2, 2, 1.2, 4.6)
    d.box(d.lit(DARK), -0.35, 3.4, 0.35, 9.2)
    d.box(d.lit(DARK), -0.8, 9, 0.8, 10, 0.3)
    d.box(d.lit(CREAM), -0.8, 2.2, 0.8, 2.6)
    d.stroke(d.lit(DARK), 0.35, (3, 0.4), (4.2, 9.6))
    d.stroke(d.lit(PAPER), 0.25, (3.5, 0.4), (4.6, 9.4))


def harp(d: Pen) -> None:
    gold = d.own(GOLD)
    for i in range(5):
        x = -2 + i * 1.1
        d.stroke(d.lit(PAPER), 0.15, (x, 1.6 + i * 0.5), (x, 8.2 + (i - 2) ** 2 * 0.1))
    d.stroke(gold, 0.9, (-3.4, 0.6), (-3.4, 9))
    d.stroke(gold, 0.9, (-3.4, 9.2), (-1, 8.2), (1.4, 8.4), (3.4, 9.6))
    d.stroke(gold, 1.3, (-3.2, 0.7), (3.4, 9.2))
    d.box(darker(gold, 0.3), -4.6, 0, -1.2, 0.9, 0.3)


def flute(d: Pen) -> None:
    """A flute that lies slanting."""
    silver = d.own(STEEL)
    d.stroke(silver, 1.3, (-5.6, 1), (5.6, 8.4))
    d.stroke(darker(silver, 0.3), 1.5, (2.6, 6.4), (3.2, 6.8))
    for i in range(5):
        d.disc(d.lit(DARK), -4.2 + 1.3 * i, 1.95 + 0.86 * i, 0.42)
    d.disc(d.lit(DARK), 4.5, 7.7, 0.5)


def accordion(d: Pen) -> None:
    case = d.own(RED)
    for i in range(5):
        x = -2.5 + i
        d.poly(d.lit(PAPER if i % 2 else IRON), (x, 0.4), (x + 1, 0.4), (x + 1, 7), (x, 7))
    d.box(case, -6, 0, -2.4, 7.4, 0.5)
    d.box(case, 2.4, 0, 6, 7.4, 0.5)
    d.box(d.lit(PAPER), -5.6, 0.8, -4, 6.6)
    for i in range(5):
        d.box(d.lit(DARK), -5.6, 1.4 + i * 1.05, -4.7, 1.9 + i * 1.05)
    for x in (3.6, 4.8):
        for y in (1.6, 3.4, 5.2):
            d.disc(d.lit(GOLD), x, y, 0.4)


def battery(d: Pen) -> None:
    cell = d.own((70, 170, 96))
    d.box(d.lit(STEEL), -1, 8.8, 1, 10, 0.2)
    d.box(d.lit(DARK), -2.6, 0, 2.6, 9, 0.5)
    d.box(cell, -2.6, 0.6, 2.6, 5.8)
    bolt = ((0.8, 7.4), (-1.5, 3.9), (-0.1, 3.9), (-0.8, 1.4), (1.5, 4.9), (0.1, 4.9))
    d.poly(d.lit(GOLD), *bolt)
