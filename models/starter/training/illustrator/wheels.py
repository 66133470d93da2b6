"""Vehicles on the pen's grid, all going to the right: few large parts."""

from models.starter.training.illustrator.palette import Color, darker, lighter
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


def _tyre(d: Pen, x: float, radius: float, hub: Color = STEEL) -> None:
    d.disc(d.lit(DARK), x, radius, radius)
    d.disc(d.lit(hub), x, radius, radius * 0.45)


def _pane(d: Pen) -> Color:
    return d.p.light.lamp() if d.p.light.lamps_on else d.lit(GLASS)


def bus(d: Pen) -> None:
    body = d.own((236, 176, 52))
    d.box(body, -6.8, 1.2, 6.8, 7.6, 0.9)
    for i in range(4):
        d.box(_pane(d), -6 + i * 2.7, 4.4, -3.9 + i * 2.7, 6.7, 0.2)
    d.box(_pane(d), 5, 3.4, 6.8, 6.7, 0.3)
    d.box(darker(body, 0.25), -6.8, 2.6, 6.8, 3.2)
    for x in (-4, 4):
        _tyre(d, x, 1.4)


def truck(d: Pen) -> None:
    body = d.own(RED)
    d.box(d.lit(CREAM), -6.8, 1.8, 2, 8, 0.3)
    d.box(body, 2.4, 1.2, 6.8, 6.4, 0.6)
    d.box(_pane(d), 4.2, 3.9, 6.8, 5.8, 0.3)
    d.box(d.lit(IRON), -6.8, 1.2, 6.8, 2)
    for x in (-4.6, -1.8, 4.6):
        _tyre(d, x, 1.4)


def tractor(d: Pen) -> None:
    body = d.own((66, 150, 76))
    d.box(body, -0.6, 2.4, 5.8, 5.2, 0.5)
    d.box(d.lit(IRON), 3.6, 5, 4.3, 7.8)
    d.box(body, -4.2, 8, 0.4, 9, 0.2)
    d.box(_pane(d), -3.6, 4.6, -0.2, 8)
    d.box(darker(body, 0.2), -4, 3, -0.2, 4.8)
    _tyre(d, -2.8, 2.7, GOLD)
    _tyre(d, 4.2, 1.5, GOLD)


def motorcycle(d: Pen) -> None:
    body = d.own(RED)
    for x in (-4, 4):
        d.disc(d.lit(DARK), x, 2.1, 2.1)
        d.disc(d.lit(STEEL), x, 2.1, 1.1)
    d.stroke(d.lit(STEEL), 0.6, (4, 2.1), (2.6, 6.8), (1.6, 7.4))
    d.poly(body, (-4.4, 4.2), (2.4, 3), (2.6, 5.6), (0, 5.8), (-1.4, 4.8))
    d.box(d.lit(DARK), -4.4, 4.6, -0.8, 5.6, 0.5)
    d.box(d.lit(IRON), -1.8, 1.4, 1.8, 3.6, 0.6)
    d.disc(d.lit(GOLD), 3.2, 6, 0.8)


def carriage(d: Pen) -> None:
    """A covered wagon."""
    wood, cloth = d.lit(WOOD), d.own(CREAM)
    d.dome(cloth, 0, 4.4, 5.2, 5.2)
    for x in (-2.4, 0, 2.4):
        d.box(darker(cloth, 0.2), x - 0.15, 4.4, x + 0.15, 9)
    d.box(wood, -5.6, 2.6, 5.6, 4.6, 0.2)
    d.stroke(wood, 0.4, (5.4, 3), (8, 2))
    for x in (-3.4, 3.4):
        d.hoop(darker(wood, 0.4), x, 2, 2, 2, 0.5)
        for dx, dy in ((1.7, 0), (0, 1.7), (1.2, 1.2), (1.2, -1.2)):
            d.stroke(darker(wood, 0.4), 0.25, (x - dx, 2 - dy), (x + dx, 2 + dy))


