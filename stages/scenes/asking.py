"""Requests that fit the model: prompts are shortened at word boundaries until prompt and answer share its context."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from stages.pipeline.errors import SceneFailure
from stages.pipeline.languages import language_name
from stages.pipeline.settings import Settings
from stages.scenes.exchange import Request
from stages.scenes.prompts import (
    Messages,
    StorySoFar,
    outline_messages,
    outline_schema,
    repeated_topic,
    scene_messages,
    scene_schema,
)

logger = logging.getLogger(__name__)

# Room an answer needs beside its prompt, in tokens. English takes a token for three to five characters; a scene line of
# usual length takes 15 to 30.
_OUTLINE_TOKENS = 300
_LINE_TOKENS = 40
_SCENE_TOKENS = 350
# At least this share of the context is left to the prompt, however many scenes were asked for.
_PROMPT_SHARE = 0.25
# At temperature 0 asking again would give the same words again, so it samples.
_TEMPERATURE_OF_RETRIES = 0.7


class TokenCounter(Protocol):
    """What is asked of a writer before it writes."""

    context_tokens: int

    def count_tokens(self, messages: Messages) -> int:
        """How many tokens the prompt takes."""
        ...

    def count_text_tokens(self, text: str) -> int:
        """How many tokens a text takes by itself."""
        ...


@dataclass(frozen=True)
class Try:
    """The seed of this try, and whether the same was asked before, for another take or in vain."""

    seed: int
    again: bool = False


def outline_request(writer: TokenCounter, topic: str, settings: Settings, this_try: Try) -> Request:
    """Ask for the outline, with as much of the topic as fits. Raises SceneFailure when not even one word does."""
    story, writing = settings.story, settings.scenes
    language = language_name(story.language)
    head = writer.count_text_tokens(repeated_topic(topic))
    wanted = _OUTLINE_TOKENS + _LINE_TOKENS * story.number_of_scenes + head
    room = _room(writer, min(wanted, writing.outline_max_new_tokens))

    def messages(topic: str) -> Messages:
        return outline_messages(topic, story.number_of_scenes, language, story.style)

    shown = topic
    while writer.count_tokens(messages(shown)) > room:
        shorter = shortened(shown, len(shown) * 4 // 5)
        if not shorter or shorter == shown:
            raise _too_long(writer, writer.count_tokens(messages(shown)), "the outline's")
        shown = shorter
    if shown != topic:
        logger.warning(
            "the topic has %d characters; the model's context of %d tokens holds %d of them, the prompt has those",
            len(topic), writer.context_tokens, len(shown),
        )  # fmt: skip
    schema = outline_schema(shown, story.number_of_scenes, story.style)
    return _request(messages(shown), schema, writing.outline_max_new_tokens, settings, this_try)


def scene_request(writer: TokenCounter, story: StorySoFar, settings: Settings, this_try: Try) -> Request:
    """Ask for one scene of the story. Raises SceneFailure when the shortest form of its prompt does not fit."""
    writing = settings.scenes
    language = language_name(settings.story.language)
    room = _room(writer, min(_SCENE_TOKENS, writing.scene_max_new_tokens))
    messages: Messages = []
    for number, form in enumerate(_ever_shorter(story)):
        messages = scene_messages(form, language)
        if writer.count_tokens(messages) <= room:
            if number:
                logger.warning("scene %d: its prompt was shortened to the model's context", story.index + 1)
            return _request(messages, scene_schema(), writing.scene_max_new_tokens, settings, this_try)
    raise _too_long(writer, writer.count_tokens(messages), "the scene's")


def shortened(text: str, limit: int) -> str:
    """At most `limit` characters of `text`, cut at a word boundary where there is one."""
    if len(text) <= limit:
        return text
    head = text[: limit + 1]
    cut = max((head.rfind(space) for space in (" ", "\n", "\t")), default=-1)
    return (head[:cut] if cut > 0 else text[:limit]).rstrip()


def _room(writer: TokenCounter, answer_tokens: int) -> int:
    """Tokens the prompt may take."""
    return writer.context_tokens - min(answer_tokens, int(writer.context_tokens * (1 - _PROMPT_SHARE)))


def _ever_shorter(story: StorySoFar) -> Iterator[StorySoFar]:
    """The story as it is, then with ever less of what this scene needs least; its own line stays whole."""
    yield story
    story = replace(story, topic=shortened(story.topic, 40))
    yield story
    story = replace(story, logline=shortened(story.logline, 60))
    yield story
    lines = [line if place == story.index else shortened(line, 40) for place, line in enumerate(story.lines)]
    story = replace(story, lines=lines)
    yield story
    story = replace(story, characters=[(name, shortened(look, 30)) for name, look in story.characters])
    yield story
    yield replace(story, topic=shortened(story.topic, 15), logline="", characters=[], title=shortened(story.title, 20))


def _request(messages: Messages, schema: dict[str, object], limit: int, settings: Settings, this_try: Try) -> Request:
    writing = settings.scenes
    temperature = writing.temperature
    if this_try.again:
        temperature = temperature or _TEMPERATURE_OF_RETRIES
    return Request(messages, schema, limit, temperature, writing.top_p, this_try.seed)


def _too_long(writer: TokenCounter, tokens: int, whose: str) -> SceneFailure:
    return SceneFailure(
        f"{whose} prompt takes {tokens} tokens, the model's context is {writer.context_tokens}: "
        "shorten the topic, or choose a model with a longer context"
    )
