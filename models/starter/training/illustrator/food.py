"""Fruit, bread and sweets, and what grows. Each is drawn on the pen's grid."""

import math

from models.starter.training.illustrator.palette import darker, lighter
from models.starter.training.illustrator.pen import CREAM, DARK, GOLD, LEAF, PAPER, PINK, RED, WOOD, Pen


def apple(d: Pen) -> None:
    skin = d.own(RED)
    for side in (-1, 1):
        d.oval(skin, side * 1.5, 4, 2.9, 4)
    d.stroke(d.lit(WOOD), 0.5, (0, 7), (0.5, 9.4))
    d.poly(d.lit(LEAF), (0.6, 8.4), (2.2, 10), (4, 9.4), (2.4, 8))
    d.oval(lighter(skin, 0.55), -2.4, 5.4, 0.6, 1.1)


def banana(d: Pen) -> None:
    skin = d.own((250, 214, 70))
    d.arc(skin, 0.6, 8.6, 5.8, 7, 15, 165, 2.4)
    d.box(d.lit(WOOD), -5.4, 6.8, -4.2, 8.4, 0.3)
    d.disc(d.lit(WOOD), 5.2, 6.6, 0.7)


def pumpkin(d: Pen) -> None:
    skin = d.own((238, 134, 42))
    d.box(d.lit(LEAF), -0.5, 6.6, 0.7, 9, 0.3)
    for x, shade in ((-3.2, 0.14), (3.2, 0.14), (-1.7, 0.06), (1.7, 0.06), (0, 0.0)):
        d.oval(darker(skin, shade), x, 3.6, 2.4, 3.7)


def carrot(d: Pen) -> None:
    root = d.own((240, 128, 44))
    for x in (-1.4, 0, 1.4):
        d.stroke(d.lit(LEAF), 0.8, (0, 6.6), (x, 9.8))
    d.poly(root, (-2, 6.2), (2, 6.2), (0, -0.2))
    d.oval(root, 0, 6.2, 2, 0.9)
    for x, y in ((-1.4, 4.8), (0.2, 3.4)):
        d.box(darker(root, 0.25), x, y, x + 1.1, y + 0.3)


def egg(d: Pen) -> None:
    shell = d.own(CREAM)
    d.oval(shell, 0, 3.6, 3.2, 3.6)
    d.dome(shell, 0, 3.8, 3.1, 4.8)
    d.oval(lighter(shell, 0.7), -1.2, 5.6, 0.5, 1)


def bread(d: Pen) -> None:
    crust = d.own((202, 138, 70))
    d.dome(crust, 0, 1.8, 5.6, 5.2)
    d.box(crust, -5.6, 0, 5.6, 2.2, 0.8)
    for x in (-2.8, 0, 2.8):
        d.stroke(lighter(crust, 0.45), 0.7, (x - 0.9, 3.2), (x + 0.9, 5.4))


def cheese(d: Pen) -> None:
    rind = d.own((250, 204, 84))
    d.poly(lighter(rind, 0.35), (-5, 4.4), (5, 4.4), (3.4, 7), (-1, 7.4))
    d.box(rind, -5, 0, 5, 4.5)
    for x, y, r in ((-3, 2.4, 0.9), (0.2, 1.4, 0.7), (2.8, 2.8, 1.0)):
        d.disc(darker(rind, 0.3), x, y, r)


def pizza(d: Pen) -> None:
    cheese_color = d.own((250, 206, 92))
    d.poly(cheese_color, (-4.4, 8.4), (4.4, 8.4), (0, 0))
    d.box(d.lit((196, 124, 60)), -4.9, 7.9, 4.9, 9.7, 0.8)
    for x, y in ((-1.8, 6.4), (1.7, 6), (0, 3.6)):
        d.disc(d.lit(RED), x, y, 0.95)


