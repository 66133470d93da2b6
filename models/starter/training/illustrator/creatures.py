"""Birds, reptiles, small animals and beasts of tales, on the pen's grid, looking to the right or at us."""

import math

from models.starter.training.illustrator.palette import Color, darker, lighter
from models.starter.training.illustrator.pen import CREAM, DARK, GOLD, LEAF, PAPER, PINK, RED, Pen

_BEAK: Color = (244, 164, 52)


def bird(d: Pen) -> None:
    """A small round bird."""
    plumage = d.own((76, 140, 206))
    for x in (-0.4, 1):
        d.stroke(d.lit(_BEAK), 0.35, (x, 0), (x, 2))
    d.poly(darker(plumage, 0.25), (-2.6, 4), (-6, 5.6), (-5.4, 3.6), (-2.4, 2.4))
    d.oval(plumage, 0, 4.2, 3.2, 2.7)
    d.disc(plumage, 2, 6.8, 2)
    d.oval(d.lit(CREAM), 1, 3.6, 1.7, 1.7)
    d.poly(darker(plumage, 0.25), (-2.8, 5.4), (0.4, 5.4), (-0.8, 2.8))
    d.poly(d.lit(_BEAK), (3.7, 7.2), (3.7, 6), (5.6, 6.4))
    d.disc(d.lit(DARK), 2.6, 7.2, 0.4)


def duck(d: Pen) -> None:
    plumage = d.own((250, 216, 76))
    d.poly(plumage, (-3, 3.6), (-5.6, 5.4), (-4, 1.6))
    d.oval(plumage, -0.4, 2.6, 4.2, 2.6)
    d.disc(plumage, 2.2, 6.4, 2.2)
    d.oval(darker(plumage, 0.15), -1, 3, 2.2, 1.4)
    d.oval(d.lit(_BEAK), 4.6, 6, 1.3, 0.6)
    d.disc(d.lit(DARK), 2.8, 7, 0.42)


def swan(d: Pen) -> None:
    plumage = d.own((250, 250, 252))
    d.poly(plumage, (-2.6, 3), (-5.6, 5), (-4.4, 0.8))
    d.oval(plumage, -0.6, 2.2, 4.4, 2.2)
    d.stroke(plumage, 1.1, (2.8, 2.4), (4.2, 5), (2.8, 7), (3.2, 8.6))
    d.oval(plumage, 3.7, 8.9, 1.3, 1)
    d.poly(d.lit((240, 120, 50)), (4.7, 9.3), (4.7, 8.3), (6.4, 8.4))
    d.disc(d.lit(DARK), 4, 9.1, 0.28)
    d.dome(darker(plumage, 0.12), -1, 2.2, 2.6, 2.4)


def chicken(d: Pen) -> None:
    plumage = d.own((250, 244, 232))
    for x in (-0.8, 0.8):
        d.stroke(d.lit(_BEAK), 0.4, (x, 0), (x, 2))
    d.poly(darker(plumage, 0.15), (-2, 4), (-5, 8), (-5.4, 5), (-3.4, 2.6))
    d.oval(plumage, 0, 3.8, 3.4, 2.7)
    d.poly(plumage, (0.8, 4.4), (1.2, 8), (3.4, 7.6), (3.2, 3.4))
    d.disc(plumage, 2.3, 7.8, 1.4)
    for x in (1.4, 2.3, 3.1):
        d.disc(d.lit(RED), x, 9.3, 0.6)
    d.poly(d.lit(_BEAK), (3.5, 8.2), (3.5, 7.2), (5, 7.6))
    d.oval(d.lit(RED), 3.5, 6.6, 0.4, 0.7)
    d.disc(d.lit(DARK), 2.6, 8.1, 0.32)
    d.dome(darker(plumage, 0.15), -0.6, 4.6, 1.9, 2, bowl=True)


