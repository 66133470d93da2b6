"""Measures a checkpoint through the pipeline's own prompts, constraint and sampling; writes a report in Markdown.

Fresh topics come from the corpus' own generator with another seed, so they measure copying, validity and variety. What
a newcomer would see is measured by the sixty held-out topics, which are written out in full for a person to read.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from models.starter.training.text.library import held_out_topics
from models.starter.training.text.pictures import vocabulary_words
from models.starter.training.text.topics import LONGEST_NAME_CHARACTERS, draw_topic, inside, shortened

ARTICLES = ("the ", "a ", "an ", "my ")


@dataclass
class Told:
    """One story as the model told it, and what went wrong on the way."""

    topic: str
    name: str
    title: str = ""
    logline: str = ""
    style: str = ""
    characters: list[tuple[str, str]] = field(default_factory=list)
    scenes: list[tuple[str, str, str]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    tokens: int = 0
    seconds: float = 0.0

    def named_in(self, text: str) -> bool:
        """Whether `text` names the topic, capitals and a leading article aside."""
        core = self.name.casefold()
        for article in ARTICLES:
            core = core.removeprefix(article)
        return core in text.casefold()

    @property
    def named(self) -> bool:
        """The topic is in title or logline, and in the first narration."""
        first = self.scenes[0][1] if self.scenes else ""
        return self.named_in(f"{self.title} | {self.logline}") and self.named_in(first)

    def foreign_words(self) -> set[str]:
        """Words of the image prompts that neither the image model's vocabulary nor a character's name has."""
        names = {word.casefold() for name, _ in self.characters for word in name.split()}
        used = {word.strip(",'").casefold() for *_, picture in self.scenes for word in picture.split()}
        return used - vocabulary_words() - names


def load_writer(checkpoint: Path) -> tuple[Any, Any]:
    """The pipeline's writer on the CPU with the starter's settings, and those settings."""
    from stages.pipeline.definition import Placement
    from stages.pipeline.settings import Settings
    from stages.scenes import writer
    from stages.scenes.checkpoint import read_checkpoint

    settings = Settings()
    prepared = writer.prepare(read_checkpoint(checkpoint), settings.scenes)
    return writer.load(prepared, Placement("cpu", "cpu")), settings


def tell(writer: Any, settings: Any, topic: str, name: str, scenes: int, seed: int) -> Told:
    """One story of `scenes` scenes: outline first, then every scene from it, each with a seed of its own."""
    from stages.pipeline.errors import SceneFailure
    from stages.scenes.answers import outline_from, scene_from
    from stages.scenes.asking import Try, outline_request, scene_request
    from stages.scenes.prompts import StorySoFar

    told = Told(topic, name)
    story_settings = settings.story.model_copy(update={"number_of_scenes": scenes})
    settings = settings.model_copy(update={"story": story_settings})
    started = time.monotonic()
    try:
        answer = writer.write([outline_request(writer, topic, settings, Try(1, seed))])[0]
        told.tokens += answer.new_tokens
        outline = outline_from(answer)
        told.title, told.logline, told.style = outline.title, outline.logline, outline.style
        told.characters = [(one.name, one.appearance) for one in outline.characters]
        for index, line in enumerate(outline.lines):
            so_far = StorySoFar(
                topic, told.title, told.logline, told.style, told.characters, list(outline.lines), index
            )
            answer = writer.write([scene_request(writer, so_far, settings, Try(1, seed + index + 1))])[0]
            told.tokens += answer.new_tokens
            scene = scene_from(answer, f"{index + 1:02}", ())
            told.scenes.append((line, scene.narration, scene.image_prompt))
    except SceneFailure as error:
        told.faults.append(str(error))
    told.seconds = time.monotonic() - started
    return told


def evaluate(checkpoint: Path, *, topics: int, scenes: int, held_out: bool, seed: int) -> str:
    """The report. `held_out`: the sixty topics instead of fresh ones, with every story in full."""
    writer, settings = load_writer(checkpoint)
    rng = Random(seed)
    if held_out:
        asked = [(topic, shortened(inside(topic))) for _, topic in held_out_topics()]
    else:
        drawn = [draw_topic(rng) for _ in range(topics)]
        asked = [(one.text, one.inside[:LONGEST_NAME_CHARACTERS]) for one in drawn]
    told = [
        tell(writer, settings, topic, name, scenes, seed + 1000 * number) for number, (topic, name) in enumerate(asked)
    ]
    same = [
        tell(writer, settings, "a lighthouse keeper", "a lighthouse keeper", 3, seed + 77 * number)
        for number in range(10)
    ]
    lines = [f"# {'Held-out' if held_out else 'Fresh'} topics: {len(told)} stories of {scenes} scenes", ""]
    lines += _figures(told, same)
    lines += ["", "## Not named as asked", ""]
    lines += [f"- {one.topic!r}: {one.title!r}" for one in told if not one.named] or ["none"]
    shown = told if held_out else told[:12]
    for one in shown:
        lines += ["", f"## {one.topic}", "", f"**{one.title}**: {one.logline} *({one.style})*", ""]
        lines += [f"- {name}: {appearance}" for name, appearance in one.characters]
        lines += [f"1. {line}. {narration} `{picture}`" for line, narration, picture in one.scenes]
    return "\n".join(lines)


def _figures(told: list[Told], same: list[Told]) -> list[str]:
    total = len(told)
    openings = {one.scenes[0][1] for one in told if one.scenes}
    again = {one.scenes[0][1] for one in same if one.scenes}
    scene_count = sum(len(one.scenes) for one in told)
    outlines = [one for one in told if one.scenes]
    rows = [
        ("stories valid and complete", sum(not one.faults for one in told), total),
        ("topic named in title or logline and in the first narration", sum(one.named for one in told), total),
        ("topic in title or logline", sum(one.named_in(f"{one.title} | {one.logline}") for one in told), total),
        ("no two narrations of a story the same", sum(_distinct(one, 1) for one in outlines), len(outlines)),
        ("no two lines of a story the same", sum(_distinct(one, 0) for one in outlines), len(outlines)),
        ("no two image prompts of a story the same", sum(_distinct(one, 2) for one in outlines), len(outlines)),
        ("different openings", len(openings), len(outlines)),
        ("different openings in ten stories on one topic", len(again), len(same)),
        ("image prompts in known words", sum(not one.foreign_words() for one in outlines), len(outlines)),
    ]
    speed = sum(one.tokens for one in told) / max(1e-9, sum(one.seconds for one in told))
    return [
        "| figure | of | share |",
        "| --- | --- | --- |",
        *(f"| {label} | {count} of {whole} | {100 * count / max(1, whole):.1f}% |" for label, count, whole in rows),
        "",
        f"{scene_count} scenes, {speed:.0f} tokens/s, forced tokens included.",
    ]


def _distinct(one: Told, part: int) -> bool:
    texts = [scene[part] for scene in one.scenes]
    return len(set(texts)) == len(texts)
