"""What the language model is asked, and the shape of the JSON it must answer with.

Knows no model, no tokenizer and no torch. The starter model's training corpus is made from these same functions,
so what the model is trained on and what the pipeline asks cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Messages = list[dict[str, str]]

SYSTEM = "You write short narrated storyboards. You answer with one JSON object and nothing else."

MAX_CHARACTERS = 3
# The topic is repeated at the head of the answer, as a constant that the decoder is forced to write: copying it once
# makes a small model stay on it. Longer topics are repeated up to a word boundary.
REPEATED_TOPIC_CHARACTERS = 120

# Lengths are in characters. Every string is bounded, or generation could end inside the JSON.
TITLE = (3, 80)
LOGLINE = (20, 220)
STYLE = (3, 120)
NAME = (1, 40)
APPEARANCE = (5, 120)
SCENE_LINE = (10, 160)
NARRATION = (40, 600)
IMAGE_PROMPT = (10, 240)


@dataclass(frozen=True)
class StorySoFar:
    """What a scene is written from: the outline and the place of the scene in it (`index` counts from 0)."""

    topic: str
    title: str
    logline: str
    style: str
    characters: Sequence[tuple[str, str]]
    lines: Sequence[str]
    index: int


def repeated_topic(topic: str) -> str:
    """The topic on one line, cut at a word boundary after at most `REPEATED_TOPIC_CHARACTERS` characters."""
    line = " ".join(topic.split())
    if len(line) <= REPEATED_TOPIC_CHARACTERS:
        return line
    head = line[: REPEATED_TOPIC_CHARACTERS + 1]
    return (head.rsplit(" ", 1)[0] if " " in head else head[:REPEATED_TOPIC_CHARACTERS]).rstrip()


def outline_messages(topic: str, number_of_scenes: int, language: str, style: str) -> Messages:
    """Ask for the outline. `language` is an English name ("English"); an empty `style` leaves it to the model."""
    user = "\n".join(
        [
            f"Write the outline of a storyboard in {number_of_scenes} scenes.",
            f"Topic: {' '.join(topic.split())}",
            f"Language: {language}",
            f"Style: {style or 'your choice'}",
        ]
    )
    return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": user}]


def outline_schema(topic: str, number_of_scenes: int, style: str) -> dict[str, Any]:
    """JSON Schema of the outline: exactly `number_of_scenes` lines; a style that was asked for is a constant."""
    return _object(
        topic={"const": repeated_topic(topic)},
        title=_string(TITLE),
        logline=_string(LOGLINE),
        style={"const": style} if style else _string(STYLE),
        characters={
            "type": "array",
            "items": _object(name=_string(NAME), appearance=_string(APPEARANCE)),
            "maxItems": MAX_CHARACTERS,
        },
        scenes={
            "type": "array",
            "items": _string(SCENE_LINE),
            "minItems": number_of_scenes,
            "maxItems": number_of_scenes,
        },
    )


def scene_messages(story: StorySoFar, language: str) -> Messages:
    """Ask for one scene. The lines before and after are given, not the whole outline: fifty scenes fit a small model."""
    last = len(story.lines) - 1
    before = story.lines[story.index - 1] if story.index > 0 else "none, this is the opening"
    after = story.lines[story.index + 1] if story.index < last else "none, this is the close"
    characters = "; ".join(f"{name} ({appearance})" for name, appearance in story.characters) or "none"
    user = "\n".join(
        [
            f"Write scene {story.index + 1} of {last + 1} of this storyboard.",
            f"Topic: {repeated_topic(story.topic)}",
            f"Title: {story.title}",
            f"Logline: {story.logline}",
            f"Style: {story.style}",
            f"Characters: {characters}",
            f"Scene before: {before}",
            f"This scene: {story.lines[story.index]}",
            f"Scene after: {after}",
            f"Narration: two to four sentences in {language}, to be spoken aloud.",
            "Image prompt: in English, what the picture shows; people by their names.",
        ]
    )
    return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": user}]


def scene_schema() -> dict[str, Any]:
    """JSON Schema of one scene."""
    return _object(narration=_string(NARRATION), image_prompt=_string(IMAGE_PROMPT))


def _string(bounds: tuple[int, int]) -> dict[str, Any]:
    return {"type": "string", "minLength": bounds[0], "maxLength": bounds[1]}


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    """An object whose properties are all required, in the order given, and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