def parrot(d: Pen) -> None:
    plumage = d.own((214, 50, 48))
    d.poly(d.lit((54, 106, 196)), (-1.4, 3), (0.2, 2.6), (-0.6, -1.6), (-2, -1.2))
    d.oval(plumage, 0, 4.4, 2.2, 3.2)
    d.poly(d.lit((64, 160, 92)), (-2.2, 5.8), (-0.2, 5.8), (-1, 1), (-2.4, 2.2))
    d.disc(plumage, 0.6, 7.8, 2)
    d.disc(d.lit(PAPER), 1.4, 8, 0.85)
    d.disc(d.lit(DARK), 1.5, 8.1, 0.36)
    d.poly(d.lit(DARK), (2.2, 8.6), (3.8, 7.8), (3.1, 5.8), (2.2, 7))
    d.box(d.lit((120, 80, 52)), -3.4, 0.6, 3.4, 1.4, 0.3)


def eagle(d: Pen) -> None:
    """A great bird with spread wings."""
    plumage = d.own((112, 76, 50))
    for side in (-1, 1):
        d.poly(plumage, (side * 0.6, 1.4), (side * 3.4, 3.4), (side * 7.4, 2.8), (side * 6.6, 1.4), (side * 6.8, 0.4),
               (side * 5.2, 0), (side * 3, -0.9), (side * 0.6, -1))  # fmt: skip
    d.poly(d.lit(PAPER), (-0.9, -1.8), (0.9, -1.8), (1.6, -3.8), (-1.6, -3.8))
    d.oval(plumage, 0, -0.2, 1.3, 2.3)
    d.disc(d.lit(PAPER), 0, 2.2, 1.3)
    d.poly(d.lit(_BEAK), (-0.5, 2), (0.5, 2), (0, 0.9))
    d.eyes(0, 2.5, 0.55, 0.25)


def frog(d: Pen) -> None:
    skin = d.own((98, 182, 82))
    for side in (-1, 1):
        d.oval(darker(skin, 0.15), side * 3.4, 1.5, 1.6, 1.6)
        d.oval(darker(skin, 0.15), side * 3.6, 0.4, 2, 0.5)
    d.oval(skin, 0, 2.4, 3.1, 2.6)
    d.oval(lighter(skin, 0.55), 0, 2, 2, 1.8)
    for side in (-1, 1):
        d.disc(skin, side * 1.9, 7, 1.3)
    d.oval(skin, 0, 5.4, 3.6, 2.1)
    for side in (-1, 1):
        d.disc((250, 250, 250), side * 1.9, 7.2, 0.85)
        d.disc(DARK, side * 1.9, 7.2, 0.45)
    d.arc(darker(skin, 0.55), 0, 5.6, 2.2, 1.2, 15, 165, 0.35)


def turtle(d: Pen) -> None:
    skin, shell = d.lit((132, 186, 100)), d.own((62, 124, 82))
    for x in (-2.8, 2.4):
        d.box(skin, x - 0.9, 0, x + 0.9, 2.2, 0.6)
    d.poly(skin, (-3.8, 1.6), (-5.8, 1.2), (-3.6, 2.6))
    d.stroke(skin, 1.3, (3, 2.2), (5, 4))
    d.oval(skin, 5.6, 4.6, 1.5, 1.3)
    d.dome(shell, -0.4, 1.4, 4.6, 5.2)
    for x in (-2.3, -0.4, 1.5):
        d.disc(lighter(shell, 0.3), x, 3.6, 0.85)
    d.box(darker(shell, 0.25), -5, 1.2, 4.2, 2.1, 0.4)
    d.disc(d.lit(DARK), 6, 5, 0.32)


def snake(d: Pen) -> None:
    skin = d.own((96, 164, 72))
    for y, half in ((0.8, 4.4), (2.3, 3.4)):
        d.box(skin if half > 4 else darker(skin, 0.12), -half, y - 0.8, half, y + 0.9, 0.8)
    d.stroke(skin, 1.5, (0, 3), (-1.6, 5), (0.6, 7.4))
    d.oval(skin, 1.6, 8.2, 2, 1.3)
    d.stroke(d.lit(RED), 0.25, (3.5, 8), (5, 8))
    d.disc(d.lit(GOLD), 2, 8.7, 0.5)
    d.disc(d.lit(DARK), 2.1, 8.7, 0.25)


