"""Words nobody knows, names and places: what a topic may hold that the model has never seen, and must copy letter by letter."""

from __future__ import annotations

import re
from functools import cache
from random import Random

from models.starter.training.text.library import themes, words
from models.starter.training.text.naming import FUNCTION_WORDS

_CONSONANTS = "b c d f g h k l m n p r s t v w z br st qu th gl"
CONSONANTS = _CONSONANTS.split()
ENDINGS = ["", "", "n", "r", "l", "x", "s", "m", "nd", "rk", "ck"]
LONGEST_WORD_CHARACTERS = 16


@cache
def _nouns() -> tuple[str, ...]:
    """Nouns of one word, to be cut in pieces."""
    return tuple(noun for theme in themes().values() for noun in theme.nouns if re.fullmatch(r"[a-z]{5,}", noun))


@cache
def oddities() -> tuple[str, ...]:
    """Rare words that lead to no theme."""
    known = {noun for theme in themes().values() for noun in [*theme.nouns, *theme.mass]}
    return tuple(word for word in words("oddities") if word not in known)


def made_up_word(rng: Random) -> str:
    """A word that the model cannot have seen: syllables, pieces of words, letters, other alphabets, numbers."""
    word = _invented(rng)
    while word.lower() in FUNCTION_WORDS:
        word = _invented(rng)
    return word


def _invented(rng: Random) -> str:
    kind = rng.random()
    if kind < 0.35:
        word = "".join(
            rng.choice(CONSONANTS) + rng.choice("aeiouy") + rng.choice(ENDINGS) for _ in range(rng.randint(1, 3))
        )
    elif kind < 0.55:
        # The head of one noun and the tail of another look like English and are in no list.
        first, second = rng.choice(_nouns()), rng.choice(_nouns())
        word = first[: rng.randint(2, 5)] + second[-rng.randint(2, 5) :]
    elif kind < 0.68:
        pieces = words("adjectives") + words("names") + words("places")
        word = "".join(re.sub(r"\W", "", rng.choice(pieces))[: rng.randint(2, 6)] for _ in range(rng.randint(1, 3)))
    elif kind < 0.8:
        word = "".join(rng.choice("abcdefghijklmnopqrstuvwxyzaeiou") for _ in range(rng.randint(2, 10)))
    elif kind < 0.87:
        word = "".join(
            rng.choice("abcdeghijklmnoprstuvwyząćęłńóśźżäöüßéèàçñášžčøåæığ") for _ in range(rng.randint(3, 9))
        )
    elif kind < 0.95:
        word = rng.choice(
            [
                str(rng.randint(1, 3000)),
                f"{rng.choice('ABCDXZ')}{rng.randint(1, 99)}",
                f"{10 * rng.randint(1, 9) + rng.randint(4, 9)}th",
            ]
        )
    else:
        word = rng.choice(oddities())
    word = word[:LONGEST_WORD_CHARACTERS]
    style = rng.random()
    return word.capitalize() if style < 0.4 else word.upper() if style > 0.96 else word


def proper_name(rng: Random) -> str:
    """A person's first name, now and then an invented one."""
    return rng.choice(words("names")) if rng.random() < 0.8 else made_up_word(rng).capitalize()


def surname(rng: Random) -> str:
    """A person's last name, now and then an invented one."""
    return rng.choice(words("surnames")) if rng.random() < 0.7 else made_up_word(rng).capitalize()


def place_name(rng: Random) -> str:
    """A place that something may come from, now and then an invented one."""
    return rng.choice(words("places")) if rng.random() < 0.7 else made_up_word(rng).capitalize()
