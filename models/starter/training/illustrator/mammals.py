"""Mammals with large heads: those that sit or stand show their face, the long-necked ones their side.

Each is drawn on the pen's grid and looks to the right, so that one animal has one shape.
"""

from models.starter.training.illustrator.palette import Color, darker, lighter
from models.starter.training.illustrator.pen import CREAM, DARK, GOLD, PAPER, PINK, Pen


def _four_legs(d: Pen, c: Color, *, reach: float, height: float, width: float) -> None:
    """Four thick legs, the far pair darker."""
    for x, shade in ((-0.62, 0.25), (0.62, 0.25), (-1.0, 0.0), (1.0, 0.0)):
        d.box(darker(c, shade), x * reach - width / 2, 0, x * reach + width / 2, height, 0.3)


def _sitting(d: Pen, fur: Color, belly: Color) -> None:
    """A body that sits and looks at us; the head goes on top, around (0, 6.9)."""
    d.oval(fur, 0, 2.9, 2.9, 2.9)
    d.oval(belly, 0, 2.6, 1.7, 2)
    for side in (-1, 1):
        d.oval(fur, side * 2.1, 0.7, 1.5, 0.8)
        d.stroke(darker(fur, 0.12), 1.2, (side * 2.3, 4.2), (side * 1.7, 1.9))


def _pointed_ears(d: Pen, fur: Color, x: float, y: float, gap: float) -> None:
    for side in (-1, 1):
        d.poly(fur, (x + side * gap * 0.35, y), (x + side * gap * 1.25, y - 0.5), (x + side * gap * 1.15, y + 1.9))


def _walking(d: Pen, fur: Color, legs: Color) -> None:
    """A body from the side on four legs; the head goes to the right, around (3, 6.6)."""
    _four_legs(d, legs, reach=2.7, height=3.2, width=1.15)
    d.box(fur, -3.5, 2.2, 3.6, 5.6, 1.6)


def fox(d: Pen) -> None:
    fur = d.own((236, 116, 42))
    white = d.lit(PAPER)
    d.poly(fur, (-2.6, 3), (-4.6, 3.6), (-6.2, 6.4), (-5.4, 8.4), (-3.6, 6.4), (-2.4, 5.2))
    d.poly(white, (-6.2, 6.4), (-5.4, 8.4), (-4.5, 7.4), (-5, 6))
    _walking(d, fur, d.lit((74, 46, 40)))
    _pointed_ears(d, fur, 3, 8.6, 2)
    d.poly(fur, (0.2, 8), (1.6, 9), (4.4, 9), (5.8, 8), (3, 4))
    for side in (-1, 1):
        d.poly(white, (3 + side * 2.8, 7.9), (3 + side * 0.5, 6.4), (3, 4), (3 + side * 1.4, 5.7))
    d.eyes(3, 7.5, 1.1, 0.38)
    d.disc(d.lit(DARK), 3, 4.4, 0.55)


def dog(d: Pen) -> None:
    fur = d.own((192, 136, 80))
    d.stroke(fur, 0.9, (-3.2, 4.8), (-4.6, 7))
    _walking(d, fur, darker(fur, 0.08))
    d.disc(fur, 3, 7, 2.6)
    for side in (-1, 1):
        d.oval(darker(fur, 0.4), 3 + side * 2.5, 6.8, 0.95, 2)
    d.oval(lighter(fur, 0.55), 3, 6, 1.5, 1.2)
    d.eyes(3, 7.7, 1, 0.4)
    d.oval(d.lit(DARK), 3, 6.6, 0.6, 0.45)
    d.oval(d.lit((226, 92, 100)), 3, 5, 0.5, 0.7)