def sled(d: Pen) -> None:
    wood = d.own(RED)
    d.stroke(d.lit(STEEL), 0.5, (-5.4, 0.4), (4.4, 0.4), (6, 1.6), (5.8, 3))
    for x in (-3.6, 0, 3.4):
        d.box(d.lit(WOOD), x - 0.3, 0.4, x + 0.3, 2.8)
    for i in range(2):
        d.box(wood if i else darker(wood, 0.2), -5.4, 2.4 + i * 0.8, 5.2, 3.3 + i * 0.8, 0.2)
    d.stroke(d.lit(CREAM), 0.3, (5.6, 3), (7, 5.4))


def ship(d: Pen) -> None:
    """A steamship with two funnels."""
    hull = d.own((52, 66, 96))
    for x in (-2, 1.4):
        d.box(d.lit(RED), x - 0.9, 5, x + 0.9, 8.8)
        d.box(d.lit(DARK), x - 0.9, 8, x + 0.9, 8.8)
    d.box(d.lit(PAPER), -4.4, 3.2, 4, 5.6, 0.3)
    for i in range(5):
        d.disc(_pane(d), -3.4 + i * 1.6, 4.4, 0.45)
    d.poly(hull, (-7, 3.4), (7.6, 3.4), (5.6, -0.4), (-5.6, -0.4))
    d.poly(d.lit(RED), (-6, 0.4), (6.1, 0.4), (5.6, -0.4), (-5.6, -0.4))


def canoe(d: Pen) -> None:
    wood = d.own(WOOD)
    d.stroke(d.lit(CREAM), 0.4, (-2.4, 5.6), (2.2, 1.4))
    d.oval(d.lit(CREAM), -2.8, 6, 1, 0.7)
    d.poly(wood, (-7, 3.8), (-5, 2.6), (5, 2.6), (7, 3.8), (5.2, 0), (-5.2, 0))
    d.poly(lighter(wood, 0.3), (-6.4, 2.9), (6.4, 2.9), (6.1, 2.2), (-6.1, 2.2))


def submarine(d: Pen) -> None:
    hull = d.own((246, 196, 62))
    d.stroke(d.lit(IRON), 0.5, (0.4, 3), (0.4, 5), (1.8, 5))
    d.box(hull, -1.8, 1.4, 1.8, 3.6, 0.4)
    d.poly(d.lit(IRON), (-6.4, 1.8), (-5.4, 0), (-6.4, -1.8), (-7.2, -1.8), (-7.2, 1.8))
    d.oval(hull, 0, 0, 6, 2.2)
    for x in (-2.8, 0, 2.8):
        d.disc(d.lit(IRON), x, 0.1, 1)
        d.disc(_pane(d), x, 0.1, 0.7)


def helicopter(d: Pen) -> None:
    body = d.own(RED)
    d.box(d.lit(DARK), -5.6, 2.9, 7.2, 3.4)
    d.box(d.lit(DARK), 0.5, 2, 1.1, 3)
    d.poly(body, (-1, 1), (-6.6, 1.4), (-6.6, 0.6), (-1, -0.8))
    d.poly(body, (-7.2, 2.6), (-6, 2.2), (-6, 0.4))
    d.oval(body, 1, 0, 3.4, 2.2)
    d.poly(_pane(d), (1.8, 1.8), (3.6, 1.2), (4.4, -0.2), (1.8, -0.2))
    for x in (-0.4, 2.4):
        d.stroke(d.lit(IRON), 0.3, (x, -1.8), (x, -2.9))
    d.stroke(d.lit(IRON), 0.5, (-2, -3), (4.4, -3))