def crocodile(d: Pen) -> None:
    skin = d.own((86, 142, 80))
    d.poly(skin, (-2.4, 4), (-7, 1), (-2.4, 1))
    for x in (-2, 1.4):
        d.box(darker(skin, 0.15), x - 0.8, 0, x + 0.8, 2, 0.4)
    d.box(skin, -3.2, 1, 2.8, 4.2, 1.2)
    for i in range(5):
        d.poly(darker(skin, 0.3), (-3 + i * 1.2, 4), (-1.8 + i * 1.2, 4), (-2.4 + i * 1.2, 5.2))
    d.poly(skin, (2, 4.6), (3.4, 5.2), (7.4, 4.2), (7.4, 3.2), (2.2, 2.8))
    d.poly(darker(skin, 0.12), (2, 3.1), (7.2, 2.6), (7, 1.8), (2, 1.4))
    for i in range(4):
        d.poly(d.lit(PAPER), (3.8 + i * 0.9, 3.3), (4.5 + i * 0.9, 3.2), (4.1 + i * 0.9, 2.4))
    d.disc(d.lit(GOLD), 3.2, 5.1, 0.6)
    d.disc(d.lit(DARK), 3.3, 5.1, 0.3)


def snail(d: Pen) -> None:
    flesh, shell = d.lit((232, 196, 140)), d.own((196, 104, 62))
    d.box(flesh, -4.6, 0, 4, 1.8, 0.8)
    d.stroke(flesh, 1.5, (3.4, 1), (4.4, 4.4))
    for x in (4, 5.4):
        d.stroke(flesh, 0.4, (4.5, 4.6), (x, 7))
        d.disc(d.lit(DARK), x, 7.1, 0.4)
    d.disc(shell, -0.8, 4.2, 3.4)
    d.hoop(darker(shell, 0.35), -0.8, 4.2, 2.3, 2.3, 0.5)
    d.disc(darker(shell, 0.35), -0.8, 4.2, 0.9)


def spider(d: Pen) -> None:
    body = d.own((58, 50, 62))
    for side in (-1, 1):
        for rise, foot in ((6.6, 4.6), (5.6, 6), (4.2, 6.4), (3, 5.4)):
            d.stroke(body, 0.4, (side * 1, 3.6), (side * foot * 0.6, rise), (side * foot, rise * 0.2))
    d.disc(body, 0, 4.6, 2.4)
    d.disc(lighter(body, 0.12), 0, 2.3, 1.6)
    for side in (-1, 1):
        d.disc((250, 250, 250), side * 0.6, 2.6, 0.45)
        d.disc(DARK, side * 0.6, 2.6, 0.22)


def ladybug(d: Pen) -> None:
    back = d.own(RED)
    d.disc(d.lit(DARK), 3.4, 2.6, 1.7)
    for x in (-2, 0, 2):
        d.stroke(d.lit(DARK), 0.4, (x, 1), (x, 0))
    d.stroke(d.lit(DARK), 0.3, (4, 3.8), (5.2, 5.4))
    d.dome(back, -0.4, 0.8, 4, 5)
    for dx, dy in ((-2.4, 2.4), (-0.6, 4), (-0.2, 2), (1.8, 2.8)):
        d.disc(d.lit(DARK), dx, dy, 0.7)
    d.disc((250, 250, 250), 4, 3, 0.5)


