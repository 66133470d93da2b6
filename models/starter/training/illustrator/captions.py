"""A scene in words: lists of tags, sentences, and the pipeline's own shape of prompt with named characters.

`caption` draws one of many true descriptions. It may leave something out, it never names what is not drawn, except
for words that mean nothing to a picture (invented names, adjectives of feeling), so that unknown words do no harm.
"""

import random

from models.starter.training.illustrator.scene import NEVER_CLOSE, Item, Scene
from models.starter.training.vocabulary import (
    ACTIONS,
    CHARACTER_KEYS,
    CLOSE,
    CLOTHES,
    COLORS,
    FAR,
    SETTINGS,
    SIZES,
    STYLES,
    THINGS,
    TIMES,
    WEATHERS,
    bare,
    place,
    with_article,
)

_IDLE_WORDS = (
    "quiet lonely beautiful vast strange peaceful old busy wild distant dramatic magical simple silent ancient hidden"
    " famous forgotten modern gentle mysterious bright endless sleepy brave curious secret great last first"
).split()
_TOPICS = (
    "tokyo paris london cairo rome venice moscow berlin kyoto brazil india africa japan history future quantum jazz tea"
    " silk steam honey gravity music chess pirates vikings legend secret magic memory atoms cells time dream journey"
    " adventure mystery science freedom empire war peace electricity internet money evolution language hope courage"
).split()
_SYLLABLES = ("ma la ri no ka te so mi lu ra el an ta jo is ve di na ro bo sha ni pe zu ha le ya wen tor vin").split()
_FACES = ("brave", "kind", "curious", "quiet", "cheerful", "tired", "gentle", "clever")
_LINKS = (" with ", " and ", " near ", " beside ", " next to ")
_FRAMES = ("an illustration of ", "a poster of ", "a picture of ", "a scene with ", "a view of ")


def invented_name(rng: random.Random) -> str:
    """A name nobody has, `Talumi`."""
    return "".join(rng.choice(_SYLLABLES) for _ in range(rng.randint(2, 3))).capitalize()


def _color_word(item: Item, rng: random.Random) -> str:
    return rng.choice(COLORS[item.color]) if item.color and rng.random() < 0.4 else (item.color or "")


def item_phrase(item: Item, rng: random.Random, *, article: bool = True) -> str:
    """`a small red boat`, `an old man in a green coat`, `birds`."""
    thing = THINGS[item.key]
    noun = thing.nouns[0] if rng.random() < 0.55 else rng.choice(thing.nouns)
    words: list[str] = []
    if item.size == "small" or (item.size != "normal" and rng.random() < 0.92):
        words.append(rng.choice(SIZES[item.size]))
    elif rng.random() < 0.06:
        words.append(rng.choice(_IDLE_WORDS))
    clothed = thing.kind == "person" and item.key not in ("robot", "crowd", "knight", "astronaut")
    if item.color and not clothed:
        words.append(_color_word(item, rng))
    words.append(noun)
    phrase = " ".join(words)
    if article and not thing.plural:
        common = 0.4 if thing.kind == "sky" else 0.8
        phrase = with_article(phrase) if rng.random() < common else f"the {phrase}"
    if item.color and clothed:
        garment = f"{_color_word(item, rng)} {rng.choice(CLOTHES)}"
        phrase += rng.choice(
            (f" in {with_article(garment)}", f" in {with_article(garment)}", f" wearing {with_article(garment)}")
        )
    return phrase


def _nearness(scene: Scene, rng: random.Random) -> str:
    """How near the only thing is, in words: mostly unsaid when it is close, always said when it is far."""
    if len(scene.items) != 1 or scene.items[0].key in NEVER_CLOSE:
        return ""
    if scene.close:
        return rng.choice(CLOSE) if rng.random() < 0.22 else ""
    return rng.choice(FAR)


class _Words:
    """The parts of one caption, each perhaps left out."""

    def __init__(self, scene: Scene, rng: random.Random, *, complete: bool) -> None:
        setting = SETTINGS[scene.setting]
        self.phrase = setting.phrases[0] if rng.random() < 0.35 else rng.choice(setting.phrases)
        self.where = place(setting, self.phrase)
        self.nearness = _nearness(scene, rng)
        self.time = ""
        if setting.shows_time and (complete or rng.random() < 0.9):
            self.time = TIMES[scene.time][0] if rng.random() < 0.4 else rng.choice(TIMES[scene.time])
        elif not setting.shows_time and rng.random() < 0.2:
            self.time = rng.choice(TIMES[rng.choice(tuple(TIMES))])  # it would not show: any hour is true
        self.weather = ""
        said_weather = 0.14 if scene.weather == "clear" else 1.0 if complete else 0.96
        if setting.shows_weather and rng.random() < said_weather:
            words = WEATHERS[scene.weather]
            self.weather = words[0] if rng.random() < 0.4 else rng.choice(words)
        styles = STYLES[scene.mood]
        said = rng.random() < (0.45 if scene.mood == "none" else 0.96)
        self.style = (styles[0] if rng.random() < 0.4 else rng.choice(styles)) if said else ""