def skateboard(d: Pen) -> None:
    deck = d.own(BLUE)
    d.stroke(deck, 1.1, (-6.2, 3.2), (-4.8, 2.2), (4.8, 2.2), (6.2, 3.2))
    for x in (-3.6, 3.6):
        d.disc(d.lit(DARK), x, 1, 1)
        d.disc(d.lit(GOLD), x, 1, 0.45)


def church(d: Pen) -> None:
    wall, roof = d.lit((240, 232, 216)), d.own((92, 104, 140))
    d.box(darker(wall, 0.08), -0.6, 0, 5.6, 5)
    d.poly(roof, (-1, 5), (6.2, 5), (4.6, 7.4), (-1, 7.4))
    d.box(wall, -4, 0, -0.4, 7)
    d.poly(roof, (-4.6, 7), (0.2, 7), (-2.2, 11.4))
    d.box(d.lit(GOLD), -2.4, 11.2, -2, 13)
    d.box(d.lit(GOLD), -2.9, 12, -1.5, 12.4)
    d.box(darker(roof, 0.4), -3, 0, -1.4, 2.6, 0.5)
    for x in (1, 3.4):
        d.box(_pane(d), x, 1.6, x + 1.2, 4, 0.5)
    d.disc(_pane(d), -2.2, 5.2, 0.8)


def skyscraper(d: Pen) -> None:
    wall = d.own((104, 122, 156))
    d.box(wall, -3, 0, 3, 13)
    d.box(darker(wall, 0.15), 1.4, 0, 3, 13)
    d.box(wall, -1.6, 12.8, 1.6, 14.4)
    d.box(d.lit(IRON), -0.15, 14, 0.15, 16.4)
    for row in range(6):
        for column in range(3):
            d.box(_pane(d), -2.4 + column * 1.8, 1.4 + row * 1.9, -1.3 + column * 1.8, 2.5 + row * 1.9)


def factory(d: Pen) -> None:
    brick = d.own((178, 92, 70))
    for x, top in ((-5, 11), (-2.6, 9.6)):
        d.box(darker(brick, 0.2), x, 4, x + 1.5, top)
        for i in range(3):
            d.disc(d.lit((196, 196, 202)), x + 0.8 + i * 1.1, top + 0.8 + i * 0.9, 0.8 + i * 0.25)
    for i in range(3):
        d.poly(brick, (-5.4 + i * 3.8, 4.4), (-5.4 + i * 3.8, 6.6), (-1.6 + i * 3.8, 4.4))
    d.box(brick, -5.6, 0, 6, 4.6)
    for i in range(4):
        d.box(_pane(d), -4.8 + i * 2.7, 1.4, -3 + i * 2.7, 3.2)


def barn(d: Pen) -> None:
    wood = d.own((178, 52, 46))
    d.poly(wood, (-4.6, 0), (4.6, 0), (4.6, 5), (2.8, 7.8), (0, 9.2), (-2.8, 7.8), (-4.6, 5))
    trim = d.lit(PAPER)
    for a, b in (((-5, 4.8), (-3, 8)), ((-3, 8), (0, 9.5)), ((0, 9.5), (3, 8)), ((3, 8), (5, 4.8))):
        d.stroke(trim, 0.6, a, b)
    d.box(trim, -2, 0, 2, 4.2)
    d.box(darker(wood, 0.3), -1.6, 0, 1.6, 3.8)
    for side in (-1, 1):
        d.stroke(trim, 0.35, (side * -1.5, 0.2), (side * 1.5, 3.7))
    d.box(_pane(d), -0.9, 5.4, 0.9, 7)


def igloo(d: Pen) -> None:
    ice = d.own((222, 238, 248))
    d.dome(ice, -0.6, 0, 5, 6)
    for y in (1.9, 3.8):
        d.box(darker(ice, 0.2), -4.9 + y * 0.35, y, 3.7 - y * 0.35, y + 0.25)
    for x, y in ((-2.6, 0), (0.6, 1.9), (-1.8, 1.9), (-0.8, 3.8)):
        d.box(darker(ice, 0.2), x, y, x + 0.25, y + 1.9)
    d.dome(darker(ice, 0.1), 3, 0, 2.5, 3.2)
    d.dome(d.lit((44, 54, 84)), 3.2, 0, 1.6, 2.3)