def wolf(d: Pen) -> None:
    fur = d.own((124, 132, 148))
    pale = lighter(fur, 0.6)
    d.poly(fur, (-3, 5.2), (-5.6, 4.4), (-6.2, 1.8), (-4.4, 2.4), (-3, 3.4))
    _walking(d, fur, darker(fur, 0.15))
    _pointed_ears(d, fur, 3, 8.6, 1.8)
    d.poly(fur, (0.4, 7.4), (1.6, 9.1), (4.4, 9.1), (5.6, 7.4), (4.2, 4.8), (1.8, 4.8))
    d.oval(pale, 3, 5.6, 1.2, 1.2)
    for side in (-1, 1):
        d.oval(d.lit(GOLD), 3 + side * 1.1, 7.5, 0.45, 0.4)
        d.disc(d.lit(DARK), 3 + side * 1.1, 7.5, 0.22)
    d.disc(d.lit(DARK), 3, 5.8, 0.5)


def cow(d: Pen) -> None:
    hide, spot = d.own((246, 244, 240)), d.lit((60, 48, 48))
    if d.color == "black":
        spot = d.lit(PAPER)
    d.stroke(spot, 0.4, (-3.6, 5), (-4.6, 2.6))
    _walking(d, hide, darker(hide, 0.08))
    d.oval(spot, -1.8, 4.4, 1.3, 0.9)
    d.oval(spot, 0.6, 3.4, 0.9, 0.7)
    for side in (-1, 1):
        d.stroke(d.lit(CREAM), 0.5, (3 + side * 1.2, 8.6), (3 + side * 2, 9.9))
        d.oval(spot, 3 + side * 2.6, 8, 1, 0.6)
    d.box(hide, 1.2, 4.6, 4.8, 9, 1.3)
    d.oval(d.lit(PINK), 3, 5.2, 2, 1.3)
    for side in (-1, 1):
        d.disc(darker(d.lit(PINK), 0.45), 3 + side * 0.8, 5.2, 0.3)
    d.eyes(3, 7.5, 1, 0.4)


def pig(d: Pen) -> None:
    skin = d.own(PINK)
    d.hoop(darker(skin, 0.15), -4, 4.8, 0.7, 0.7, 0.3)
    _four_legs(d, darker(skin, 0.1), reach=2.3, height=2.4, width=1.2)
    d.oval(skin, -0.4, 3.8, 3.6, 2.6)
    for side in (-1, 1):
        d.poly(darker(skin, 0.18), (3 + side * 0.7, 7.6), (3 + side * 2.2, 7), (3 + side * 2, 9))
    d.disc(skin, 3, 5.6, 2.5)
    d.oval(darker(skin, 0.16), 3, 5, 1.2, 0.9)
    for side in (-1, 1):
        d.disc(d.lit(DARK), 3 + side * 0.45, 5, 0.24)
    d.eyes(3, 6.6, 1, 0.36)


def sheep(d: Pen) -> None:
    wool, face = d.own((248, 246, 240)), d.lit((64, 56, 60))
    _four_legs(d, face, reach=2.1, height=2.6, width=0.9)
    for x, y in ((-2.6, 4.2), (-1.2, 5.6), (0.8, 5.8), (2.2, 4.6), (-1.6, 3.2), (1, 3.2)):
        d.disc(wool, x, y, 1.8)
    d.box(wool, -2.6, 2.6, 2.4, 5.8)
    for side in (-1, 1):
        d.oval(face, 3.6 + side * 1.9, 6.6, 0.9, 0.5)
    d.oval(face, 3.6, 5.8, 1.5, 2)
    d.disc(wool, 3.6, 7.5, 1.2)
    for side in (-1, 1):
        d.disc((250, 250, 250), 3.6 + side * 0.55, 6.1, 0.36)
        d.disc(DARK, 3.6 + side * 0.55, 6.1, 0.18)


def bear(d: Pen) -> None:
    fur = d.own((128, 82, 52))
    pale = lighter(fur, 0.4)
    _sitting(d, fur, pale)
    for side in (-1, 1):
        d.disc(fur, side * 2.2, 9.1, 1)
        d.disc(pale, side * 2.2, 9.1, 0.5)
    d.disc(fur, 0, 7, 2.9)
    d.oval(pale, 0, 6.2, 1.4, 1.1)
    d.eyes(0, 7.6, 1.1, 0.36)
    d.oval(d.lit(DARK), 0, 6.7, 0.6, 0.42)


