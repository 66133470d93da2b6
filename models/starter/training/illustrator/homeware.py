"""Things of the house: furniture, kitchen, clothes. Each is drawn on the pen's grid."""

from models.starter.training.illustrator.palette import darker, lighter
from models.starter.training.illustrator.pen import (
    BLUE,
    CREAM,
    DARK,
    GLASS,
    GOLD,
    IRON,
    LEAF,
    PAPER,
    RED,
    STEEL,
    WOOD,
    Pen,
)  # fmt: skip


def chair(d: Pen) -> None:
    wood = d.own(WOOD)
    for x in (-2.4, 2.4):
        d.box(darker(wood, 0.25), x - 0.4, 0, x + 0.4, 4.4)
    d.box(wood, -2.6, 4.6, 2.6, 10, 0.6)
    d.box(darker(wood, 0.45), -1.5, 6.2, -0.4, 9)
    d.box(darker(wood, 0.45), 0.4, 6.2, 1.5, 9)
    d.box(lighter(wood, 0.25), -3.2, 3.9, 3.2, 5.1, 0.3)


def sofa(d: Pen) -> None:
    cloth = d.own((66, 128, 150))
    for x in (-5, 5):
        d.box(d.lit(WOOD), x - 0.4, 0, x + 0.4, 1.2)
    d.box(cloth, -5.6, 2, 5.6, 7, 1)
    d.box(lighter(cloth, 0.18), -4.6, 2, 4.6, 4.2, 0.5)
    d.box(darker(cloth, 0.25), -0.1, 2, 0.1, 4.2)
    for left in (-6.4, 4.6):
        d.box(darker(cloth, 0.16), left, 0.8, left + 1.8, 5, 0.8)
    d.box(darker(cloth, 0.16), -5, 0.8, 5, 2.2)


def table(d: Pen) -> None:
    wood = d.own(WOOD)
    for x in (-5, 5):
        d.box(darker(wood, 0.25), x - 0.5, 0, x + 0.5, 5.6)
    d.box(darker(wood, 0.12), -5.4, 4.6, 5.4, 5.8)
    d.box(lighter(wood, 0.15), -6.4, 5.6, 6.4, 6.8, 0.3)


def bench(d: Pen) -> None:
    wood, iron = d.own(WOOD), d.lit(IRON)
    for x in (-4.6, 4.6):
        d.box(iron, x - 0.4, 0, x + 0.4, 6.6)
    for y in (2.6, 4.4, 5.8):
        d.box(wood if y > 3 else lighter(wood, 0.2), -6, y, 6, y + 1.1, 0.2)


def bed(d: Pen) -> None:
    wood, cloth = d.lit(WOOD), d.own(BLUE)
    d.box(wood, -6.6, 0, -5.6, 6.6, 0.3)
    d.box(wood, 5.8, 0, 6.6, 4, 0.3)
    d.box(darker(wood, 0.2), -6, 0.8, 6, 2.2)
    d.box(d.lit(PAPER), -5.6, 2.2, 5.8, 3.6, 0.4)
    d.box(d.lit((252, 252, 252)), -5.4, 3.2, -2.4, 4.8, 0.6)
    d.box(cloth, -2.2, 1.6, 5.8, 4.2, 0.7)


def mirror(d: Pen) -> None:
    frame, glass = d.own(GOLD), d.lit(GLASS)
    d.poly(darker(frame, 0.3), (-2, 0), (2, 0), (0.7, 2.4), (-0.7, 2.4))
    d.oval(frame, 0, 6, 3.4, 4.2)
    d.oval(glass, 0, 6, 2.7, 3.4)
    d.poly(lighter(glass, 0.6), (-1.4, 5), (-0.8, 4.6), (1.5, 7.2), (1.0, 7.8))


