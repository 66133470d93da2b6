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

# How many stories have how many scenes. What a noun leads to is said once in an outline, so most outlines are short; six is
# what the pipeline asks for by default, and up to fifty it must know.
SCENE_COUNTS = {1: 10, 2: 12, 3: 18, 4: 16, 5: 12, 6: 18, 7: 3, 8: 4, 9: 2, 10: 2, 11: 1, 12: 2}
LONG_SHARE = 0.02
# Sentences are few and nouns are many: most stories give their outline and one scene, often the opening, the others the
# outline alone.
SCENE_SHARE = 0.7
OPENING_SHARE = 0.3
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
    """One story on a drawn topic, with a drawn length and, in a third of all, a style that was asked for."""
    long = rng.random() < LONG_SHARE
    count = rng.randint(13, 50) if long else rng.choices(list(SCENE_COUNTS), list(SCENE_COUNTS.values()))[0]
    return write_story(rng, draw_topic(rng), count, asked_style(rng))


def draw_conversations(rng: Random) -> Iterator[Conversation]:
    """Without end: the outline of one story after another, mostly followed by one of its scenes."""
    while True:
        story = draw_story(rng)
        language = "English" if rng.random() < 0.97 else rng.choice(LANGUAGES)
        yield outline_conversation(story, language)
        if rng.random() < SCENE_SHARE:
            index = 0 if rng.random() < OPENING_SHARE else rng.randrange(len(story.scenes))
            yield scene_conversation(story, index, language)
