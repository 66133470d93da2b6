"""What falls or hangs between us and the scene: rain, snow, fog. Rooms, caves and space have none."""

from models.starter.training.illustrator.palette import mix
from models.starter.training.illustrator.picture import Picture
from models.starter.training.vocabulary import SETTINGS


def overlay(p: Picture) -> None:
    if p.indoors or not SETTINGS[p.scene.setting].shows_weather:
        return
    weather, c, u = p.scene.weather, p.canvas, p.u
    area = p.w * p.h / (u * u * 17000)
    if weather == "fog":
        tone = mix(p.light.sky[2], p.light.sky[1], 0.3)
        c.veil((0, 0.3, 0.6, 0.8, 1), (0.1, 0.36, 0.66, 0.5, 0.24), tone)
    elif weather in ("rain", "storm"):
        drop = mix(p.light.sky[1], (228, 238, 252), 0.58)
        slant = p.rng.choice((-1, 1)) * p.lot(0.8, 2.0) * u
        for _ in range(round((62 if weather == "rain" else 80) * area)):
            x, y, length = p.lot(0, p.w), p.lot(-4 * u, p.h), u * p.lot(5, 8)
            c.line([(x, y), (x + slant, y + length)], drop, u * 0.62)
    elif weather == "snow":
        flake = mix(p.light.sky[1], (255, 255, 255), 0.88)
        for _ in range(round(95 * area)):
            c.circle(p.lot(0, p.w), p.lot(0, p.h), u * p.rng.choice((0.7, 0.7, 0.9, 1.2)), flake)
