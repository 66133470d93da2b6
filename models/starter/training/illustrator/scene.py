"""What a picture shows, as data, and how one is drawn by lot: common combinations often, absurd ones never."""

import random
from dataclasses import dataclass, replace

from models.starter.training.vocabulary import COLORS, MOODS, SETTINGS, THINGS, TIMES, WEATHERS

SIZES_BY_ASPECT: dict[str, tuple[int, int]] = {"wide": (384, 224), "square": (288, 288), "tall": (224, 384)}
"""Width and height in pixels; multiples of 32, because the autoencoder and the denoiser halve five times."""


@dataclass(frozen=True)
class Item:
    """A thing in the scene; `color` None means its own colour; `noun` is chosen by the captions."""

    key: str
    color: str | None = None
    size: str = "normal"


@dataclass(frozen=True)
class Scene:
    setting: str
    time: str = "day"
    weather: str = "clear"
    mood: str = "none"
    items: tuple[Item, ...] = ()
    aspect: str = "wide"
    seed: int = 0
    close: bool = False
    """The only thing is seen up close; without it a single thing is far away."""

    def has(self, key: str) -> bool:
        return any(item.key == key for item in self.items)


_TIME_WEIGHTS = (1.0, 1.25, 1.15, 1.35)
_WEATHER_WEIGHTS = (4.2, 1.3, 1.2, 1.0, 0.95, 0.9)
_MOOD_WEIGHTS = (4.2, 1.0, 1.0, 1.2, 1.0, 0.8, 0.9)
_ASPECT_WEIGHTS = (0.7, 0.15, 0.15)
_PLACES_WITHOUT_SKY = frozenset({"cave", "underwater", "stage"})
FLYING = frozenset(
    "birds balloon plane ufo dragon butterflies bees rocket planet satellite eagle helicopter bat kite butterfly bee"
    " rainbow".split()
)
SKY_LIGHTS = frozenset({"sun", "moon"})
NEVER_CLOSE = SKY_LIGHTS | {"birds"}
_NEEDS_ITS_PLACE = SKY_LIGHTS | {"planet", "rainbow", "satellite"}
_EVERYDAY_PEOPLE = ("woman", "man", "girl", "boy", "elder", "explorer")
_CLOSE_SHARE = 0.88
_EVERYWHERE_SHARE = 0.2  # a kettle may stand in a forest: stories put their thing anywhere
_PERSON_FIRST_SHARE = 0.16
_HARD = frozenset("dragon knight telescope dinosaur camel fox astronaut planet violin bicycle horse deer".split())
_HOSTS = {key: tuple(name for name, setting in SETTINGS.items() if key in setting.objects) for key in THINGS}


def _first(rng: random.Random) -> tuple[str, str]:
    """A setting and what it shows, half of the time from the side of the setting, half from that of the thing."""
    if rng.random() < 0.45:
        setting = rng.choice(tuple(SETTINGS))
        return setting, rng.choice(SETTINGS[setting].objects)
    if rng.random() < _PERSON_FIRST_SHARE:
        key = rng.choice(_EVERYDAY_PEOPLE)
    else:
        key = rng.choice(tuple(THINGS) if rng.random() < 0.9 else tuple(sorted(_HARD)))
    anywhere = key not in _NEEDS_ITS_PLACE and rng.random() < _EVERYWHERE_SHARE
    return rng.choice(tuple(SETTINGS) if anywhere else _HOSTS[key]), key


def sample_scene(rng: random.Random, aspect: str | None = None) -> Scene:
    """One scene by lot. Nine in ten show something in particular, most of those one thing, and that up close."""
    count = rng.choices((0, 1, 2, 3), (0.1, 0.56, 0.28, 0.06))[0]
    setting, key = _first(rng)
    keys = [key][:count]
    while len(keys) < count:
        key = rng.choice(SETTINGS[setting].objects)
        clash = {*keys, key}
        if key in keys or clash >= SKY_LIGHTS or len(clash & FLYING) > 1:
            continue
        keys.append(key)
    close = count == 1 and keys[0] not in NEVER_CLOSE and rng.random() < _CLOSE_SHARE
    items = [_dress(key, rng) for key in keys]
    if count == 1 and not close and keys[0] not in NEVER_CLOSE:
        items = [replace(items[0], size="small")]
    time = rng.choices(tuple(TIMES), _TIME_WEIGHTS)[0]
    weather = rng.choices(tuple(WEATHERS), _WEATHER_WEIGHTS)[0]
    if "sun" in keys and time == "night":
        time = rng.choice(("dawn", "day", "sunset"))
    if "moon" in keys and time == "day":
        time = "night"
    if set(keys) & SKY_LIGHTS and weather in ("rain", "storm", "fog", "cloudy") and rng.random() < 0.7:
        weather = "clear"
    scene = Scene(
        setting=setting,
        time=time,
        weather=weather,
        mood=rng.choices(MOODS, _MOOD_WEIGHTS)[0],
        items=tuple(items),
        aspect=aspect or rng.choices(tuple(SIZES_BY_ASPECT), _ASPECT_WEIGHTS)[0],
        seed=rng.getrandbits(40),
        close=close,
    )
    return sensible(scene)


def _dress(key: str, rng: random.Random) -> Item:
    thing = THINGS[key]
    chance = 0.62 if thing.kind == "person" else 0.34
    color = rng.choice(tuple(COLORS)) if thing.colored and key not in SKY_LIGHTS and rng.random() < chance else None
    size = rng.choice(("small", "large")) if rng.random() < 0.24 else "normal"
    return Item(key, color, size)


def sensible(scene: Scene) -> Scene:
    """The nearest scene that can be drawn: time and weather where the setting shows them, no sun in a cave."""
    setting = SETTINGS[scene.setting]
    items = scene.items
    if scene.setting in _PLACES_WITHOUT_SKY:
        items = tuple(item for item in items if item.key not in SKY_LIGHTS)
    return replace(
        scene,
        items=items,
        time=scene.time if setting.shows_time else "night",
        weather=scene.weather if setting.shows_weather else "clear",
    )