def icecream(d: Pen) -> None:
    scoop = d.own((250, 184, 200))
    d.poly(d.lit((220, 164, 92)), (-2.5, 5), (2.5, 5), (0, -0.2))
    d.stroke(d.lit((176, 116, 60)), 0.3, (-1.6, 4.8), (0.7, 1.6))
    d.stroke(d.lit((176, 116, 60)), 0.3, (1.6, 4.8), (-0.7, 1.6))
    d.disc(scoop, 0, 6.6, 2.9)
    for x in (-2, 0, 2):
        d.disc(scoop, x, 4.9, 0.95)
    d.disc(d.lit(RED), 0.3, 9.6, 0.8)


def candy(d: Pen) -> None:
    """A lollipop."""
    sugar = d.own((236, 84, 120))
    d.box(d.lit(PAPER), -0.35, 0, 0.35, 5)
    d.disc(sugar, 0, 6.9, 3.2)
    d.hoop(lighter(sugar, 0.7), 0, 6.9, 2.2, 2.2, 0.6)
    d.disc(lighter(sugar, 0.7), 0, 6.9, 0.8)


def grapes(d: Pen) -> None:
    skin = d.own((122, 70, 160))
    d.stroke(d.lit(WOOD), 0.5, (0, 8), (0.4, 9.8))
    d.poly(d.lit(LEAF), (0.4, 8.6), (2.2, 10), (4, 8.8), (2, 8))
    for row, count in enumerate((4, 3, 2, 1)):
        for i in range(count):
            x, y = (i - (count - 1) / 2) * 2.1, 7.2 - row * 1.9
            d.disc(skin if (i + row) % 2 else darker(skin, 0.14), x, y, 1.25)


def leaf(d: Pen) -> None:
    green = d.own(LEAF)
    d.poly(green, (0, 1.4), (-3.4, 4.2), (-2.8, 7.4), (0, 10), (2.8, 7.4), (3.4, 4.2))
    vein = darker(green, 0.3)
    d.stroke(vein, 0.35, (0, 0), (0, 8.6))
    for y in (3, 5):
        for side in (-1, 1):
            d.stroke(vein, 0.25, (0, y), (side * 1.8, y + 1.5))


def cactus(d: Pen) -> None:
    green = d.own((66, 148, 88))
    d.stroke(green, 1.5, (-1, 3.6), (-3.2, 3.8), (-3.2, 6.6))
    d.stroke(green, 1.5, (1, 4.6), (3.2, 4.8), (3.2, 7.6))
    d.box(green, -1.4, 0, 1.4, 10, 1.3)
    for x in (-0.5, 0.5):
        d.box(darker(green, 0.25), x - 0.12, 0.4, x + 0.12, 9)
    d.disc(d.lit(PINK), 0, 10, 0.7)


def flower(d: Pen) -> None:
    petal = d.own((246, 200, 60))
    d.stroke(d.lit(LEAF), 0.6, (0, 0), (0, 6))
    for side in (-1, 1):
        d.poly(d.lit(LEAF), (0, 1.4), (side * 1.4, 3.2), (side * 3.2, 3.4), (side * 1.8, 1.8))
    for i in range(8):
        a = i * math.pi / 4
        d.disc(petal, math.cos(a) * 2.1, 7 + math.sin(a) * 2.1, 1.15)
    d.disc(d.lit((120, 74, 44)), 0, 7, 1.6)


def snowman(d: Pen) -> None:
    snow = d.lit((244, 248, 252))
    d.disc(snow, 0, 2.5, 2.9)
    d.disc(snow, 0, 6.4, 2.1)
    d.box(d.own(RED), -2, 4.9, 2, 5.7, 0.3)
    d.box(d.own(RED), 0.8, 3.2, 1.6, 5.4)
    d.eyes(0, 7, 0.8, 0.3)
    d.poly(d.lit((240, 128, 44)), (0, 6.6), (0, 6), (2, 6.1))
    d.box(d.lit(DARK), -1.9, 8, 1.9, 8.6)
    d.box(d.lit(DARK), -1.3, 8.4, 1.3, 10.2)
    for side in (-1, 1):
        d.stroke(d.lit(WOOD), 0.35, (side * 2.4, 3.6), (side * 4.6, 5.4))
    for y in (1.8, 3.2):
        d.disc(d.lit(DARK), 0, y, 0.3)