def door(d: Pen) -> None:
    wood = d.own((150, 74, 52))
    d.box(darker(wood, 0.45), -3.2, 0, 3.2, 10, 0.3)
    d.box(wood, -2.6, 0, 2.6, 9.4)
    for y in (1, 5.2):
        for x in (-2, 0.4):
            d.box(darker(wood, 0.22), x, y, x + 1.6, y + 3.4)
    d.disc(d.lit(GOLD), 2.1, 4.6, 0.45)


def window(d: Pen) -> None:
    frame, glass = d.own(CREAM), d.lit(GLASS) if not d.p.light.lamps_on else d.p.light.lamp()
    d.box(frame, -4, 0.8, 4, 10, 0.3)
    d.box(glass, -3.3, 1.6, 3.3, 9.3)
    d.box(frame, -0.3, 1.6, 0.3, 9.3)
    d.box(frame, -3.3, 5.2, 3.3, 5.8)
    d.box(darker(frame, 0.15), -4.6, 0, 4.6, 0.9)


def bottle(d: Pen) -> None:
    glass = d.own((58, 140, 96))
    d.box(glass, -1.9, 0, 1.9, 5.6, 0.8)
    d.poly(glass, (-1.9, 5), (1.9, 5), (0.75, 7.2), (-0.75, 7.2))
    d.box(glass, -0.75, 6.8, 0.75, 9.2)
    d.box(d.lit(WOOD), -0.6, 9, 0.6, 10)
    d.box(d.lit(PAPER), -1.9, 1.6, 1.9, 4.2)
    d.box(lighter(glass, 0.5), -1.5, 4.5, -1.1, 5.4)


def vase(d: Pen) -> None:
    china = d.own(BLUE)
    d.oval(china, 0, 3.6, 3.0, 3.6)
    d.box(china, -1.2, 6, 1.2, 9)
    d.poly(china, (-1.2, 8.4), (1.2, 8.4), (2.1, 10), (-2.1, 10))
    d.box(china, -1.7, 0, 1.7, 0.9)
    d.box(lighter(china, 0.65), -2.9, 3.2, 2.9, 4.2)


def kettle(d: Pen) -> None:
    metal = d.own((206, 70, 58))
    d.arc(d.lit(DARK), 0, 6.2, 2.6, 3.4, 190, 350, 0.8)
    d.poly(metal, (2.4, 2.6), (5.6, 6.6), (4.4, 6.8), (1.8, 5))
    d.dome(metal, 0, 1.6, 3.8, 5.4)
    d.box(metal, -3.8, 0.3, 3.8, 1.8, 0.4)
    d.dome(darker(metal, 0.2), 0, 6.4, 1.5, 0.8)
    d.disc(d.lit(DARK), 0, 7.4, 0.5)
    d.oval(lighter(metal, 0.4), -2, 4.2, 0.5, 1.2)


def pot(d: Pen) -> None:
    metal = d.own(IRON)
    for side in (-1, 1):
        d.hoop(darker(metal, 0.2), side * 4.6, 4.6, 1.1, 0.9, 0.5)
    d.box(metal, -4.4, 0, 4.4, 6, 1.0)
    d.box(lighter(metal, 0.25), -4.8, 5.4, 4.8, 6.4, 0.3)
    d.dome(darker(metal, 0.15), 0, 6.4, 4.2, 2)
    d.disc(d.lit(RED), 0, 8.6, 0.7)


def bowl(d: Pen) -> None:
    china = d.own(BLUE)
    d.oval(d.lit((232, 178, 96)), 0, 4.6, 4.6, 1.3)
    d.disc(d.lit(LEAF), -1.4, 5, 0.7)
    d.disc(d.lit(RED), 1.4, 5.1, 0.8)
    d.dome(china, 0, 4.6, 5, 4.2, bowl=True)
    d.box(lighter(china, 0.6), -4.9, 3.9, 4.9, 4.7)
    d.box(darker(china, 0.2), -1.8, 0, 1.8, 0.8)