def crab(d: Pen) -> None:
    shell = d.own((226, 88, 56))
    for side in (-1, 1):
        for foot in (3, 4.4):
            d.stroke(darker(shell, 0.2), 0.5, (side * 2, 2), (side * foot, 0.2))
        d.stroke(shell, 0.7, (side * 3, 3.2), (side * 4.8, 4.6))
        d.disc(shell, side * 5, 6, 1.6)
        d.poly(darker(shell, 0.6), (side * 5, 6), (side * 4.4, 7.8), (side * 5.6, 7.8))
        d.stroke(shell, 0.35, (side * 1, 4), (side * 1, 5.6))
        d.disc((250, 250, 250), side * 1, 5.9, 0.6)
        d.disc(DARK, side * 1, 5.9, 0.3)
    d.oval(shell, 0, 2.8, 3.6, 2.1)
    d.arc(darker(shell, 0.5), 0, 2.8, 1.4, 0.9, 20, 160, 0.3)


def octopus(d: Pen) -> None:
    skin = d.own((190, 92, 150))
    for i in range(6):
        x = (i - 2.5) * 1.3
        d.stroke(darker(skin, 0.06 * (i % 2) + 0.05), 0.95, (x * 0.7, 3.2), (x * 1.3, 1.2), (x * 1.9, 0.4))
    d.disc(skin, 0, 6.2, 3.6)
    d.box(skin, -2.6, 2.6, 2.6, 5)
    d.eyes(0, 5.6, 1.3, 0.55)


def shark(d: Pen) -> None:
    skin = d.own((112, 130, 152))
    d.poly(skin, (-3.6, 0.2), (-6.6, 3), (-5.6, 0), (-6.2, -2.2), (-3.6, -0.6))
    d.poly(darker(skin, 0.1), (-1.4, 1), (0.4, 4), (1.6, 1))
    d.oval(skin, 0, 0, 5, 1.9)
    d.poly(skin, (3.4, 1.2), (6.6, 0.3), (3.4, -1.2))
    d.dome(lighter(skin, 0.7), 0.6, -0.4, 4, 1.5, bowl=True)
    d.poly(darker(skin, 0.2), (0.8, -0.6), (-1.4, -3), (-0.8, -0.4))
    d.disc(d.lit(DARK), 3.6, 0.5, 0.32)


def dolphin(d: Pen) -> None:
    skin = d.own((92, 140, 190))
    d.poly(skin, (-3.4, -0.4), (-6.2, -0.2), (-5.4, -1.2), (-6, -2.8), (-3.2, -1.4))
    d.arc(skin, -0.2, -3.4, 4.6, 4.4, 200, 340, 2.4)
    d.poly(darker(skin, 0.1), (-1.4, 0.6), (-1.6, 2.8), (0.8, 0.8))
    d.oval(skin, 2.6, -0.8, 2.4, 1.5)
    d.poly(skin, (4.4, -0.4), (6.6, -1.8), (4, -2))
    d.oval(lighter(skin, 0.6), 1.6, -1.5, 2.4, 0.7)
    d.disc(d.lit(DARK), 3.6, -0.5, 0.28)


def dinosaur(d: Pen) -> None:
    """Long neck, long tail, four thick legs."""
    skin = d.own((120, 190, 84))
    d.poly(skin, (-2, 5), (-7, 1.4), (-6.6, 0.6), (-1.8, 2.2))
    for x, shade in ((-1.2, 0.25), (2.2, 0.25), (-2.2, 0.08), (1.2, 0.08)):
        d.box(darker(skin, shade), x - 0.8, 0, x + 0.8, 3, 0.3)
    d.oval(skin, -0.4, 3.8, 3.4, 2.1)
    d.poly(skin, (1, 5), (3.4, 3.6), (5, 8.6), (3.4, 9))
    d.oval(skin, 4.9, 9, 1.9, 1.15)
    d.oval(lighter(skin, 0.4), 0, 2.7, 2.2, 0.8)
    d.disc(d.lit(DARK), 5, 9.4, 0.32)
    for x in (-3, -1.4, 0.2):
        d.poly(darker(skin, 0.3), (x - 0.7, 5.2), (x + 0.7, 5.6), (x, 6.7))