def honey(d: Pen) -> None:
    """A jar of something golden."""
    inside = d.own((240, 170, 50))
    d.box(inside, -3.2, 0, 3.2, 7, 0.9)
    d.box(d.lit(PAPER), -2.4, 1.8, 2.4, 4.8, 0.2)
    d.box(d.lit(GOLD), -0.9, 2.6, 0.9, 4)
    d.box(d.lit(WOOD), -3.5, 6.8, 3.5, 8.6, 0.3)
    d.box(lighter(inside, 0.5), -2.8, 5.2, -2.2, 6.6)


def pear(d: Pen) -> None:
    skin = d.own((176, 204, 74))
    d.disc(skin, 0, 3, 3.1)
    d.poly(skin, (-2.9, 4), (2.9, 4), (1.3, 7.6), (-1.3, 7.6))
    d.disc(skin, 0, 7.2, 1.45)
    d.stroke(d.lit(WOOD), 0.5, (0, 8.2), (0.6, 9.8))
    d.oval(lighter(skin, 0.45), -1.4, 3.8, 0.6, 1.1)


def lemon(d: Pen) -> None:
    skin = d.own((252, 218, 66))
    d.oval(skin, 0, 3.6, 4.4, 3.4)
    d.poly(skin, (-3.8, 5), (-5.8, 3.6), (-3.8, 2.2))
    d.poly(skin, (3.8, 5), (5.8, 3.6), (3.8, 2.2))
    d.poly(d.lit(LEAF), (0.4, 6.6), (1.8, 8.8), (4, 8.6), (2.6, 6.6))
    d.oval(lighter(skin, 0.6), -1.6, 5, 1, 0.5)


def acorn(d: Pen) -> None:
    nut = d.own((188, 122, 64))
    d.dome(nut, 0, 5.4, 2.8, 5, bowl=True)
    d.poly(nut, (-0.6, 0.8), (0.6, 0.8), (0, -0.2))
    d.dome(darker(nut, 0.45), 0, 5, 3.5, 3)
    d.stroke(darker(nut, 0.45), 0.7, (0, 7.8), (0.5, 9.6))
    d.oval(lighter(nut, 0.5), -1.2, 3.8, 0.4, 0.9)


def burger(d: Pen) -> None:
    bun = d.own((222, 156, 80))
    d.box(bun, -4.6, 0, 4.6, 2, 0.8)
    d.box(d.lit((110, 62, 40)), -4.9, 1.8, 4.9, 3.4, 0.6)
    d.poly(d.lit(GOLD), (-4.6, 3.5), (4.6, 3.5), (2, 2.2), (0.4, 3.3), (-2, 2.2))
    for i in range(5):
        d.dome(d.lit(LEAF), -4 + 2 * i, 4, 1.2, 0.9, bowl=True)
    d.dome(bun, 0, 3.9, 4.8, 4.4)
    for x, y in ((-2.2, 6.2), (0, 7.2), (2.2, 6.2), (-0.8, 5.6), (1.2, 5.4)):
        d.oval(d.lit(CREAM), x, y, 0.35, 0.25)


def donut(d: Pen) -> None:
    icing = d.own(PINK)
    d.disc(d.lit((214, 154, 88)), 0, 4.2, 4.3)
    d.disc(icing, 0, 4.4, 3.8)
    for i in range(8):
        a = i * math.pi / 4 + 0.3
        d.disc(d.lit((PAPER, GOLD, RED)[i % 3]), math.cos(a) * 2.6, 4.4 + math.sin(a) * 2.6, 0.35)
    d.disc(d.lit((150, 98, 56)), 0, 4.3, 1.4)


def cookie(d: Pen) -> None:
    dough = d.own((216, 164, 98))
    d.disc(darker(dough, 0.2), 0, 4, 4.2)
    d.disc(dough, 0, 4.2, 4)
    for x, y in ((-1.8, 5.6), (1.2, 6.2), (0, 4), (-2.2, 2.8), (2.2, 3.6), (0.6, 1.8)):
        d.disc(d.lit((92, 56, 38)), x, y, 0.65)