def glass(d: Pen) -> None:
    pane, drink = d.lit((206, 232, 242)), d.own((240, 168, 60))
    d.poly(pane, (-2.6, 10), (2.6, 10), (2, 0), (-2, 0))
    d.poly(drink, (-2.2, 6.8), (2.2, 6.8), (1.8, 0.5), (-1.8, 0.5))
    d.box(lighter(drink, 0.4), -1.6, 2, -1.1, 5.8)


def spoon(d: Pen) -> None:
    metal = d.own(STEEL)
    d.stroke(darker(metal, 0.1), 1.2, (0, 0.6), (0, 6))
    d.oval(metal, 0, 7.5, 2.3, 2.7)
    d.oval(darker(metal, 0.25), 0, 7.6, 1.6, 1.9)


def fork(d: Pen) -> None:
    metal = d.own(STEEL)
    d.stroke(darker(metal, 0.1), 1.2, (0, 0.6), (0, 5.5))
    d.dome(metal, 0, 6.2, 2.6, 2, bowl=True)
    for x in (-2.1, 0, 2.1):
        d.box(metal, x - 0.5, 6, x + 0.5, 10, 0.3)


def knife(d: Pen) -> None:
    blade, grip = d.lit(STEEL), d.own((96, 62, 44))
    d.poly(blade, (-1.4, 3.6), (1.6, 3.6), (1.6, 7.4), (-1.4, 10))
    d.poly(lighter(blade, 0.45), (0.9, 3.6), (1.6, 3.6), (1.6, 7.4), (0.9, 8))
    d.box(grip, -1.3, 0, 1.5, 3.8, 0.6)


def shoe(d: Pen) -> None:
    leather = d.own((168, 74, 48))
    d.box(leather, -4.4, 1.4, -0.6, 7.6, 0.7)
    d.box(leather, -4.4, 1.2, 4.8, 4.4, 1.6)
    d.box(d.lit(DARK), -4.6, 0, 5, 1.5, 0.4)
    for y in (4.4, 5.5, 6.6):
        d.box(d.lit(PAPER), -2, y, -0.3, y + 0.5)


def hat(d: Pen) -> None:
    felt = d.own((70, 60, 78))
    d.box(felt, -3, 1, 3, 8, 0.8)
    d.box(d.lit(RED), -3, 1.6, 3, 3.2)
    d.oval(felt, 0, 1.2, 5.6, 1.2)


def shirt(d: Pen) -> None:
    cloth = d.own(BLUE)
    for side in (-1, 1):
        d.poly(darker(cloth, 0.12), (side * 2, 9.6), (side * 5.6, 6.4), (side * 4.2, 4.6), (side * 2, 6.6))
    d.box(cloth, -2.9, 0, 2.9, 9.6, 0.5)
    d.poly(darker(cloth, 0.4), (-1.3, 9.7), (1.3, 9.7), (0, 7.8))


def glasses(d: Pen) -> None:
    rim, pane = d.own(DARK), d.lit(GLASS)
    for side in (-1, 1):
        d.disc(rim, side * 3, 3.2, 2.7)
        d.disc(pane, side * 3, 3.2, 2.0)
        d.stroke(rim, 0.6, (side * 5.4, 4), (side * 6.4, 5.8))
    d.box(rim, -0.8, 3.4, 0.8, 4.2)


def basket(d: Pen) -> None:
    straw = d.own((206, 154, 84))
    d.arc(darker(straw, 0.25), 0, 5, 3.6, 4.8, 180, 360, 0.8)
    d.poly(straw, (-4.6, 5), (4.6, 5), (3.4, 0), (-3.4, 0))
    for y in (1.2, 2.8):
        d.box(darker(straw, 0.25), -3.9, y, 3.9, y + 0.5)
    d.box(darker(straw, 0.12), -5, 4.6, 5, 5.8, 0.4)


