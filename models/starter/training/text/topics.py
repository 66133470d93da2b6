"""Draws topics as people type them, and what a story must know about each.

Three sources: the nouns and heads of the themes in many frames ("the history of kites", "a kite who was afraid of
wind"), made-up and unknown words, and hostile or careless text (emoji, code, other scripts, whole paragraphs). The last two
teach copying: the topic comes back byte for byte, never replaced by another.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache
from random import Random

from models.starter.training.text.frames import (
    AREA_FAMILY,
    CLAUSES,
    COUNT_FRAMES,
    EXTRAS,
    MASS_FRAMES,
    RELATIVES,
    REQUESTS,
    UNKNOWN_FRAMES,
)
from models.starter.training.text.library import Theme, held_out_topics, themes, words

LONGEST_NAME_CHARACTERS = 60
QUESTION = re.compile(
    r"(?i)^(why|how|what|where|when|who|which|can|could|do|does|did|is|are|was|were|will|would|should|have|has)\b"
    r"(?=.* (do|does|did|is|are|was|were|can|could|will|would|should|has|have)\b|.*\?$)"
)
INDIRECT = re.compile(
    r"(?i)^(why|how|what|where|when|who) (?!(do|does|did|is|are|was|were|can|could|will|would|should)\b)"
)
_FUNCTION_WORDS = (
    "a an the my your our his her their its this that these those some one two three four five seven ten every no "
    "in on at of for from with without by to about after before between behind under over inside and or but if when "
    "where why how what who which is are was were do does did can could will would should am i'm we you they it he she "
    "there here not life learning"
)
FUNCTION_WORDS = frozenset(_FUNCTION_WORDS.split())


@dataclass(frozen=True)
class Topic:
    """A topic: its `text` as typed, its name inside a sentence, a short name, and where its story comes from."""

    text: str
    inside: str
    short: str
    form: str
    family: str
    theme_names: tuple[str, ...] = ()
    nouns: tuple[str, ...] = ()
    hero: str = ""


def plural(noun: str) -> str:
    """The regular English plural, and the irregular ones of the corpus."""
    head, _, last = noun.rpartition(" ")
    irregular = {
        "man": "men",
        "woman": "women",
        "child": "children",
        "mouse": "mice",
        "goose": "geese",
        "wolf": "wolves",
        "foot": "feet",
        "tooth": "teeth",
        "leaf": "leaves",
        "knife": "knives",
        "shelf": "shelves",
        "loaf": "loaves",
        "thief": "thieves",
        "elf": "elves",
        "calf": "calves",
        "scarf": "scarves",
        "person": "people",
        "fish": "fish",
        "sheep": "sheep",
        "deer": "deer",
        "ox": "oxen",
        "half": "halves",
        "life": "lives",
    }
    if last in irregular:
        last = irregular[last]
    elif last.endswith("man") and last not in ("human", "german", "shaman", "caiman", "talisman"):
        last = last[:-3] + "men"
    elif re.search(r"(s|x|z|ch|sh)$", last):
        last += "es"
    elif re.search(r"[^aeiou]y$", last):
        last = last[:-1] + "ies"
    else:
        last += "s"
    return f"{head} {last}".strip()


def with_article(words_: str) -> str:
    """The words with "a" or "an" before them, as they sound."""
    silent = re.match(r"(?i)(hour|honest|heir|x-ray)", words_)
    voiced = re.match(r"(?i)(uni|use|euro|one\b|ufo)", words_)
    return ("an " if (words_[0].lower() in "aeiou" or silent) and not voiced else "a ") + words_


@cache
def _common_words() -> frozenset[str]:
    known = set(FUNCTION_WORDS) | set(words("adjectives"))
    for theme in themes().values():
        for noun in [*theme.nouns, *(plural(noun) for noun in theme.nouns), *theme.mass]:
            first = noun.split()[0]
            if first.islower():
                known.add(first)
    return frozenset(known)


def inside(text: str) -> str:
    """How the topic stands inside a sentence: no full stop, a common first word in lower case, the rest as typed."""
    line = " ".join(text.split()).strip().rstrip(".?! ") or text.strip()
    first, _, rest = line.partition(" ")
    if first.lower() in _common_words() and (not first.isupper() or first in ("A", "I")):
        return f"{first.lower()} {rest}".strip()
    return line


def form_of(text: str) -> str:
    """Answers "question" for what ends in a question mark or is in the order of one, else "thing"."""
    if INDIRECT.match(text) and not text.rstrip().endswith("?"):
        return "thing"
    return "question" if QUESTION.match(text) else "thing"


def made_up_word(rng: Random) -> str:
    """A word that the model cannot have seen: syllables, pieces of words, letters, other alphabets, numbers."""
    kind = rng.random()
    if kind < 0.4:
        word = "".join(
            rng.choice(
                [
                    "b",
                    "c",
                    "d",
                    "f",
                    "g",
                    "h",
                    "k",
                    "l",
                    "m",
                    "n",
                    "p",
                    "r",
                    "s",
                    "t",
                    "v",
                    "w",
                    "z",
                    "br",
                    "st",
                    "qu",
                    "th",
                    "gl",
                ]
            )
            + rng.choice("aeiouy")
            + rng.choice(["", "", "n", "r", "l", "x", "s", "m", "nd", "rk", "ck"])
            for _ in range(rng.randint(1, 3))
        )
    elif kind < 0.6:
        pieces = words("adjectives") + words("names") + words("places")
        word = "".join(re.sub(r"\W", "", rng.choice(pieces))[: rng.randint(2, 6)] for _ in range(rng.randint(1, 3)))
    elif kind < 0.76:
        word = "".join(rng.choice("abcdefghijklmnopqrstuvwxyzaeiou") for _ in range(rng.randint(2, 10)))
    elif kind < 0.84:
        word = "".join(
            rng.choice("abcdeghijklmnoprstuvwzyąćęłńóśźżäöüßéèàçñášžčøåæığ") for _ in range(rng.randint(3, 9))
        )
    elif kind < 0.92:
        word = rng.choice(
            [str(rng.randint(1, 3000)), f"{rng.choice('ABCDXZ')}{rng.randint(1, 99)}", f"{rng.randint(2, 99)}th"]
        )
    else:
        word = rng.choice(words("oddities"))
    word = word[:16]
    style = rng.random()
    return word.capitalize() if style < 0.5 else word.upper() if style > 0.96 else word


def proper_name(rng: Random) -> str:
    """A person's first name, now and then an invented one."""
    return rng.choice(words("names")) if rng.random() < 0.8 else made_up_word(rng).capitalize()