def panda(d: Pen) -> None:
    white, black = d.own((248, 248, 244)), d.lit((48, 46, 54))
    _sitting(d, black, white)
    for side in (-1, 1):
        d.disc(black, side * 2.3, 9.1, 1.05)
    d.disc(white, 0, 7, 2.9)
    for side in (-1, 1):
        d.oval(black, side * 1.2, 7.3, 0.85, 1)
        d.disc((250, 250, 250), side * 1.1, 7.5, 0.3)
    d.oval(black, 0, 6.1, 0.55, 0.4)


def lion(d: Pen) -> None:
    fur, mane = d.own((232, 172, 84)), d.lit((156, 84, 36))
    d.stroke(fur, 0.6, (2.4, 1), (4.6, 2), (4.8, 4))
    d.disc(mane, 4.8, 4.4, 0.8)
    _sitting(d, fur, lighter(fur, 0.35))
    d.disc(mane, 0, 7, 3.9)
    d.disc(fur, 0, 6.9, 2.5)
    d.oval(lighter(fur, 0.5), 0, 6, 1.2, 0.9)
    d.eyes(0, 7.5, 1, 0.36)
    d.poly(d.lit((120, 60, 50)), (-0.6, 6.8), (0.6, 6.8), (0, 6.1))


def tiger(d: Pen) -> None:
    fur, stripe = d.own((240, 146, 50)), d.lit((52, 42, 42))
    d.stroke(fur, 0.8, (2.4, 1), (4.6, 1.8), (4.8, 4.4))
    _sitting(d, fur, d.lit(PAPER))
    for side in (-1, 1):
        d.disc(fur, side * 2.1, 9.1, 0.95)
        for y in (2.4, 3.8):
            d.poly(stripe, (side * 2.9, y + 0.4), (side * 2.9, y - 0.3), (side * 1.8, y))
    d.disc(fur, 0, 7, 2.8)
    d.oval(d.lit(PAPER), 0, 5.9, 1.5, 1)
    for x in (-0.8, 0, 0.8):
        d.poly(stripe, (x - 0.3, 9.8), (x + 0.3, 9.8), (x, 8.4))
    for side in (-1, 1):
        for y in (7.6, 6.5):
            d.poly(stripe, (side * 2.9, y + 0.35), (side * 2.9, y - 0.35), (side * 1.8, y))
    d.eyes(0, 7.4, 1, 0.36)
    d.poly(d.lit((210, 100, 100)), (-0.5, 6.6), (0.5, 6.6), (0, 6))


def monkey(d: Pen) -> None:
    fur, face = d.own((132, 84, 54)), d.lit((240, 200, 160))
    d.arc(fur, 3.6, 3.4, 1.9, 2.8, 200, 60, 0.7)
    _sitting(d, fur, face)
    for side in (-1, 1):
        d.disc(fur, side * 3, 7.2, 1.2)
        d.disc(face, side * 3, 7.2, 0.7)
    d.disc(fur, 0, 7.2, 2.8)
    for side in (-1, 1):
        d.disc(face, side * 0.9, 7.6, 1.2)
    d.oval(face, 0, 6, 1.8, 1.4)
    d.eyes(0, 7.5, 0.8, 0.36)
    d.arc(d.lit((140, 70, 60)), 0, 6.2, 0.9, 0.7, 20, 160, 0.3)


def mouse(d: Pen) -> None:
    fur = d.own((160, 160, 170))
    d.stroke(d.lit(PINK), 0.4, (2, 0.6), (4.6, 0.6), (5.4, 2.2))
    _sitting(d, fur, lighter(fur, 0.5))
    for side in (-1, 1):
        d.disc(fur, side * 2.6, 8.6, 1.8)
        d.disc(d.lit(PINK), side * 2.6, 8.6, 1.1)
    d.poly(fur, (-2.6, 7.4), (2.6, 7.4), (0, 4))
    d.dome(fur, 0, 7.3, 2.6, 2.2)
    d.eyes(0, 7.1, 1, 0.38)
    d.disc(d.lit(PINK), 0, 4.6, 0.55)


