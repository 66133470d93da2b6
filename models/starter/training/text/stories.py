"""Composes one whole story from the corpus: an outline and its scenes, as the pipeline would store them.

A story opens, turns and closes: beats of the topic's own theme in the order they were written, a few of its family
("a person", "a place", "a question"), and phrases that name the topic. Every choice comes from the given generator.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from models.starter.training.text.library import (
    CLOSE,
    OPENING,
    TURN,
    Beat,
    Theme,
    families,
    phrases,
    themes,
    words,
)
from models.starter.training.text.pictures import PEOPLE, Character, character, drawable, image_prompt
from models.starter.training.text.topics import Topic, proper_name
from models.starter.training.vocabulary import CHARACTER_KEYS, MOODS, SETTINGS, STYLES, place
from stages.scenes import prompts

LONGEST_NARRATION_CHARACTERS = 540
CHOICE = re.compile(r"\[([^\[\]]*)\]")
# How likely a story of a family has somebody with a name in it, where the topic itself names nobody.
NAMED = {"tale": 0.8, "person": 0.45, "day": 0.5, "nonsense": 0.4, "place": 0.35, "animal": 0.3}
GREETINGS = (
    "Listen.", "Good evening.", "Come in.", "Quiet now.", "Ready?", "So it begins.", "Here we go.", "Look closely.",
    "Take a seat.", "One moment.", "Not so fast.", "Well, then.",
)  # fmt: skip
COMPANIONS = ("robot", "cat", "dog", "fox", "woman", "man", "girl", "boy", "elder", "rabbit", "owl", "horse")
MOOD_WEIGHTS = {
    "history": [2, 1.5, 0.4, 0.1, 0.4, 0.7, 4],
    "tale": [4, 1.5, 0.8, 0.4, 2, 0.3, 1],
    "future": [1, 0.4, 1.5, 4, 0.4, 0.6, 0.2],
    "science": [4, 1, 1.5, 1, 1, 0.2, 0.8],
    "idea": [3, 1.2, 1, 0.6, 2, 1, 0.8],
}


@dataclass(frozen=True)
class Scene:
    """One scene: its line in the outline, what is spoken, what is painted."""

    line: str
    narration: str
    image_prompt: str


@dataclass(frozen=True)
class Story:
    """A story together with what was asked for."""

    topic: Topic
    asked_style: str
    title: str
    logline: str
    style: str
    characters: tuple[Character, ...]
    scenes: tuple[Scene, ...]


def capitalised(sentence: str) -> str:
    """The sentence with a capital at its head, also behind an opening quotation mark."""
    for index, char in enumerate(sentence):
        if char.isalpha():
            return sentence[:index] + char.upper() + sentence[index + 1 :]
        if char not in "“\"'(¿":
            break
    return sentence


class _Pen:
    """Fills patterns for one story: slots, choices, and never the same phrase twice."""

    def __init__(self, rng: Random, topic: Topic, actor: str, named: bool) -> None:
        self.rng, self.topic, self.named = rng, topic, named
        self.slots = {"T": topic.inside, "N": topic.short, "P": actor}
        self.used: set[str] = set()

    def write(self, pattern: str) -> str:
        while CHOICE.search(pattern):
            pattern = CHOICE.sub(lambda match: self.rng.choice(match.group(1).split("|")), pattern)
        # One pass, so that braces or slots inside a topic stay what they are; a sentence may open with any slot.
        parts = re.split(r"(\{[TNP]\})", pattern)
        return capitalised("".join(self.slots[part[1]] if re.fullmatch(r"\{[TNP]\}", part) else part for part in parts))

    def phrase(self, kind: str, longest: int = 600) -> str:
        """A phrase naming the topic that this story has not used; "" where all are used or too long."""
        pool = [p for p in phrases()[self.topic.form][kind] if p not in self.used and (self.named or "{P}" not in p)]
        self.rng.shuffle(pool)
        for pattern in pool:
            text = self.write(pattern)
            if len(text) <= longest:
                self.used.add(pattern)
                return text
        return ""


def write_story(rng: Random, topic: Topic, number_of_scenes: int, asked_style: str) -> Story:
    """One story on `topic` with exactly `number_of_scenes` scenes; `asked_style` may be empty."""
    own = [themes()[name] for name in topic.theme_names]
    family = families()[topic.family]
    cast, actor, hero, thing = _cast(rng, topic, own, family)
    pen = _Pen(rng, topic, actor, bool(cast))
    beats = _plot(rng, own, family, number_of_scenes)
    scenes: list[Scene] = []
    lines: set[str] = set()
    pictures: set[str] = set()
    spoken: set[str] = set()
    for index, beat in enumerate(beats):
        for _ in range(20):
            line = pen.write(beat.line)
            if len(line) < prompts.SCENE_LINE[0]:
                line = f"{line}, {place(SETTINGS[beat.visual.setting])}"
            if line not in lines:
                break
        narration = _narration(rng, pen, beat, index, number_of_scenes, spoken)
        for _ in range(40):
            picture = image_prompt(rng, beat.visual, cast, hero, thing)
            if picture not in pictures and len(picture) <= prompts.IMAGE_PROMPT[1]:
                break
        lines.add(line)
        pictures.add(picture)
        scenes.append(Scene(line[: prompts.SCENE_LINE[1]], narration, picture))
    title = pen.phrase("title", prompts.TITLE[1]) or topic.inside
    if len(title) < prompts.TITLE[0]:
        title = capitalised(f"the story of {topic.inside}")
    pool = [line for theme in own for line in theme.loglines]
    logline = (
        pen.write(rng.choice(pool))
        if pool and len(own) == 1 and topic.form == "thing" and rng.random() < 0.6
        else pen.phrase("log", 220)
    )
    if len(logline) > prompts.LOGLINE[1]:
        logline = pen.phrase("log", prompts.LOGLINE[1])
    return Story(topic, asked_style, title, logline, _style(rng, topic, asked_style), tuple(cast), tuple(scenes))


def _cast(rng: Random, topic: Topic, own: Sequence[Theme], family: Theme) -> tuple[list[Character], str, str, str]:
    """The characters, who acts in the sentences, the kind of figure in pictures, and the story's own thing."""
    thing = drawable(topic.nouns[0]) and topic.nouns[0] if topic.nouns else ""
    thing = thing or next((theme.obj for theme in own if theme.obj), "")
    key = drawable(thing) if thing else ""
    kinds = next((theme.hero for theme in [*own, family] if theme.hero), PEOPLE)
    named_thing = re.search(r"\b(named|the)\b", topic.inside) and key in CHARACTER_KEYS
    if topic.hero:
        cast = [character(rng, topic.hero, [key] if named_thing and topic.nouns else kinds)]
    elif topic.family == "tale" and len(topic.nouns) == 1 and topic.short.startswith("the ") and rng.random() < 0.6:
        return [], topic.short, key or rng.choice(kinds), thing
    elif rng.random() < NAMED.get(topic.family, 0.25):
        cast = [character(rng, proper_name(rng), kinds)]
    else:
        who = next((theme.who for theme in [*own, family] if theme.who), "the traveller")
        return [], who, rng.choice(kinds), thing
    if rng.random() < 0.35:
        name = proper_name(rng)
        if name != cast[0].name:
            cast.append(character(rng, name, [key] if key in CHARACTER_KEYS and rng.random() < 0.5 else COMPANIONS))
    return cast, cast[0].name, cast[0].key, thing


