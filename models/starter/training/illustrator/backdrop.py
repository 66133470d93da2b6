"""The sky behind a setting: gradient, stars, sun, moon, clouds, lightning; and water, which mirrors it."""

from models.starter.training.illustrator import shapes
from models.starter.training.illustrator.palette import ACCENTS, Color, darker, mix
from models.starter.training.illustrator.picture import Picture

_SUN: dict[str, Color] = {
    "dawn": (255, 230, 176),
    "day": (255, 240, 168),
    "sunset": (255, 156, 74),
    "night": (255, 200, 120),
}
_SIZE = {"small": 0.62, "normal": 1.0, "large": 1.6}


def sky(p: Picture) -> None:
    """Paint the sky down to the horizon, with everything that belongs in it."""
    p.canvas.rect(0, 0, p.w, p.h, p.light.sky[2])
    p.canvas.gradient(0, 0, p.w, p.horizon + p.u, p.light.sky)
    scene = p.scene
    if scene.time == "night" and scene.weather == "clear":
        stars(p, p.horizon, p.rng.randint(36, 60))
    has_moon, has_sun = scene.has("moon"), scene.has("sun")
    named = has_moon or has_sun
    if named:
        clouds(p)  # what the picture is about stands in front
    if has_sun or (not has_moon and scene.time != "night" and scene.weather == "clear" and p.chance(0.7)):
        sun(p)
    elif has_moon or (scene.time == "night" and scene.weather == "clear" and p.chance(0.45)):
        moon(p)
    if not named:
        clouds(p)
    if scene.weather == "storm":
        lightning(p)


def stars(p: Picture, bottom: float, count: int) -> None:
    for _ in range(count):
        radius = p.u * p.rng.choice((0.32, 0.32, 0.42, 0.62))
        x, y = p.lot(0, p.w), p.lot(0, bottom)
        p.canvas.circle(x, y, radius, mix(p.light.sky[0], (255, 255, 246), p.lot(0.6, 1.0)))


def _item_size(p: Picture, key: str) -> float:
    return next((_SIZE[item.size] for item in p.scene.items if item.key == key), 1.0)


def sun(p: Picture) -> None:
    radius = p.u * p.lot(8.5, 11) * _item_size(p, "sun")
    x = p.x(p.rng.choice((p.lot(0.16, 0.36), p.lot(0.62, 0.84))))
    y = p.horizon * (p.lot(0.24, 0.42) if p.scene.time == "day" else p.lot(0.72, 0.9))
    base: Color = (255, 90, 150) if p.scene.mood == "neon" else _SUN[p.scene.time]
    c = p.light.filter(base)
    p.canvas.glow(x, y, radius * 2.6, c, 0.5)
    p.canvas.circle(x, y, radius, c)
    p.shine = (x, c)


def moon(p: Picture) -> None:
    radius = p.u * p.lot(8, 10.5) * _item_size(p, "moon")
    x, y = p.x(p.rng.choice((p.lot(0.14, 0.34), p.lot(0.64, 0.86)))), p.horizon * p.lot(0.26, 0.44)
    c = p.light.filter((242, 240, 218))
    p.canvas.glow(x, y, radius * 2.3, c, 0.34)
    p.canvas.circle(x, y, radius, c)
    for dx, dy, k in ((-0.3, -0.2, 0.2), (0.25, 0.3, 0.26), (0.36, -0.36, 0.14)):
        p.canvas.circle(x + dx * radius, y + dy * radius, k * radius, mix(c, (150, 150, 156), 0.25))
    p.shine = (x, c)


def clouds(p: Picture) -> None:
    weather = p.scene.weather
    low, high = {"clear": (0, 2), "cloudy": (6, 8), "rain": (5, 7), "storm": (7, 9), "snow": (2, 4), "fog": (1, 2)}[
        weather
    ]
    heavy = weather in ("rain", "storm", "cloudy")
    for _ in range(p.rng.randint(low, high)):
        x, y = p.lot(-0.05, 1.05) * p.w, p.lot(0.06, 0.4 if heavy else 0.55) * p.horizon
        if weather == "storm":
            c = mix(p.light.sky[0], p.light.filter((10, 10, 22)), 0.5)
        elif weather == "rain":
            c = mix(p.light.sky[1], p.light.filter((64, 72, 88)), 0.5)
        elif p.scene.time == "day":
            c = mix(p.light.sky[1], p.light.filter((255, 255, 255)), 0.72 if weather == "clear" else 0.5)
        else:
            c = mix(p.light.sky[1], p.light.sky[2], 0.6)
        shapes.cloud(p, x, y, p.u * p.lot(30, 58) * (1.2 if heavy else 1.0), mix(c, p.light.sky[1], p.lot(0, 0.25)))


def lightning(p: Picture) -> None:
    x, y = p.lot(0.18, 0.82) * p.w, p.horizon * 0.2
    points = [(x, y)]
    while y < p.horizon * 0.96:
        x += p.lot(-7, 7) * p.u
        y += p.lot(6, 10) * p.u
        points.append((x, y))
    p.canvas.glow(*points[len(points) // 2], p.u * 26, p.light.filter((150, 165, 255)), 0.45)
    p.canvas.line(points, p.light.filter((255, 250, 215)), p.u * 1.4)


def sea_color(p: Picture) -> Color:
    base: Color = {"day": (34, 124, 182), "dawn": (104, 116, 168), "sunset": (122, 66, 104), "night": (14, 30, 74)}[
        p.scene.time
    ]
    c = p.light.filter(base)
    if p.scene.mood == "neon":
        c = mix(c, (42, 18, 96), 0.45)
    return mix(c, p.light.sky[1], 0.26)


def water(p: Picture, y: float, bottom: float) -> None:
    """Water from `y` to `bottom`, with ripples and the path of the sun or the moon."""
    base = sea_color(p)
    far, near = mix(base, p.light.sky[2], 0.45), darker(base, 0.28)
    p.canvas.gradient(0, y, p.w, bottom + 2, (far, near))
    ripple = mix(base, p.light.sky[2], 0.42)
    depth = bottom - y
    for _ in range(16):
        t = p.rng.random() ** 1.2
        half = p.u * p.lot(4, 12) * (0.4 + t)
        x, yy = p.lot(0, p.w), y + p.u + depth * t
        p.canvas.line([(x - half, yy), (x + half, yy)], mix(ripple, near, t * 0.7), p.u * 0.5)
    if p.shine is not None:
        x, c = p.shine
        yy = y + p.u * 1.4
        while yy < bottom:
            half = p.u * p.lot(3, 7) * (0.6 + (yy - y) / depth)
            p.canvas.line([(x - half, yy), (x + half, yy)], mix(base, c, 0.66), p.u * 0.9)
            yy += p.u * 3


def named_accent(p: Picture, color: str | None, fallback: Color) -> Color:
    """The asked colour of a thing, or its own, in this light."""
    return p.light.object(ACCENTS[color]) if color else p.light.object(fallback)
