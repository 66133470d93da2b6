"""Turns stories into the conversations the model is trained on: exactly what the pipeline asks, exactly what it accepts.

Messages come from `stages/scenes/prompts.py`, answers are compact JSON in the order of its schemas.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from models.starter.training.text.stories import Story, asked_style, write_story
from models.starter.training.text.topics import draw_topic
from stages.scenes import prompts

# How many stories have how many scenes: mostly three to twelve, now and then up to fifty.
SCENE_COUNTS = {1: 2, 2: 3, 3: 9, 4: 10, 5: 10, 6: 16, 7: 9, 8: 9, 9: 5, 10: 6, 11: 4, 12: 6}
LANGUAGES = ("German", "French", "Spanish", "Polish", "Italian", "Portuguese", "Dutch", "Japanese", "Arabic", "Turkish")


@dataclass(frozen=True)
class Conversation:
    """What is asked and what the model shall answer, as text."""

    messages: prompts.Messages
    answer: str


def compact_json(value: object) -> str:
    """JSON as the constrained decoder lets it be written: no white space outside strings, no escaped letters."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def outline_of(story: Story) -> dict[str, object]:
    """The outline as the model writes it."""
    return {
        "topic": prompts.repeated_topic(story.topic.text),
        "title": story.title,
        "logline": story.logline,
        "style": story.style,
        "characters": [{"name": one.name, "appearance": one.appearance} for one in story.characters],
        "scenes": [scene.line for scene in story.scenes],
    }


def outline_conversation(story: Story, language: str) -> Conversation:
    """The outline, asked for and answered."""
    messages = prompts.outline_messages(story.topic.text, len(story.scenes), language, story.asked_style)
    return Conversation(messages, compact_json(outline_of(story)))


def scene_conversation(story: Story, index: int, language: str) -> Conversation:
    """Scene number `index` (from 0), asked for and answered."""
    so_far = prompts.StorySoFar(
        topic=story.topic.text,
        title=story.title,
        logline=story.logline,
        style=story.style,
        characters=[(one.name, one.appearance) for one in story.characters],
        lines=[scene.line for scene in story.scenes],
        index=index,
    )
    scene = story.scenes[index]
    answer = {"narration": scene.narration, "image_prompt": scene.image_prompt}
    return Conversation(prompts.scene_messages(so_far, language), compact_json(answer))


def draw_story(rng: Random) -> Story:
    """One story on a drawn topic, with a drawn length and, in four of ten, a style that was asked for."""
    count = (
        rng.choices(list(SCENE_COUNTS), list(SCENE_COUNTS.values()))[0] if rng.random() < 0.94 else rng.randint(13, 50)
    )
    return write_story(rng, draw_topic(rng), count, asked_style(rng))


def draw_conversations(rng: Random) -> Iterator[Conversation]:
    """Without end: an outline and some scenes of one story after another; the first and last scene more often."""
    while True:
        story = draw_story(rng)
        language = "English" if rng.random() < 0.97 else rng.choice(LANGUAGES)
        yield outline_conversation(story, language)
        last = len(story.scenes) - 1
        if rng.random() < 0.6:
            yield scene_conversation(story, 0, language)
        if last and rng.random() < 0.3:
            yield scene_conversation(story, last, language)
        for index in rng.sample(range(1, last), min(2, last - 1)) if last > 1 else ():
            yield scene_conversation(story, index, language)