def dragon(d: Pen) -> None:
    """A large head, one great wing, a belly, a tail with an arrow's tip; it flies with feet at y = -3."""
    skin = d.own((186, 56, 60))
    wing, belly = darker(skin, 0.3), d.lit((246, 212, 132))
    d.poly(wing, (-1, 1.4), (-2.4, 6.6), (-4.4, 5.6), (-6.8, 5.6), (-5.6, 3.6), (-5.4, 2), (-3.4, 1.6))
    d.stroke(skin, 1.1, (-1.8, -1), (-4.4, -1.6), (-6, -0.2))
    d.poly(wing, (-7.4, 0.2), (-6.6, 1.8), (-5.4, 0), (-5.6, -0.8))
    for x in (-0.8, 1.4):
        d.stroke(darker(skin, 0.12), 1.1, (x, -1.4), (x + 0.4, -3))
    d.oval(skin, 0, 0, 2.9, 2.1)
    d.stroke(skin, 1.9, (1.6, 0.8), (3.6, 3.2))
    d.oval(belly, 0.7, -0.5, 1.7, 1.2)
    for x, lean in ((3, -1.4), (4, -0.8)):
        d.poly(belly, (x - 0.3, 5), (x + 0.5, 5.1), (x + lean, 7))
    d.disc(skin, 3.9, 4, 1.7)
    d.oval(skin, 5.6, 3.5, 1.7, 1.1)
    d.disc(darker(skin, 0.5), 6.6, 3.9, 0.25)
    d.oval(d.lit((255, 226, 96)), 4.2, 4.6, 0.6, 0.65)
    d.disc(d.lit(DARK), 4.3, 4.6, 0.28)


def scarecrow(d: Pen) -> None:
    straw, coat = d.lit((232, 190, 96)), d.own((178, 74, 52))
    d.box(d.lit((120, 82, 54)), -0.4, 0, 0.4, 6)
    d.box(d.lit((120, 82, 54)), -4.6, 5.4, 4.6, 6)
    d.box(coat, -4, 5, 4, 6.4, 0.3)
    for side in (-1, 1):
        d.poly(straw, (side * 3.9, 6.5), (side * 5.6, 6.2), (side * 5.4, 5), (side * 3.9, 4.9))
    d.poly(coat, (-1.6, 6.4), (1.6, 6.4), (2.2, 2), (-2.2, 2))
    d.disc(straw, 0, 7.6, 1.6)
    for side in (-1, 1):
        d.disc(d.lit(DARK), side * 0.6, 7.8, 0.25)
    d.arc(d.lit(DARK), 0, 7.3, 0.8, 0.6, 20, 160, 0.2)
    d.box(d.lit((110, 74, 50)), -2.6, 8.4, 2.6, 9, 0.2)
    d.dome(d.lit((110, 74, 50)), 0, 8.8, 1.4, 1.8)


def mermaid(d: Pen) -> None:
    skin, tail, hair = d.lit((244, 204, 170)), d.own((54, 168, 160)), d.lit((210, 92, 52))
    d.poly(tail, (-1.6, 4.4), (1.6, 4.4), (2.2, 2.6), (4.2, 1), (3.4, 0.2), (0.4, 1.4))
    d.poly(darker(tail, 0.15), (3.2, 1), (4.2, 3), (5.4, 1.2), (6.2, 0), (3.6, -0.2))
    d.box(hair, -2.2, 4.6, 2.2, 9.4, 1.6)
    d.poly(skin, (-1.4, 6.4), (1.4, 6.4), (1.2, 4), (-1.2, 4))
    for side in (-1, 1):
        d.stroke(skin, 0.6, (side * 1.3, 6.1), (side * 2.6, 4.2))
        d.disc(tail, side * 0.6, 5.4, 0.6)
    d.disc(skin, 0, 8, 1.7)
    d.dome(hair, 0, 8.3, 1.9, 1.8)
    d.eyes(0, 7.9, 0.65, 0.26)


