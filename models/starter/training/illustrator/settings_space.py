"""Beyond the sky: open space, the ground of another world, and the inside of a ship."""

import math

from models.starter.training.illustrator import shapes
from models.starter.training.illustrator.palette import Color, darker, lighter, mix
from models.starter.training.illustrator.picture import Ground, Picture

_NEBULAE: tuple[Color, ...] = ((116, 44, 168), (34, 84, 196), (176, 56, 116), (24, 136, 146))
_WORLDS: tuple[Color, ...] = ((216, 124, 84), (92, 154, 214), (196, 166, 114), (146, 114, 196), (102, 184, 154))


def starry(p: Picture, top: float, bottom: float, left: float = 0.0, right: float = 1.0) -> None:
    stops: list[Color] = [(7, 8, 26), (16, 14, 46), (32, 22, 68)]
    if p.scene.mood == "pastel":
        stops = [lighter(c, 0.12) for c in stops]
    p.canvas.gradient(p.w * left, top, p.w * right, bottom, [p.light.filter(c) for c in stops])
    for _ in range(round(46 * (right - left) * (bottom - top) / p.h)):
        x, y, radius = p.lot(left, right) * p.w, p.lot(top, bottom), p.u * p.rng.choice((0.32, 0.32, 0.45, 0.65))
        p.canvas.circle(x, y, radius, mix(stops[0], (255, 255, 246), p.lot(0.55, 1)))


def world(p: Picture, x: float, y: float, radius: float, base: Color, *, ringed: bool) -> None:
    """A planet with bands, and a ring that passes before and behind it."""
    c = p.canvas
    color = p.light.filter(base)
    ring = lighter(color, 0.45)
    c.glow(x, y, radius * 1.5, color, 0.3)
    if ringed:
        c.arc(
            (x - radius * 1.8, y - radius * 0.46, x + radius * 1.8, y + radius * 0.46),
            180,
            360,
            darker(ring, 0.25),
            radius * 0.13,
        )
    c.circle(x, y, radius, color)
    for k in (-0.45, 0.0, 0.42):
        half = math.sqrt(1 - k * k) * radius * 0.95
        c.line([(x - half, y + k * radius), (x + half, y + k * radius)], lighter(color, 0.2), radius * 0.13)
    if ringed:
        c.arc((x - radius * 1.8, y - radius * 0.46, x + radius * 1.8, y + radius * 0.46), 0, 180, ring, radius * 0.13)


def space(p: Picture) -> Ground:
    starry(p, 0, p.h)
    for _ in range(3):
        p.canvas.glow(p.lot(0, p.w), p.lot(0, p.h), p.u * p.lot(22, 40), p.light.filter(p.rng.choice(_NEBULAE)), 0.36)
    if not p.scene.has("planet") and p.chance(0.75):
        x = p.rng.choice((p.lot(0.1, 0.24), p.lot(0.76, 0.9))) * p.w
        world(p, x, p.h * p.lot(0.24, 0.5), p.u * p.lot(11, 18), p.rng.choice(_WORLDS), ringed=p.chance(0.4))
    if p.scene.has("sun"):
        sun = p.light.filter((255, 206, 104))
        p.canvas.glow(p.w * 0.2, p.h * 0.3, p.u * 34, sun, 0.6)
        p.canvas.circle(p.w * 0.2, p.h * 0.3, p.u * 15, sun)
    if p.scene.has("moon"):
        moon = p.light.filter((226, 226, 220))
        p.canvas.circle(p.w * 0.78, p.h * 0.32, p.u * 14, moon)
        for dx, dy, r in ((-4, -3, 3.0), (4, 4, 3.6), (5, -5, 2.0)):
            p.canvas.circle(p.w * 0.78 + dx * p.u, p.h * 0.32 + dy * p.u, r * p.u, darker(moon, 0.14))
    return Ground(p.h * 0.78, p.h * 0.25, p.h * 0.55)