def well(d: Pen) -> None:
    stone, roof = d.lit((164, 160, 160)), d.own((176, 84, 56))
    for side in (-1, 1):
        d.box(d.lit(WOOD), side * 3 - 0.35, 3, side * 3 + 0.35, 7.6)
    d.poly(roof, (-4.8, 7), (4.8, 7), (0, 10.2))
    d.box(d.lit(CREAM), -0.12, 5.2, 0.12, 8)
    d.box(d.lit(WOOD), -0.9, 4.2, 0.9, 5.6)
    d.box(stone, -4, 0, 4, 3.8, 0.4)
    for row in range(3):
        for i in range(3):
            x = -3.4 + i * 2.6 + (row % 2) * 0.8
            d.box(darker(stone, 0.22), x, 0.4 + row * 1.15, x + 1.2, 1.1 + row * 1.15, 0.2)


def fence(d: Pen) -> None:
    wood = d.own((244, 240, 230))
    for y in (1.8, 4.4):
        d.box(darker(wood, 0.18), -7, y, 7, y + 0.8)
    for i in range(6):
        x = -6.4 + i * 2.3
        d.poly(wood, (x, 0), (x + 1.3, 0), (x + 1.3, 5.6), (x + 0.65, 6.8), (x, 5.6))


def fountain(d: Pen) -> None:
    stone, water = d.own((188, 186, 186)), d.lit((140, 204, 238))
    for side in (-1, 1):
        d.arc(water, side * 1.6, 6, 1.6, 3.4, 180, 360, 0.45)
        d.arc(water, side * 2.4, 4.4, 2.4, 4.6, 180, 360, 0.45)
    d.box(stone, -0.6, 1.6, 0.6, 6)
    d.dome(stone, 0, 5.4, 2.6, 1.4, bowl=True)
    d.box(stone, -5.6, 0, 5.6, 2, 0.4)
    d.box(water, -5, 1.6, 5, 2.2)


def mailbox(d: Pen) -> None:
    body = d.own(RED)
    d.box(body, -2.6, 0.6, 2.6, 8)
    d.dome(body, 0, 7.9, 2.6, 2.2)
    d.box(darker(body, 0.35), -3, 0, 3, 1)
    d.box(d.lit(DARK), -1.8, 7, 1.8, 7.7)
    d.box(d.lit(PAPER), -1.5, 4.2, 1.5, 6.2)


def signpost(d: Pen) -> None:
    wood = d.own(WOOD)
    d.box(darker(wood, 0.3), -0.5, 0, 0.5, 10)
    d.poly(wood, (-3.4, 9.4), (3.6, 9.4), (5, 8.2), (3.6, 7), (-3.4, 7))
    d.poly(lighter(wood, 0.2), (3.4, 6.2), (-3.6, 6.2), (-5, 5), (-3.6, 3.8), (3.4, 3.8))


def lights(d: Pen) -> None:
    """A traffic light."""
    d.box(d.lit(IRON), -0.4, 0, 0.4, 4)
    d.box(d.lit((48, 50, 58)), -1.9, 3.6, 1.9, 10.4, 0.6)
    for y, c in ((9, (240, 62, 54)), (7, (250, 200, 60)), (5, LEAF)):
        d.disc(d.p.light.filter(c), 0, y, 0.95)


def rainbow(d: Pen) -> None:
    for i, c in enumerate((RED, (242, 138, 40), (250, 208, 62), (64, 160, 84), (46, 112, 214), (130, 72, 182))):
        radius = 9 - 0.9 * i
        d.arc(d.p.light.filter(c), 0, -3, radius, radius * 0.92, 180, 360, 0.95)
