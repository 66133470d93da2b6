"""Breaks a sentence into subtitle lines, in any script. Knows no time and no file format.

Width is counted in columns: East Asian wide characters take two, combining marks none. Words stay whole unless one alone
is wider than a line; Chinese and Japanese may break between characters, Thai and its like only where nothing else helps.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

# 42 Latin characters in a line: the usual bound of broadcasters' subtitle guides. It makes 21 characters of Chinese.
MAX_COLUMNS = 42

_LINE_COST = 100_000.0
# What a line that ends at a comma or the like is worth, in squared columns of unevenness.
_PAUSE_BONUS = 60.0
_PAUSES = tuple(",;:.!?…—–)、，。；：！？،؛؟।")
# Marks that never begin a line, and marks and vowels that never end one (Japanese kinsoku, Thai vowels).
_NEVER_FIRST = frozenset(
    "、，。．・；：？！!?,.:;…‥）］｝〕〉》」』】〙〗’”»›ーァィゥェォッャュョヮぁぃぅぇぉっゃゅょゎ々〻ะาำๅๆฯ"
)
_NEVER_LAST = frozenset("（［｛〔〈《「『【〘〖‘“«‹เแโใไ")
_ZERO_WIDTH_JOINER = "\u200d"


@dataclass(frozen=True)
class _Piece:
    """What stays together on one line, and whether a space stands before it."""

    text: str
    columns: int
    spaced: bool


def clean(text: str) -> str:
    """The text on one line without control characters; joiners and direction marks, which scripts need, stay."""
    folded = " ".join(text.split())
    return "".join(character for character in folded if unicodedata.category(character) not in {"Cc", "Cs"})


def columns(text: str) -> int:
    """How wide a text is."""
    return sum(_columns_of(character) for character in text)


def broken_lines(text: str, max_columns: int = MAX_COLUMNS) -> list[str]:
    """The text in as few lines as fit, of even width, ending at commas where that costs little. Empty text: no line."""
    pieces = list(_pieces(clean(text), max_columns))
    # best[i] is the least cost of setting the first i pieces, and where the last line of that setting begins.
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, len(pieces) + 1):
        width, options = 0, []
        for start in range(end - 1, -1, -1):
            width += pieces[start].columns
            if width > max_columns and start < end - 1:
                break
            options.append((best[start][0] + _cost(width, max_columns, pieces[end - 1].text), start))
            width += pieces[start].spaced
        best.append(min(options))
    lines: list[str] = []
    end = len(pieces)
    while end > 0:
        start = best[end][1]
        lines.append("".join(" " * (piece.spaced and n > 0) + piece.text for n, piece in enumerate(pieces[start:end])))
        end = start
    return lines[::-1]


def _cost(width: int, max_columns: int, last: str) -> float:
    return _LINE_COST + (max_columns - width) ** 2 - (_PAUSE_BONUS if last.endswith(_PAUSES) else 0)


def _pieces(text: str, max_columns: int) -> Iterator[_Piece]:
    for word in text.split(" "):
        if not word:
            continue
        parts = [word]
        if any(_is_ideograph(character) for character in word):
            parts = _kept_together(_clusters(word), ideographs_only=True)
        if any(columns(part) > max_columns for part in parts):
            parts = _kept_together(_clusters(word), ideographs_only=False)
        for number, part in enumerate(parts):
            yield _Piece(part, columns(part), spaced=number == 0)


def _clusters(word: str) -> list[str]:
    """Base characters with what belongs to them: marks, joined emoji, skin tones, the second letter of a flag."""
    clusters: list[str] = []
    for character in word:
        belongs = clusters and (
            _columns_of(character) == 0
            or clusters[-1].endswith(_ZERO_WIDTH_JOINER)
            or unicodedata.category(character) == "Mc"
            or "\U0001f3fb" <= character <= "\U0001f3ff"
            or (_is_flag_letter(character) and len(clusters[-1]) == 1 and _is_flag_letter(clusters[-1]))
        )
        if belongs:
            clusters[-1] += character
        else:
            clusters.append(character)
    return clusters


def _kept_together(clusters: list[str], ideographs_only: bool) -> list[str]:
    """Join clusters that must not be parted; `ideographs_only`: letters and digits stay in their words, too."""
    parts: list[str] = []
    for number, cluster in enumerate(clusters):
        parted = number > 0 and cluster[0] not in _NEVER_FIRST and clusters[number - 1][0] not in _NEVER_LAST
        if parted and ideographs_only:
            parted = _is_ideograph(cluster[0]) or _is_ideograph(clusters[number - 1][0])
        if parted or not parts:
            parts.append(cluster)
        else:
            parts[-1] += cluster
    return parts


def _columns_of(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _is_ideograph(character: str) -> bool:
    """Wide characters that are set without spaces; Korean is wide too but has words."""
    return unicodedata.east_asian_width(character) in "WF" and not re.match(r"[\u1100-\u11ff\uac00-\ud7af]", character)


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"
