"""What moves people. Those on the ground or water stand at (x, y), those in the air are centred there."""

from models.starter.training.illustrator.backdrop import named_accent
from models.starter.training.illustrator.palette import Color, darker, lighter, mix
from models.starter.training.illustrator.picture import Picture

_TYRE: Color = (34, 34, 42)


def _glass(p: Picture, body: Color) -> Color:
    return p.light.lamp() if p.light.lamps_on else lighter(body, 0.62)


def boat(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    c, v = p.canvas, 15 * k
    hull, sail = named_accent(p, color, (158, 84, 58)), p.light.object((246, 240, 226))
    c.rect(x - v * 0.05, y - v * 2.4, x + v * 0.05, y - v * 0.4, p.light.object((70, 52, 44)))
    c.poly([(x + v * 0.12, y - v * 2.3), (x + v * 0.12, y - v * 0.6), (x + v * 1.15, y - v * 0.6)], sail)
    c.poly([(x - v * 0.12, y - v * 2.05), (x - v * 0.12, y - v * 0.6), (x - v * 0.9, y - v * 0.6)], darker(sail, 0.12))
    c.poly([(x, y - v * 2.4), (x + v * 0.45, y - v * 2.55), (x, y - v * 2.7)], hull)
    c.poly(
        [
            (x - v * 1.25, y - v * 0.48),
            (x + v * 1.3, y - v * 0.48),
            (x + v * 0.85, y + v * 0.12),
            (x - v * 0.85, y + v * 0.12),
        ],
        hull,
    )
    c.poly(
        [
            (x - v * 1.25, y - v * 0.48),
            (x + v * 1.3, y - v * 0.48),
            (x + v * 1.2, y - v * 0.34),
            (x - v * 1.14, y - v * 0.34),
        ],
        lighter(hull, 0.4),
    )


def train(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    """An engine and two coaches on a track that crosses the picture."""
    c, h = p.canvas, 17 * k
    body = named_accent(p, color, (190, 62, 58))
    c.rect(0, y, p.w, y + k * 1.2, p.tone((60, 52, 54)))
    glass, length = _glass(p, body), h * 2.1
    for i in range(3):
        x0 = x + (i - 1.6) * (length + k * 1.4)
        c.rounded(x0, y - h, x0 + length, y - h * 0.14, h * 0.14, body if i < 2 else darker(body, 0.1))
        c.rect(x0, y - h * 0.42, x0 + length, y - h * 0.32, lighter(body, 0.55))
        for j in range(4):
            a = x0 + length * (0.08 + 0.23 * j)
            c.rect(a, y - h * 0.82, a + length * 0.15, y - h * 0.5, glass)
        for axle in (0.2, 0.8):
            c.circle(x0 + length * axle, y - h * 0.1, h * 0.14, _TYRE)
    nose = x + 1.4 * (length + k * 1.4) - k * 1.4
    c.poly(
        [(nose - k, y - h), (nose + h * 0.3, y - h * 0.9), (nose + h * 0.8, y - h * 0.14), (nose - k, y - h * 0.14)],
        darker(body, 0.1),
    )
    c.poly(
        [
            (nose + h * 0.1, y - h * 0.84),
            (nose + h * 0.28, y - h * 0.84),
            (nose + h * 0.5, y - h * 0.5),
            (nose + h * 0.1, y - h * 0.5),
        ],
        glass,
    )
    if p.light.lamps_on:
        c.glow(nose + h, y - h * 0.35, h, p.light.filter((255, 232, 164)), 0.5)


def car(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    c, v = p.canvas, 16 * k
    body = named_accent(p, color, p.rng.choice(((206, 62, 58), (62, 114, 176), (236, 186, 64))))
    c.poly(
        [
            (x - v * 0.72, y - v * 0.62),
            (x - v * 0.42, y - v * 1.08),
            (x + v * 0.36, y - v * 1.08),
            (x + v * 0.72, y - v * 0.62),
        ],
        body,
    )
    glass = mix(p.light.sky[1], (255, 255, 255), 0.45)
    c.poly(
        [
            (x - v * 0.56, y - v * 0.64),
            (x - v * 0.36, y - v * 0.98),
            (x - v * 0.06, y - v * 0.98),
            (x - v * 0.06, y - v * 0.64),
        ],
        glass,
    )
    c.poly(
        [
            (x + v * 0.04, y - v * 0.64),
            (x + v * 0.04, y - v * 0.98),
            (x + v * 0.3, y - v * 0.98),
            (x + v * 0.54, y - v * 0.64),
        ],
        glass,
    )
    c.rounded(x - v * 1.1, y - v * 0.68, x + v * 1.15, y - v * 0.18, v * 0.18, body)
    c.rect(x - v * 1.05, y - v * 0.36, x + v * 1.1, y - v * 0.28, darker(body, 0.22))
    for dx in (-0.62, 0.64):
        c.circle(x + dx * v, y - v * 0.2, v * 0.25, _TYRE)
        c.circle(x + dx * v, y - v * 0.2, v * 0.11, (176, 178, 186))
    lamp = p.light.filter((255, 242, 184))
    c.ellipse(x + v * 1.07, y - v * 0.5, v * 0.08, v * 0.1, lamp)
    if p.light.lamps_on:
        c.glow(x + v * 1.35, y - v * 0.45, v * 0.7, lamp, 0.6)


def bicycle(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    c, v = p.canvas, 11 * k
    frame = named_accent(p, color, (206, 62, 58))
    left, right, hub = (x - v, y - v * 0.62), (x + v, y - v * 0.62), (x - v * 0.1, y - v * 0.62)
    for wheel in (left, right):
        c.ring(*wheel, v * 0.62, v * 0.62, p.light.object((54, 54, 64)), k * 1.2)
        c.circle(*wheel, v * 0.1, frame)
    seat, bars = (x - v * 0.4, y - v * 1.4), (x + v * 0.68, y - v * 1.45)
    c.line([left, seat, hub, left], frame, k * 1.3)
    c.line([(x - v * 0.36, y - v * 1.25), bars, hub], frame, k * 1.3)
    c.line([right, (x + v * 0.6, y - v * 1.75), (x + v * 0.95, y - v * 1.8)], frame, k * 1.3)
    c.rounded(x - v * 0.68, y - v * 1.55, x - v * 0.14, y - v * 1.4, v * 0.06, p.light.object((60, 48, 46)))


def plane(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    c, v = p.canvas, 17 * k
    body = named_accent(p, color, (238, 240, 244))
    c.line(
        [(x - v * 3.2, y + v * 0.06), (x - v * 1.05, y + v * 0.02)], mix(p.light.sky[1], (255, 255, 255), 0.5), k * 1.5
    )
    c.poly(
        [
            (x + v * 0.05, y - v * 0.08),
            (x - v * 0.2, y - v * 0.08),
            (x - v * 0.5, y - v * 0.55),
            (x - v * 0.32, y - v * 0.55),
        ],
        darker(body, 0.25),
    )
    c.ellipse(x, y, v * 1.1, v * 0.21, body)
    c.poly(
        [
            (x - v * 1.02, y - v * 0.02),
            (x - v * 0.74, y - v * 0.08),
            (x - v * 0.92, y - v * 0.55),
            (x - v * 1.12, y - v * 0.55),
        ],
        body,
    )
    c.poly(
        [
            (x + v * 0.2, y + v * 0.04),
            (x - v * 0.2, y + v * 0.04),
            (x - v * 0.62, y + v * 0.6),
            (x - v * 0.38, y + v * 0.6),
        ],
        darker(body, 0.15),
    )
    for i in range(5):
        c.circle(x - v * 0.4 + i * v * 0.22, y - v * 0.05, k * 0.75, p.light.object((64, 116, 172)))


def balloon(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    c, v = p.canvas, 15 * k
    skin = named_accent(p, color, p.rng.choice(((222, 70, 62), (240, 160, 60), (70, 130, 200))))
    stripe = mix(skin, p.light.object((250, 240, 220)), 0.75)
    for half, shade in ((1.0, skin), (0.66, stripe), (0.3, skin)):
        c.ellipse(x, y, v * half, v, shade)
        c.poly(
            [
                (x - v * 0.82 * half, y + v * 0.56),
                (x + v * 0.82 * half, y + v * 0.56),
                (x + v * 0.2 * half, y + v * 1.4),
                (x - v * 0.2 * half, y + v * 1.4),
            ],
            shade,
        )
    rope = p.light.object((92, 66, 48))
    for side in (-1, 1):
        c.line([(x + side * v * 0.2, y + v * 1.38), (x + side * v * 0.18, y + v * 1.65)], rope, k * 0.5)
    c.rounded(x - v * 0.24, y + v * 1.6, x + v * 0.24, y + v * 1.95, v * 0.06, p.light.object((150, 104, 66)))


def rocket(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    """A rocket in flight, its flame and smoke below it."""
    c, h = p.canvas, 34 * k
    w, y = h * 0.19, y + h * 0.3
    hull, fins = named_accent(p, color, (240, 240, 244)), p.light.object((216, 64, 60))
    flame = p.light.filter((255, 204, 84))
    for i in range(4):
        smoke = mix(p.light.filter((255, 176, 80)), p.light.filter((222, 220, 226)), min(1.0, (i + 1) / 3))
        c.circle(x + p.lot(-1, 1) * k * i, y + h * (0.3 + 0.16 * i), h * (0.1 + 0.035 * i), smoke)
    c.poly([(x - w * 0.6, y), (x + w * 0.6, y), (x, y + h * 0.42)], flame)
    for side in (-1, 1):
        c.poly([(x + side * w * 0.8, y - h * 0.34), (x + side * w * 2.0, y + h * 0.06), (x + side * w * 0.5, y)], fins)
    c.ellipse(x, y - h * 0.46, w, h * 0.5, hull)
    c.rect(x - w * 0.72, y - h * 0.1, x + w * 0.72, y + h * 0.02, darker(hull, 0.3))
    c.poly([(x - w * 0.74, y - h * 0.76), (x + w * 0.74, y - h * 0.76), (x, y - h * 1.08)], fins)
    c.circle(x, y - h * 0.55, w * 0.46, p.light.object((84, 154, 214)))
    c.glow(x, y + h * 0.16, h * 0.5, flame, 0.6)


def ufo(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    c, v = p.canvas, 15 * k
    metal = named_accent(p, color, (150, 160, 182))
    beam = p.light.filter((190, 255, 214))
    if p.scene.setting != "space":
        c.translucent(
            [(x - v * 0.4, y), (x + v * 0.4, y), (x + v * 1.2, p.h * 0.95), (x - v * 1.2, p.h * 0.95)], beam, 0.3
        )
    c.half(x, y - v * 0.12, v * 0.6, v * 0.66, mix(beam, (120, 200, 255), 0.4))
    c.ellipse(x, y, v * 1.35, v * 0.36, metal)
    c.half(x, y, v * 1.35, v * 0.36, darker(metal, 0.25), lower=True)
    for dx in (-0.8, -0.27, 0.27, 0.8):
        c.circle(x + dx * v, y + v * 0.08, v * 0.11, p.light.filter((255, 232, 130)))
    c.glow(x, y + v * 0.2, v * 1.2, beam, 0.35)


def satellite(p: Picture, x: float, y: float, k: float, color: str | None) -> None:
    c, v = p.canvas, 10 * k
    panel, body = p.light.filter((60, 104, 190)), p.light.filter((222, 210, 176))
    c.line([(x - v * 2.6, y), (x + v * 2.6, y)], darker(body, 0.4), k)
    for side in (-1, 1):
        left = x + side * v * 1.7 - v * 0.9
        c.rect(left, y - v * 0.55, left + v * 1.8, y + v * 0.55, panel)
        for i in range(1, 4):
            c.line(
                [(left + v * 0.45 * i, y - v * 0.55), (left + v * 0.45 * i, y + v * 0.55)],
                lighter(panel, 0.45),
                k * 0.5,
            )
    c.rounded(x - v * 0.55, y - v * 0.75, x + v * 0.55, y + v * 0.75, v * 0.14, body)
    c.half(x, y - v * 0.85, v * 0.55, v * 0.42, lighter(body, 0.5), lower=True)
    c.line([(x, y - v * 0.85), (x, y - v * 1.4)], lighter(body, 0.3), k * 0.8)