def place_name(rng: Random) -> str:
    """A place, now and then an invented one."""
    return rng.choice(words("places")) if rng.random() < 0.7 else made_up_word(rng).capitalize()


def _fill(rng: Random, frame: str, noun: str, other: str) -> dict[str, str]:
    adjective = rng.choice(words("adjectives"))
    return {
        "n": noun,
        "ns": plural(noun),
        "an": with_article(noun),
        "m": other,
        "am": with_article(other),
        "ms": plural(other),
        "adj": adjective,
        "aadj": with_article(adjective),
        "who": rng.choice(RELATIVES),
        "does": rng.choice(CLAUSES),
        "Name": proper_name(rng),
        "Surname": rng.choice(words("surnames")) if rng.random() < 0.7 else made_up_word(rng).capitalize(),
        "place": place_name(rng),
        "w": made_up_word(rng) if rng.random() < 0.75 else other,
        "v": made_up_word(rng),
        "number": str(rng.randint(2, 2200)),
    }


def _from_frame(
    rng: Random, frame: tuple[str, ...], noun: str, other: str, theme_names: tuple[str, ...], area: str
) -> Topic:
    text, inner, short, form, family = frame
    values = _fill(rng, text, noun, other)
    full = text.format(**values)
    if form == "question":
        inner = (inner or text).rstrip("?")
    names = theme_names if "{m" in text or "{am}" in text else theme_names[:1]
    hero = values["Name"] if "{Name}" in text else ""
    if "{Surname}" in text:
        hero = f"{values['Name']} {values['Surname']}"
    return Topic(
        text=full,
        inside=(inner or text).format(**values),
        short=(short or inner or text).format(**values),
        form=form,
        family=family or AREA_FAMILY.get(area, "thing"),
        theme_names=names,
        nouns=(noun, other)[: len(names)],
        hero=hero,
    )


