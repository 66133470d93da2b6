"""Subtitles from sentence timings: cues of at most two lines, and the same cues as SubRip and WebVTT text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from stages.pipeline.manifests import FilmScene, Sentence
from stages.video.line_breaking import broken_lines, columns

LINES_PER_CUE = 2

# Shown by no player and broken by none: it takes from `-->`, `<b` and `{\` what a SubRip parser looks for.
_WORD_JOINER = "\u2060"


@dataclass(frozen=True)
class Cue:
    """Lines that are shown together, in milliseconds of the film; starts and ends are in order and never overlap."""

    start_ms: int
    end_ms: int
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """The lines as they are shown, without any format's escapes."""
        return "\n".join(self.lines)


def cues_of(scenes: Sequence[FilmScene], sentences: Sequence[Sequence[Sentence]]) -> tuple[Cue, ...]:
    """The cues of a film; `sentences` has those of each scene, timed from the start of its voice."""
    cues: list[Cue] = []
    for scene, spoken in zip(scenes, sentences, strict=True):
        for sentence in spoken:
            start, end = (
                round(1000 * (scene.voice_start_seconds + min(seconds, scene.voice_seconds)))
                for seconds in (sentence.start_seconds, sentence.end_seconds)
            )
            cues.extend(_parted(sentence.text, max(start, cues[-1].end_ms if cues else 0), end))
    return tuple(cues)


def as_srt(cues: Sequence[Cue]) -> str:
    """SubRip. It has no escapes, so what players would take for a timing or a tag is parted by an invisible character."""
    return "".join(
        f"{number}\n{_clock(cue.start_ms, ',')} --> {_clock(cue.end_ms, ',')}\n{_srt_text(cue.text)}\n\n"
        for number, cue in enumerate(cues, start=1)
    )


def as_vtt(cues: Sequence[Cue]) -> str:
    """WebVTT, with its three escapes (https://www.w3.org/TR/webvtt1/#webvtt-cue-text-span)."""
    return "WEBVTT\n\n" + "".join(
        f"{number}\n{_clock(cue.start_ms, '.')} --> {_clock(cue.end_ms, '.')}\n{_vtt_text(cue.text)}\n\n"
        for number, cue in enumerate(cues, start=1)
    )


def _parted(text: str, start_ms: int, end_ms: int) -> Iterator[Cue]:
    """A sentence as one cue, or as several that share its time in proportion to their width."""
    lines = broken_lines(text)
    groups = [tuple(lines[n : n + LINES_PER_CUE]) for n in range(0, len(lines), LINES_PER_CUE)]
    if not groups or end_ms <= start_ms:
        return
    widths = [max(1, sum(map(columns, group))) for group in groups]
    edges = [start_ms + round((end_ms - start_ms) * sum(widths[:n]) / sum(widths)) for n in range(len(groups) + 1)]
    for group, start, end in zip(groups, edges, edges[1:], strict=False):
        if end > start:
            yield Cue(start, end, group)


def _clock(milliseconds: int, point: str) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{point}{rest:03d}"


def _srt_text(text: str) -> str:
    text = text.replace("-->", f"--{_WORD_JOINER}>").replace("{\\", f"{{{_WORD_JOINER}\\")
    return re.sub(r"<(?=[/A-Za-z])", f"<{_WORD_JOINER}", text)


def _vtt_text(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