def _plot(rng: Random, own: Sequence[Theme], family: Theme, count: int) -> list[Beat]:
    """`count` different beats: an opening, turns, a close; the theme's own turns keep their order."""
    opening = rng.choice((rng.choice(own) if own and rng.random() < 0.8 else family).of_role(OPENING))
    if count == 1:
        return [opening]
    close = rng.choice((rng.choice(own) if own and rng.random() < 0.7 else family).of_role(CLOSE))
    wanted = count - 2
    chosen: list[Beat] = []
    strangers = list(family.of_role(TURN))
    rng.shuffle(strangers)
    if own:
        pools = [theme.of_role(TURN) for theme in own]
        guests = sum(rng.random() < 0.12 for _ in range(wanted))
        shares = [max(0, wanted - guests)] if len(own) == 1 else [(wanted - guests + 1) // 2, (wanted - guests) // 2]
        for pool, share in zip(pools, shares, strict=True):
            picked = sorted(rng.sample(range(len(pool)), min(share, len(pool))))
            chosen = _merge(rng, chosen, [pool[place] for place in picked])
    else:
        chosen = strangers[: min(wanted, len(strangers))]
        strangers = strangers[len(chosen) :]
    rest = strangers[: wanted - len(chosen)]
    if len(chosen) + len(rest) < wanted:
        more = list(families()["interlude"].of_role(TURN))
        rng.shuffle(more)
        rest += more[: wanted - len(chosen) - len(rest)]
    middle = _merge(rng, chosen, rest)
    if len(middle) < wanted:
        raise ValueError(f"the corpus has {len(middle) + 2} scenes for a story of {count}: add interludes")
    return [opening, *middle, close]


def _merge(rng: Random, first: list[Beat], second: list[Beat]) -> list[Beat]:
    """Both lists in one, each in its own order, shuffled into each other."""
    places = [0] * len(first) + [1] * len(second)
    rng.shuffle(places)
    sources = (iter(first), iter(second))
    return [next(sources[place]) for place in places]


def _narration(rng: Random, pen: _Pen, beat: Beat, index: int, count: int, spoken: set[str]) -> str:
    """Two to four sentences; the first scene always names the topic, the last one mostly, the others now and then."""
    for _ in range(30):
        sentences = list(beat.sentences)
        if len(sentences) > 2 and rng.random() < 0.45:
            sentences.pop(rng.randrange(1, len(sentences)))
        told = [pen.write(sentence) for sentence in sentences]
        if index == 0:
            named = pen.phrase("open", 260)
            if len(told) > 1 and rng.random() < 0.3:
                told.pop(rng.randrange(len(told)))
            told = [named, *told[:3]] if rng.random() < 0.72 else [*told[:3], named]
            if len(told) < 4 and rng.random() < 0.25:
                told.insert(0, rng.choice(GREETINGS))
        elif index == count - 1 and rng.random() < 0.65:
            told = [*told[:3], pen.phrase("close", 220)]
        elif rng.random() < 0.2 or len(told) < 2:
            extra = pen.phrase("later", 200)
            told = [extra, *told[:3]] if rng.random() < 0.3 else [*told[:3], extra]
        told = [sentence for sentence in told if sentence]
        while len(" ".join(told)) > LONGEST_NARRATION_CHARACTERS:
            told.pop(1)
        narration = " ".join(told)
        if narration not in spoken and len(narration) >= prompts.NARRATION[0]:
            break
    spoken.add(narration)
    return narration


def _style(rng: Random, topic: Topic, asked: str) -> str:
    if asked:
        return asked
    low = topic.text.lower()
    if re.search(r"neon|cyber|robot|arcade|synth|night city|hacker", low) and rng.random() < 0.7:
        mood = "neon"
    elif re.search(r"winter|snow|ice|arctic|polar|frost", low) and rng.random() < 0.6:
        mood = "cold"
    elif re.search(r"detective|spy|murder|crime|noir|ghost", low) and rng.random() < 0.6:
        mood = "noir"
    else:
        mood = rng.choices(MOODS, MOOD_WEIGHTS.get(topic.family, [4, 1.5, 1, 0.7, 1.3, 0.3, 0.9]))[0]
    return rng.choice(STYLES[mood]) if rng.random() < 0.4 else STYLES[mood][0]


def asked_style(rng: Random) -> str:
    """A style as a person might ask for it; "" for more than half of the stories."""
    kind = rng.random()
    if kind < 0.6:
        return ""
    if kind < 0.8:
        return rng.choice(STYLES[rng.choice(MOODS)])
    return rng.choice(words("styles"))