def planet(p: Picture) -> Ground:
    starry(p, 0, p.h * 0.8)
    base: Color = p.rng.choice(((196, 96, 62), (204, 106, 66), (150, 146, 156), (116, 104, 156)))
    sky = p.light.filter(mix(base, (255, 190, 150), 0.3))
    p.canvas.glow(p.w * 0.5, p.h * 0.72, p.u * 60, sky, 0.3)
    if not p.scene.has("planet") and p.chance(0.6):
        x = p.rng.choice((p.lot(0.14, 0.28), p.lot(0.72, 0.86))) * p.w
        world(p, x, p.h * p.lot(0.2, 0.34), p.u * p.lot(8, 13), p.rng.choice(_WORLDS), ringed=p.chance(0.4))
    rock = p.light.filter(base)
    p.canvas.below(shapes.ridge(p, p.h * 0.7, p.u * 13), darker(rock, 0.45))
    p.canvas.below(shapes.hill(p, p.h * 0.72, p.u * 3), darker(rock, 0.25))
    p.canvas.below(shapes.hill(p, p.h * 0.82, p.u * 2.4), rock)
    for _ in range(6):
        x, y, half = p.lot(0, 1) * p.w, p.h * p.lot(0.86, 0.98), p.u * p.lot(4, 9)
        p.canvas.ellipse(x, y, half, half * 0.3, darker(rock, 0.2))
        p.canvas.ellipse(x, y + half * 0.06, half * 0.8, half * 0.2, darker(rock, 0.3))
    return Ground(p.h * 0.93, p.h * 0.14, p.h * 0.42)


def spaceship(p: Picture) -> Ground:
    c, u = p.canvas, p.u
    hull = p.light.filter((96, 108, 132) if p.scene.mood != "neon" else (62, 44, 112))
    c.gradient(0, 0, p.w, p.h, (darker(hull, 0.3), hull, darker(hull, 0.2)))
    top, bottom, cx = p.h * 0.13, p.h * 0.58, p.w * 0.5
    half = p.w * 0.38
    c.rounded(cx - half - u * 3, top - u * 3, cx + half + u * 3, bottom + u * 3, u * 9, lighter(hull, 0.22))
    starry(p, top, bottom, 0.5 - 0.38, 0.5 + 0.38)
    if not p.scene.has("moon") and not p.scene.has("planet"):
        world(
            p,
            cx + half * p.lot(-0.55, 0.55),
            (top + bottom) / 2,
            u * p.lot(9, 13),
            p.rng.choice(_WORLDS),
            ringed=p.chance(0.4),
        )
    if p.scene.has("moon"):
        c.circle(cx + half * 0.5, (top + bottom) / 2, u * 10, p.light.filter((226, 226, 220)))
    for k in (-1, 1):
        c.rect(cx + k * half * 0.34 - u, top, cx + k * half * 0.34 + u, bottom, lighter(hull, 0.22))
    floor = darker(hull, 0.45)
    c.rect(0, p.h * 0.84, p.w, p.h, floor)
    c.poly(
        [(0, p.h * 0.84), (p.w * 0.08, p.h * 0.66), (p.w * 0.92, p.h * 0.66), (p.w, p.h * 0.84)], lighter(hull, 0.08)
    )
    for k in range(9):
        x = p.w * (0.12 + 0.095 * k)
        c.rounded(
            x - u * 2.4,
            p.h * 0.71,
            x + u * 2.4,
            p.h * 0.76,
            u * 0.8,
            p.light.lamp() if p.scene.mood == "neon" else p.light.accent(),
        )
    for side in (0.03, 0.97):
        lamp = p.light.filter((130, 226, 255))
        c.rect(p.w * side - u, p.h * 0.1, p.w * side + u, p.h * 0.6, lamp)
        c.glow(p.w * side, p.h * 0.35, u * 14, lamp, 0.3)
    return Ground(p.h * 0.96, p.h * 0.22, p.h * 0.45, scale=1.1)