def _profile(d: Pen, coat: Color, *, legs: float) -> None:
    """Body and legs of a tall animal from the side; the neck begins at (2.4, 6)."""
    _four_legs(d, darker(coat, 0.08), reach=2.5, height=legs + 1, width=0.85)
    d.box(coat, -3.3, legs, 3.2, legs + 2.7, 1.3)


def horse(d: Pen) -> None:
    coat = d.own((158, 96, 54))
    mane = darker(coat, 0.5)
    d.poly(mane, (-3.2, 6), (-4.6, 5.4), (-4.8, 1.8), (-3.8, 3.4))
    _profile(d, coat, legs=3.2)
    d.poly(coat, (0.8, 5.6), (2.6, 9.3), (4.4, 8.8), (3.2, 4.2))
    d.poly(mane, (0.4, 5.8), (1.9, 9.8), (3.2, 9.9), (1.6, 5.4))
    d.poly(coat, (2.4, 9.6), (4, 9.4), (6, 7.4), (5.2, 6.5), (3, 7.4))
    d.poly(coat, (2.7, 9.4), (3.6, 9.4), (3.3, 10.6))
    d.disc(d.lit(DARK), 3.9, 8.5, 0.32)
    d.oval(darker(coat, 0.35), 5.5, 7, 0.5, 0.45)


def unicorn(d: Pen) -> None:
    coat, mane = d.lit((250, 248, 252)), d.own((236, 120, 180))
    d.poly(mane, (-3.2, 6), (-4.8, 5.4), (-5, 1.6), (-3.8, 3.4))
    _profile(d, coat, legs=3.2)
    d.poly(coat, (0.8, 5.6), (2.6, 9.3), (4.4, 8.8), (3.2, 4.2))
    d.poly(mane, (0, 5.8), (1.6, 9.8), (3.2, 9.9), (1.7, 5.4))
    d.poly(coat, (2.4, 9.6), (4, 9.4), (6, 7.4), (5.2, 6.5), (3, 7.4))
    d.poly(d.lit(GOLD), (3.4, 9.5), (4.2, 9.1), (5.2, 12))
    d.disc(d.lit(DARK), 3.9, 8.5, 0.32)


def camel(d: Pen) -> None:
    coat = d.own((206, 156, 92))
    d.stroke(darker(coat, 0.3), 0.4, (-3.3, 5.4), (-4.2, 3.2))
    _profile(d, coat, legs=3.4)
    for x in (-1.7, 1.1):
        d.dome(coat, x, 5.6, 1.5, 2.6)
    d.stroke(coat, 1.4, (3, 4.6), (4.8, 4.6), (5.4, 8.4))
    d.box(coat, 4.7, 7.8, 7.6, 9.4, 0.7)
    d.poly(coat, (4.8, 9.2), (5.6, 9.2), (5, 10.2))
    d.disc(d.lit(DARK), 6, 8.9, 0.26)
    d.stroke(darker(coat, 0.4), 0.25, (6.6, 8.2), (7.5, 8.2))


def deer(d: Pen) -> None:
    coat, antler = d.own((176, 110, 62)), d.lit((236, 214, 172))
    d.disc(d.lit(PAPER), -3.4, 5.4, 0.7)
    _profile(d, coat, legs=3.6)
    d.poly(coat, (1.2, 5.6), (2.6, 8.4), (4, 8.2), (3.2, 4.4))
    for side, lean in ((-1, -1.2), (1, 0.9)):
        d.stroke(antler, 0.45, (3 + side * 0.3, 8.8), (3 + lean, 10.6), (3 + lean * 1.9, 12))
        d.stroke(antler, 0.4, (3 + lean, 10.6), (3 + lean * 0.4, 11.8))
    d.poly(coat, (2, 8.8), (4, 8.9), (5.8, 7.4), (5.3, 6.7), (2.6, 7))
    d.poly(darker(coat, 0.2), (2.4, 8.6), (0.8, 9), (1.2, 8))
    d.disc(d.lit(DARK), 3.8, 8, 0.3)
    d.disc(d.lit(DARK), 5.5, 7.1, 0.35)