def angel(d: Pen) -> None:
    """Someone with wings and a halo, in a long robe."""
    robe, skin, wing = d.own((244, 244, 250)), d.lit((244, 204, 170)), d.lit((224, 234, 250))
    for side in (-1, 1):
        d.poly(wing, (side * 0.8, 6), (side * 3.6, 8.4), (side * 5, 6.6), (side * 4.2, 3.6), (side * 1, 3.6))
    d.poly(robe, (-1.2, 6.4), (1.2, 6.4), (2.8, 0), (-2.8, 0))
    d.disc(skin, 0, 7.5, 1.6)
    d.dome(d.lit((206, 150, 72)), 0, 7.8, 1.75, 1.6)
    d.eyes(0, 7.4, 0.6, 0.24)
    d.p.canvas.ring(*d.at(0, 9.9), 1.6 * d.unit, 0.5 * d.unit, d.lit(GOLD), 0.35 * d.unit)
    d.stroke(darker(robe, 0.2), 0.6, (-1.1, 5.4), (0, 4.4), (1.1, 5.4))


def worm(d: Pen) -> None:
    """A caterpillar of five rings."""
    skin = d.own((128, 192, 78))
    for i in range(4):
        d.disc(skin if i % 2 else darker(skin, 0.14), -4.6 + i * 2.1, 1.7 + math.sin(i * 1.6) * 0.7, 1.6)
    d.disc(skin, 4, 2.8, 2)
    for x in (3.4, 4.8):
        d.stroke(d.lit(LEAF), 0.3, (4, 4.4), (x, 6))
        d.disc(d.lit(PINK), x, 6.1, 0.4)
    d.eyes(4.2, 3.1, 0.7, 0.32)


def butterfly(d: Pen) -> None:
    """One large butterfly with open wings, centred."""
    wing = d.own((242, 140, 52))
    for side in (-1, 1):
        d.oval(d.lit(DARK), side * 3, 1.8, 3, 2.6)
        d.oval(wing, side * 3, 1.8, 2.5, 2.1)
        d.oval(d.lit(DARK), side * 2.3, -2, 2.2, 2.1)
        d.oval(darker(wing, 0.12), side * 2.3, -2, 1.7, 1.6)
        d.disc(d.lit(CREAM), side * 3.6, 2.2, 0.8)
        d.stroke(d.lit(DARK), 0.25, (side * 0.2, 2.6), (side * 1.4, 4.8))
    d.oval(d.lit(DARK), 0, 0, 0.7, 3.2)


def bee(d: Pen) -> None:
    """One large bee in flight, centred."""
    gold, wing = d.lit((252, 206, 60)), d.lit((226, 240, 250))
    d.oval(wing, -1.4, 2.9, 1.5, 2.3)
    d.oval(darker(wing, 0.1), 0.8, 2.9, 1.4, 2.2)
    d.poly(d.lit(DARK), (-4.4, 0.6), (-4.4, -0.6), (-5.6, 0))
    d.oval(gold, 0, 0, 4.4, 2.7)
    for x, half in ((-2.2, 2.2), (0, 2.6)):
        d.box(d.lit(DARK), x - 0.55, -half, x + 0.55, half, 0.3)
    d.disc(gold, 3.6, 0.4, 2)
    d.eyes(4.1, 0.7, 0.8, 0.4)
    for x in (3.4, 4.8):
        d.stroke(d.lit(DARK), 0.25, (3.9, 2), (x, 3.6))


def penguin(d: Pen) -> None:
    coat, beak = d.lit((50, 54, 72)), d.lit(_BEAK)
    for side in (-1, 1):
        d.oval(beak, side * 1.5, 0.4, 1.5, 0.5)
        d.oval(coat, side * 3, 3.8, 0.9, 2.6)
    d.oval(coat, 0, 4, 3.1, 3.9)
    d.oval(d.lit(PAPER), 0, 3.4, 2.2, 3)
    d.disc(coat, 0, 8, 2.5)
    for side in (-1, 1):
        d.disc(d.lit(PAPER), side * 0.9, 8, 1)
    d.eyes(0, 8, 0.8, 0.36)
    d.poly(beak, (-0.8, 7.4), (0.8, 7.4), (0, 6.2))