def backpack(d: Pen) -> None:
    cloth = d.own((196, 92, 54))
    d.arc(darker(cloth, 0.3), 0, 8.6, 1.3, 1.4, 180, 360, 0.6)
    d.box(cloth, -3.4, 0, 3.4, 9, 1.8)
    d.box(darker(cloth, 0.22), -2.6, 0.8, 2.6, 4, 0.6)
    d.box(lighter(cloth, 0.25), -3.4, 5.4, 3.4, 6.2)
    d.box(d.lit(GOLD), -0.5, 4.9, 0.5, 6.4)


def suitcase(d: Pen) -> None:
    leather = d.own((150, 94, 56))
    d.box(darker(leather, 0.4), -1.6, 6.4, 1.6, 8, 0.5)
    d.box(d.lit(PAPER), -1, 6.4, 1, 7.4)
    d.box(leather, -5, 0, 5, 6.9, 0.7)
    for x in (-3.4, 2.6):
        d.box(darker(leather, 0.35), x, 0, x + 0.8, 6.9)


def candle(d: Pen) -> None:
    wax, flame = d.own((244, 236, 212)), d.p.light.filter((255, 196, 70))
    d.box(d.lit(GOLD), -3, 0, 3, 0.9, 0.4)
    d.box(wax, -1.3, 0.8, 1.3, 6.6, 0.3)
    d.box(darker(wax, 0.12), 0.5, 0.8, 1.3, 6.4)
    d.stroke(d.lit(DARK), 0.25, (0, 6.6), (0, 7.3))
    d.oval(flame, 0, 8.2, 0.9, 1.4)
    d.poly(flame, (-0.7, 8.8), (0.7, 8.8), (0, 10.2))
    d.oval(lighter(flame, 0.6), 0, 7.9, 0.4, 0.7)
    d.glow(flame, 0, 8.2, 4.5, 0.55)


def bulb(d: Pen) -> None:
    light = d.p.light.filter((255, 226, 120)) if d.color is None else d.own(GOLD)
    d.disc(light, 0, 6.6, 3.2)
    d.poly(light, (-2.2, 4.4), (2.2, 4.4), (1.3, 2.6), (-1.3, 2.6))
    for y in (0.2, 1.1, 2.0):
        d.box(d.lit(STEEL), -1.3, y, 1.3, y + 0.7, 0.2)
    d.stroke(darker(light, 0.45), 0.3, (-1, 3), (-0.8, 6.4), (0, 5.4), (0.8, 6.4), (1, 3))
    d.glow(light, 0, 6.6, 5.5, 0.5)


def broom(d: Pen) -> None:
    straw, wood = d.own((222, 176, 84)), d.lit(WOOD)
    d.box(wood, -0.35, 3, 0.35, 10)
    d.poly(straw, (-1, 4), (1, 4), (2.8, 0), (-2.8, 0))
    d.box(d.lit(RED), -1.1, 3.4, 1.1, 4.2)
    for x in (-1.2, 0, 1.2):
        d.stroke(darker(straw, 0.3), 0.2, (x * 0.5, 3.2), (x * 1.3, 0.3))


def bucket(d: Pen) -> None:
    tin = d.own((130, 166, 196))
    d.arc(d.lit(IRON), 0, 6.4, 3.4, 3.6, 180, 360, 0.4)
    d.poly(tin, (-4, 6.6), (4, 6.6), (2.8, 0), (-2.8, 0))
    d.oval(darker(tin, 0.35), 0, 6.6, 4, 0.9)
    d.poly(lighter(tin, 0.35), (-2.9, 5.4), (-2.2, 5.4), (-1.6, 0.8), (-2.1, 0.8))


def stairs(d: Pen) -> None:
    stone = d.own((190, 176, 160))
    for i in range(5):
        d.box(darker(stone, 0.06 * i), -6 + 2.4 * i, 0, 6, 2 * (i + 1))
        d.box(lighter(stone, 0.45), -6 + 2.4 * i, 2 * i + 1.6, 6, 2 * (i + 1))