def giraffe(d: Pen) -> None:
    coat, patch = d.own((244, 200, 96)), d.lit((170, 104, 52))
    _four_legs(d, coat, reach=2, height=3.6, width=0.75)
    d.box(coat, -2.7, 2.9, 2.6, 5, 0.9)
    d.poly(coat, (0.8, 4.4), (2.6, 4), (4, 9.6), (2.8, 9.8))
    for x, y, r in ((-1.7, 4.1, 0.6), (0, 3.7, 0.55), (1.7, 4.6, 0.5), (2.5, 6.2, 0.45), (2.9, 7.8, 0.4)):
        d.disc(patch, x, y, r)
    for x in (3, 3.7):
        d.stroke(patch, 0.3, (x, 10), (x, 11))
    d.poly(coat, (2.6, 10.3), (4.2, 10.3), (5.8, 9.2), (5.4, 8.5), (3, 8.9))
    d.poly(patch, (2.8, 10), (1.7, 10.3), (2.6, 9.4))
    d.disc(d.lit(DARK), 4, 9.7, 0.25)


def elephant(d: Pen) -> None:
    skin = d.own((142, 150, 170))
    d.stroke(darker(skin, 0.2), 0.35, (-3.9, 5.4), (-4.8, 3))
    _four_legs(d, darker(skin, 0.1), reach=2.4, height=3.4, width=1.6)
    d.oval(skin, -0.6, 4.9, 3.7, 3)
    d.stroke(skin, 1.3, (4.4, 6), (5.6, 3.6), (5.6, 1.6), (6.6, 1))
    d.disc(skin, 3.2, 6.7, 2.6)
    d.oval(darker(skin, 0.2), 1.4, 6.6, 1.6, 2.4)
    d.poly(d.lit(PAPER), (4, 5.2), (4.7, 5), (5.4, 3.2))
    d.disc(d.lit(DARK), 4.1, 7.3, 0.34)


def hedgehog(d: Pen) -> None:
    spines, face = d.own((124, 88, 64)), d.lit((238, 206, 166))
    for i in range(9):
        x = -4.6 + i * 0.95
        d.poly(spines, (x - 0.9, 3), (x + 1.3, 3), (x - 0.4, 6.8 - abs(i - 4) * 0.55))
    d.dome(spines, -0.6, 0.8, 4.6, 4.8)
    d.poly(face, (1.6, 4.4), (2.4, 0.8), (3.6, 0.7), (6, 1.9), (3.6, 4))
    d.disc(d.lit(DARK), 5.8, 2, 0.55)
    d.disc(d.lit(DARK), 3.6, 2.9, 0.38)
    for x in (-2.4, 1.6):
        d.oval(face, x, 0.5, 0.9, 0.5)


def bat(d: Pen) -> None:
    fur = d.own((112, 92, 136))
    for side in (-1, 1):
        d.poly(fur, (side * 0.6, 1.6), (side * 4, 3), (side * 7, 2), (side * 6.2, -0.4), (side * 4.6, 0.2),
               (side * 3.4, -1.2), (side * 2, -0.4), (side * 0.6, -1.4))  # fmt: skip
        d.poly(fur, (side * 0.3, 2.2), (side * 1.4, 2), (side * 1.3, 3.8))
    d.oval(fur, 0, -0.3, 1.3, 1.9)
    d.disc(fur, 0, 1.6, 1.5)
    d.eyes(0, 1.8, 0.6, 0.36)
