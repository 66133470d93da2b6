"""Colour and light: from a base colour, an hour, a weather and a mood to the colour that is painted.

Colours are float RGB triples from 0 to 255 until `solid` rounds them for the canvas.
"""

import random
from collections.abc import Callable

Color = tuple[float, float, float]
Solid = tuple[int, int, int]

WHITE: Color = (255, 255, 255)
BLACK: Color = (0, 0, 0)

ACCENTS: dict[str, Color] = {
    "red": (218, 52, 50),
    "orange": (242, 138, 40),
    "yellow": (250, 208, 62),
    "green": (64, 160, 84),
    "blue": (46, 112, 214),
    "purple": (130, 72, 182),
    "pink": (242, 124, 172),
    "white": (240, 240, 236),
    "black": (40, 40, 50),
    "brown": (134, 88, 56),
}

_SKY: dict[str, tuple[Color, Color, Color]] = {
    "dawn": ((74, 92, 152), (226, 160, 172), (255, 222, 178)),
    "day": ((52, 136, 212), (128, 196, 240), (218, 240, 248)),
    "sunset": ((66, 34, 104), (220, 84, 86), (255, 178, 78)),
    "night": ((10, 14, 46), (24, 36, 92), (58, 78, 140)),
}
_AMBIENT: dict[str, Color] = {
    "dawn": (0.90, 0.80, 0.86),
    "day": (1.0, 1.0, 1.0),
    "sunset": (0.86, 0.62, 0.60),
    "night": (0.43, 0.49, 0.72),
}
_GREY: dict[str, tuple[Color, float]] = {
    "rain": ((96, 108, 128), 0.55),
    "storm": ((50, 52, 74), 0.66),
    "fog": ((194, 200, 204), 0.62),
    "snow": ((194, 206, 222), 0.5),
    "cloudy": ((152, 162, 174), 0.42),
}
_HAZE: dict[str, float] = {"fog": 0.8, "snow": 0.45, "rain": 0.42, "storm": 0.34, "cloudy": 0.3, "clear": 0.22}
_NEON_LIGHTS: tuple[Color, ...] = ((255, 60, 180), (60, 230, 255), (255, 220, 80), (150, 90, 255), (80, 255, 170))


def mix(a: Color, b: Color, t: float) -> Color:
    """`a` at t=0, `b` at t=1."""
    return (a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t)


def scale(c: Color, by: Color) -> Color:
    return (c[0] * by[0], c[1] * by[1], c[2] * by[2])


def darker(c: Color, t: float) -> Color:
    return mix(c, BLACK, t)


def lighter(c: Color, t: float) -> Color:
    return mix(c, WHITE, t)


def luminance(c: Color) -> float:
    return 0.3 * c[0] + 0.59 * c[1] + 0.11 * c[2]


def saturate(c: Color, k: float) -> Color:
    grey = luminance(c)
    return (grey + (c[0] - grey) * k, grey + (c[1] - grey) * k, grey + (c[2] - grey) * k)


def solid(c: Color) -> Solid:
    """Round and clamp for drawing."""
    return (
        int(min(255.0, max(0.0, c[0]))),
        int(min(255.0, max(0.0, c[1]))),
        int(min(255.0, max(0.0, c[2]))),
    )


def _warm(c: Color) -> Color:
    y = luminance(c)
    return mix(c, (y * 1.22 + 26, y * 0.86 + 10, y * 0.54), 0.46)


def _cold(c: Color) -> Color:
    y = luminance(c)
    return mix(c, (y * 0.52, y * 0.95 + 8, y * 1.3 + 24), 0.52)


def _noir(c: Color) -> Color:
    y = saturate(c, 0.0)[0]
    grey = (y - 110) * 1.08 + 106
    return (grey, grey, grey * 1.01)


def _vintage(c: Color) -> Color:
    y = luminance(c)
    return mix(saturate(c, 0.4), (y * 1.02 + 28, y * 0.9 + 16, y * 0.66 + 6), 0.72)


MOOD_FILTERS: dict[str, Callable[[Color], Color]] = {
    "none": lambda c: c,
    "warm": _warm,
    "cold": _cold,
    "neon": lambda c: saturate(c, 1.32),
    "pastel": lambda c: mix(saturate(c, 0.78), (255, 238, 242), 0.42),
    "noir": _noir,
    "vintage": _vintage,
}


class Light:
    """The light of one picture: its sky, its ambient colour, its haze and its lamps."""

    def __init__(self, time: str, weather: str, mood: str, rng: random.Random, *, dark_place: bool = False) -> None:
        self.time, self.weather, self.mood, self.rng = time, weather, mood, rng
        self.filter = MOOD_FILTERS[mood]
        self.ambient = _AMBIENT[time]
        self.dark_place = dark_place
        self.sky: tuple[Color, Color, Color] = self._sky()
        self.haze = _HAZE[weather]
        self.lamps_on = time != "day" or mood == "neon" or weather in ("storm", "fog", "rain")
        self.haze_color = self.sky[1] if time == "night" else self.sky[2]

    def _sky(self) -> tuple[Color, Color, Color]:
        stops = list(_SKY[self.time])
        if self.weather in _GREY:
            grey, k = _GREY[self.weather]
            shade = scale(grey, self.ambient)
            stops = [mix(c, shade, k) for c in stops]
        if self.mood == "neon":
            if self.time == "day":
                targets = (((30, 40, 200), 0.5), ((60, 180, 240), 0.4), ((255, 130, 220), 0.6))
            else:
                targets = (((18, 6, 52), 0.75), ((110, 20, 130), 0.62), ((255, 60, 160), 0.5))
            stops = [mix(c, target, k) for c, (target, k) in zip(stops, targets, strict=True)]
        jitter = tuple(self.rng.uniform(-8, 8) for _ in range(3))
        painted = [self.filter((c[0] + jitter[0], c[1] + jitter[1], c[2] + jitter[2])) for c in stops]
        return (painted[0], painted[1], painted[2])

    def tone(self, base: Color, depth: float = 1.0) -> Color:
        """`base` under this light at `depth`: 0 is the horizon and takes the haze, 1 is near."""
        c = scale(base, self.ambient)
        if self.weather == "storm":
            c = darker(c, 0.22)
        if self.mood == "neon":
            c = mix(c, (26, 12, 66), 0.42)
        c = self.filter(c)
        if depth < 1:
            c = mix(self.haze_color, c, 1 - (1 - depth) * min(0.95, 0.62 + self.haze * 0.4))
        return c

    def object(self, base: Color) -> Color:
        """The colour of something that should be seen: half of the ambient light only, brightened in dark places."""
        if self.dark_place:
            return self.filter(lighter(base, 0.08))
        k = 0.74
        a = self.ambient
        c = scale(base, (k + (1 - k) * a[0], k + (1 - k) * a[1], k + (1 - k) * a[2]))
        return self.filter(c)

    def accent(self, name: str | None = None) -> Color:
        """A named strong colour, or any."""
        return self.object(
            ACCENTS[name or self.rng.choice(("red", "orange", "yellow", "green", "blue", "purple", "pink"))]
        )

    def lamp(self) -> Color:
        """The colour of a lit window or lantern."""
        if self.mood == "neon":
            return self.rng.choice(_NEON_LIGHTS)
        return self.filter((255, 210, 112))

    def snowed(self, base: Color, amount: float = 0.8) -> Color:
        """The base colour of ground or roof, white when it snows."""
        return mix(base, (234, 240, 248), amount) if self.weather == "snow" else base