def _known_topic(rng: Random) -> Topic:
    catalogue = list(themes().values())
    theme, second = rng.choice(catalogue), rng.choice(catalogue)
    family = AREA_FAMILY.get(theme.area, "thing")
    total = len(theme.heads) + len(theme.nouns) + len(theme.mass)
    choice = rng.random() * total
    if choice < len(theme.heads):
        text, short = rng.choice(theme.heads)
        form = "clause" if text.startswith("~") else form_of(text)
        text = text.removeprefix("~")
        return Topic(text, inside(text), short or inside(text), form, family, (theme.name,))
    if choice < len(theme.heads) + len(theme.mass):
        frame = rng.choices(MASS_FRAMES, [weight for *_, weight in MASS_FRAMES])[0]
        return _from_frame(
            rng, frame[:5], rng.choice(theme.mass), _any_noun(rng, second), (theme.name, second.name), theme.area
        )
    frame = rng.choices(COUNT_FRAMES, [weight for *_, weight in COUNT_FRAMES])[0]
    return _from_frame(
        rng, frame[:5], rng.choice(theme.nouns), _any_noun(rng, second), (theme.name, second.name), theme.area
    )


def _any_noun(rng: Random, theme: Theme) -> str:
    return rng.choice(theme.nouns or ["stranger"])


def _unknown_topic(rng: Random) -> Topic:
    frame = rng.choices(UNKNOWN_FRAMES, [weight for *_, weight in UNKNOWN_FRAMES])[0]
    theme = rng.choice(list(themes().values()))
    topic = _from_frame(rng, frame[:5], _any_noun(rng, theme), _any_noun(rng, theme), (), "")
    if "{n" in frame[0] or "{an}" in frame[0]:
        topic = replace(topic, theme_names=(theme.name,))
    return topic


def _hostile_topic(rng: Random) -> Topic:
    text = rng.choice(words("hostile"))
    if rng.random() < 0.5:
        text = rng.choice(["{h} {w}", "{w} {h}", "{h} {h}", "{w} {w} {h}"]).format(h=text, w=made_up_word(rng))
    return Topic(text, shortened(text), shortened(text), "label", "nonsense")


def shortened(text: str) -> str:
    """The topic on one line, cut at a word's end to what fits a title."""
    line = " ".join(text.split())
    if len(line) <= LONGEST_NAME_CHARACTERS:
        return line
    head = line[: LONGEST_NAME_CHARACTERS + 1].rpartition(" ")[0]
    return head.rstrip(" ,.;:-") or line[:LONGEST_NAME_CHARACTERS]


def _as_typed(rng: Random, topic: Topic) -> Topic:
    """Capitals as people type them; the name inside a sentence follows."""
    style, text = rng.random(), topic.text
    if style < 0.42:
        typed = text
    elif style < 0.7:
        typed = text[:1].upper() + text[1:]
    elif style < 0.85:
        typed = " ".join(word[:1].upper() + word[1:] for word in text.split(" "))
    elif style < 0.98:
        typed = text.lower()
    else:
        typed = text.upper()
    if topic.form == "question":
        typed = typed.rstrip("?") + ("?" if rng.random() < 0.6 else "")
    typed_like = inside(typed) if inside(text) == topic.inside else _recase(topic.inside, typed)
    short = typed_like if topic.short == topic.inside else _recase(topic.short, typed)
    return replace(topic, text=typed, inside=typed_like, short=short, hero=_recase(topic.hero, typed))


def _recase(part: str, typed: str) -> str:
    """`part` with the capitals that its words have in `typed`, where a word of it is a name; common words stay as they are."""
    spelled = {word.lower(): word for word in re.findall(r"[^\s,:]+", typed)}
    out = []
    for word in part.split(" "):
        known = word.lower() in _common_words() and word.islower()
        out.append(word if known else spelled.get(word.lower(), word))
    return " ".join(out)


@cache
def _held_out() -> frozenset[str]:
    return frozenset(text.lower().rstrip("?") for _, text in held_out_topics())


def draw_topic(rng: Random) -> Topic:
    """One topic; never one of the held-out sixty. Longer than a title only in its `text`."""
    while True:
        kind = rng.random()
        if kind < 0.04:
            topic = _hostile_topic(rng)
        else:
            topic = _as_typed(rng, _known_topic(rng) if kind < 0.68 else _unknown_topic(rng))
        if len(topic.inside) > LONGEST_NAME_CHARACTERS or len(topic.inside) < 1:
            continue
        text = topic.text
        if topic.form != "question" and rng.random() < 0.1:
            text = rng.choice(REQUESTS) + topic.inside
        if rng.random() < 0.06:
            text = text.rstrip("?.") + ". " + " ".join(rng.sample(EXTRAS, rng.choice([1, 1, 2, 3, 6, 12, 20])))
        elif rng.random() < 0.02:
            text = f"{text.rstrip('?.')}. " + " ".join(made_up_word(rng) for _ in range(rng.randint(10, 110)))
        if topic.text.lower().rstrip("?") not in _held_out():
            return replace(topic, text=text)
