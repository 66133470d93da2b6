"""Finds again what a narration was made of: every sentence of the corpus, with its slots undone.

A told story is held against the corpus by it: which theme each scene comes from, what stands in the place of the topic,
and what is no sentence of the corpus at all, that is, broken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from models.starter.training.text.library import families, phrases, themes
from models.starter.training.text.stories import GREETINGS

SLOT = re.compile(r"\{([TNP])\}")
PIECE = re.compile(r"(\{[TNP]\}|\[[^\[\]]*\])")


@dataclass(frozen=True)
class Pattern:
    """A sentence of the corpus as a regular expression on casefolded text; `clue` is its longest fixed part."""

    theme: str
    clue: str
    expression: re.Pattern[str]


@dataclass(frozen=True)
class Found:
    """One sentence of a narration: the theme (or family, or "" for phrases) it belongs to, and what fills its slots."""

    theme: str
    topics: tuple[str, ...]
    names: tuple[str, ...]


@cache
def patterns() -> tuple[Pattern, ...]:
    """Every sentence of the corpus."""
    known = [(theme.name, line) for theme in themes().values() for beat in theme.beats for line in beat.sentences]
    for name, variants in families().items():
        known += [(f"family {name}", line) for one in variants for beat in one.beats for line in beat.sentences]
    known += [("", line) for form in phrases().values() for kind in ("open", "later", "close") for line in form[kind]]
    return tuple(pattern_of(theme, line) for theme, line in [*known, *(("", greeting) for greeting in GREETINGS)])


def pattern_of(theme: str, line: str) -> Pattern:
    """A line of the corpus, its slots and choices open."""
    counts = {"T": 0, "N": 0, "P": 0}
    parts: list[str] = []
    fixed: list[str] = []
    for piece in PIECE.split(line.casefold().replace("{t}", "{T}").replace("{n}", "{N}").replace("{p}", "{P}")):
        slot = SLOT.fullmatch(piece)
        if slot:
            counts[slot[1]] += 1
            parts.append(rf"(?P<{slot[1]}{counts[slot[1]]}>.{{1,100}}?)")
        elif piece.startswith("["):
            choices = (
                SLOT.sub(".{1,100}?", re.sub(r"[^{}TNP]", lambda m: re.escape(m[0]), c)) for c in piece[1:-1].split("|")
            )
            parts.append(f"(?:{'|'.join(choices)})")
        else:
            parts.append(re.escape(piece))
            fixed.append(piece)
    return Pattern(theme, max(fixed, key=len, default=""), re.compile("".join(parts)))


def sentences_of(narration: str) -> list[Found] | None:
    """The corpus' sentences that make up `narration` from end to end; None where something in it is none of them."""
    text = narration.casefold()
    candidates = [pattern for pattern in patterns() if pattern.clue in text]
    return _rest(text, 0, candidates, {})


def _rest(text: str, start: int, candidates: list[Pattern], dead: dict[int, None]) -> list[Found] | None:
    if start in dead:
        return None
    for end, found in _at(text, start, candidates):
        if end == len(text):
            return [found]
        rest = _rest(text, end + 1, candidates, dead)
        if rest is not None:
            return [found, *rest]
    dead[start] = None
    return None


def _at(text: str, start: int, candidates: list[Pattern]) -> Iterator[tuple[int, Found]]:
    """Sentences that begin at `start` and end at the text's end or before a space, those of themes first."""
    for pattern in candidates:
        match = pattern.expression.match(text, start)
        if match and match.end() < len(text) and text[match.end()] != " ":
            # A slot at the end took too little: ask for a match that ends at a word's end.
            match = re.compile(pattern.expression.pattern + r"(?= |$)").match(text, start)
        if match:
            groups = match.groupdict()
            yield (
                match.end(),
                Found(
                    pattern.theme,
                    tuple(value for key, value in groups.items() if key.startswith("T")),
                    tuple(value for key, value in groups.items() if key.startswith("N")),
                ),
            )