def _tags(scene: Scene, rng: random.Random, *, complete: bool) -> str:
    words = _Words(scene, rng, complete=complete)
    items = [item_phrase(item, rng, article=rng.random() < 0.5) for item in scene.items]
    parts = [bare(words.phrase), *items, words.nearness, words.weather, words.time, words.style]
    if rng.random() < 0.2:
        parts.append(rng.choice(_TOPICS))
    parts = [part for part in parts if part]
    if rng.random() < 0.5:
        tail = parts[1:]
        rng.shuffle(tail)
        parts = [parts[0], *tail]
    return ", ".join(parts)


def _tail(words: _Words, rng: random.Random) -> str:
    """Hour and weather, in either order."""
    parts = [part for part in (words.time, words.weather) if part]
    rng.shuffle(parts)
    return "".join((" " if rng.random() < 0.75 else ", ") + part for part in parts)


def _where(words: _Words, rng: random.Random) -> str:
    where = words.where
    if rng.random() < 0.2:  # an idle word or a mood's first word before the noun
        preposition, _, rest = where.partition(" ")
        idle = rng.choice(_IDLE_WORDS)
        core = bare(rest)
        where = f"{preposition} {rng.choice(('the ', with_article(idle).removesuffix(idle)))}{idle} {core}"
    if rng.random() < 0.12:
        where += rng.choice((" of ", " in ", " near ")) + rng.choice((rng.choice(_TOPICS), invented_name(rng)))
    return where


def _near_or_far(words: _Words, item: str, rng: random.Random) -> str:
    """`a close-up of a kettle in a kitchen by day`, `a kettle in the distance in a kitchen by day`."""
    if "close-up" in words.nearness:
        text = f"a close-up of {item} {_where(words, rng)}"
    elif rng.random() < 0.5:
        text = f"{item}, {words.nearness}, {_where(words, rng)}"
    else:
        text = f"{item} {_where(words, rng)}, {words.nearness}"
    return text + _tail(words, rng) + (f", {words.style}" if words.style else "")


def _sentence(scene: Scene, rng: random.Random, *, complete: bool) -> str:
    words = _Words(scene, rng, complete=complete)
    items = [item_phrase(item, rng) for item in scene.items]
    if words.nearness:
        return _near_or_far(words, items[0], rng)
    if items and rng.random() < 0.18:
        text = f"{words.phrase} with {' and '.join(items)}"
    elif items:
        first = items[0]
        verb = f" {rng.choice(ACTIONS)}" if rng.random() < 0.45 else ""
        others = "".join(rng.choice(_LINKS) + other for other in items[1:])
        if rng.random() < 0.5:
            text = f"{first}{verb} {_where(words, rng)}{others}"
        else:
            text = f"{first}{others}{verb} {_where(words, rng)}"
    else:
        text = bare(words.phrase) if rng.random() < 0.4 else words.phrase
    text += _tail(words, rng)
    if words.style:
        text += f", {words.style}"
    if rng.random() < 0.12:
        text = rng.choice(_FRAMES) + text
    return text


def appearance(item: Item, rng: random.Random) -> str:
    """How the pipeline describes a character, `a young woman in a red coat`."""
    phrase = item_phrase(Item(item.key, item.color), rng)
    phrase = with_article(phrase.removeprefix("the ")) if phrase.startswith("the ") else phrase
    if rng.random() < 0.3:
        first, _, rest = phrase.partition(" ")
        if first in ("a", "an"):
            phrase = f"{with_article(rng.choice(_FACES))} {rest}"
    return phrase


def _plural(verb: str) -> str:
    """`walks` -> `walk`, `watches` -> `watch`."""
    return verb.removesuffix("es") if verb.endswith(("ches", "shes")) else verb.removesuffix("s")


def _pipeline(scene: Scene, rng: random.Random, *, complete: bool) -> str:
    """`{image_prompt}, {style}, {name}: {appearance}`, the name standing for the character in the prompt."""
    characters = [item for item in scene.items if item.key in CHARACTER_KEYS]
    words = _Words(scene, rng, complete=complete)
    if not words.style:
        words.style = STYLES[scene.mood][0]
    names = {item.key: invented_name(rng) for item in characters}
    subjects = [names.get(item.key) or item_phrase(item, rng) for item in scene.items]
    verb = rng.choice(ACTIONS)
    if len(characters) > 1 and rng.random() < 0.5:  # `Mira and Oren walk`
        subjects = [" and ".join(names.values())] + [s for s in subjects if s not in names.values()]
        verb = " ".join([_plural(verb.split()[0]), *verb.split()[1:]])
    text = f"{subjects[0]} {verb} {_where(words, rng)}"
    text += "".join(rng.choice(_LINKS) + other for other in subjects[1:])
    text += (f", {words.nearness}" if words.nearness else "") + _tail(words, rng)
    cast = [f"{names[item.key]}: {appearance(item, rng)}" for item in characters]
    return ", ".join([text, words.style, *cast])


def caption(scene: Scene, rng: random.Random, *, complete: bool = False) -> str:
    """One description of the scene, by lot among the three shapes; a complete one leaves out no hour and no weather."""
    named = any(item.key in CHARACTER_KEYS for item in scene.items)
    kind = rng.random()
    if named and kind < 0.34:
        text = _pipeline(scene, rng, complete=complete)
    elif kind < 0.62:
        text = _tags(scene, rng, complete=complete)
    else:
        text = _sentence(scene, rng, complete=complete)
    if rng.random() < 0.04:
        text = text.capitalize() + "."
    return " ".join(text.split())
