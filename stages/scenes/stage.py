"""The scenes stage: a topic goes in; an outline, then each scene, then `1_scenes.json` come out.

The recipe: every outline that is missing, then every scene, `batch_size` at a time, all runs through one model; each is
committed as it is done. Imports no torch before there is something to write.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gpu_utils.activations import Work
from gpu_utils.fit import Model
from gpu_utils.strategies import LANGUAGE
from stages.pipeline.definition import Placement, StageDefinition
from stages.pipeline.errors import ConfigError, Interrupted, SceneFailure
from stages.pipeline.languages import language_name
from stages.pipeline.manifests import TopicManifest
from stages.pipeline.weights import weights_directory
from stages.pipeline.work import RunWork
from stages.scenes.checkpoint import read_checkpoint
from stages.scenes.drafts import Draft, first_drafts
from stages.scenes.exchange import Request
from stages.scenes.telling import publish

if TYPE_CHECKING:
    from stages.scenes.writer import Prepared, Writer

# What a story takes, in tokens: prompts of 600 were measured with three scenes, and the default bound of an outline, 6000, is
# for the 50 scenes a story may have. A short story is not charged with all of it.
_PROMPT_TOKENS, _PROMPT_TOKENS_PER_SCENE = 600, 50
_ANSWER_TOKENS, _ANSWER_TOKENS_PER_SCENE = 300, 120


@dataclass(frozen=True)
class Known:
    """What is known before the weights are loaded."""

    prepared: Prepared
    number_of_scenes: int


def engine_key(topic: TopicManifest) -> Hashable:
    """Runs with the same model, precision and batch share an engine; a language it does not write keeps a run out."""
    writing = topic.settings.scenes
    identity = (writing.model_id, writing.revision, writing.dtype, writing.device, writing.batch_size)
    return (*identity, topic.settings.story.language if not _writes_language(topic) else None)


def prepare(topic: TopicManifest) -> Known:
    """Check language and files, then read config and tokenizer. Raises ConfigError, WeightsMissing."""
    writing, language = topic.settings.scenes, topic.settings.story.language
    if not _writes_language(topic):
        raise ConfigError(
            f"{writing.model_id} writes {', '.join(writing.languages)}, not {language} ({language_name(language)}): "
            "choose another --language, or a --profile with a model that writes it"
        )
    checkpoint = read_checkpoint(weights_directory(writing.model_id, writing.revision))
    from stages.scenes import writer

    return Known(writer.prepare(checkpoint, writing), topic.settings.story.number_of_scenes)


def load(known: Known, placement: Placement) -> Writer:
    """Load the weights."""
    from stages.scenes import writer

    return writer.load(known.prepared, placement)


def model(known: Known) -> Model:
    """What is to be placed: the model at work on a full batch of answers as long as a story of so many scenes takes."""
    prepared, settings, scenes = known.prepared, known.prepared.settings, known.number_of_scenes
    prompt_tokens = _PROMPT_TOKENS + scenes * _PROMPT_TOKENS_PER_SCENE
    longest = max(settings.outline_max_new_tokens, settings.scene_max_new_tokens)
    answer_tokens = min(_ANSWER_TOKENS + scenes * _ANSWER_TOKENS_PER_SCENE, longest)
    work = Work(
        "text",
        batch=settings.batch_size,
        prompt_tokens=min(prompt_tokens, prepared.context_tokens),
        context_tokens=min(prompt_tokens + answer_tokens, prepared.context_tokens),
        steps=settings.scene_max_new_tokens // 2,
    )
    on_gpu, on_cpu = ("bfloat16", "float32") if settings.dtype == "auto" else (settings.dtype, settings.dtype)
    return Model(prepared.checkpoint, work, on_gpu, on_cpu, strategies=LANGUAGE)


def make(writer: Writer, works: Sequence[RunWork]) -> None:
    """Write everything every run needs, `writer.batch_size` at a time; a story is finished before the next begins."""
    drafts = deque(draft for work in works for draft in first_drafts(work))
    while drafts:
        batch = [drafts.popleft() for _ in range(min(writer.batch_size, len(drafts)))]
        following = _write(writer, batch)
        drafts.extendleft(reversed(following))


def _write(writer: Writer, batch: Sequence[Draft]) -> list[Draft]:
    """Write a batch and settle all of it, even when asked to stop meanwhile."""
    asked: list[tuple[Draft, Request]] = []
    for draft in batch:
        try:
            asked.append((draft, draft.request(writer)))
        except SceneFailure as failure:
            draft.give_up(str(failure))
    answers = writer.write([request for _, request in asked]) if asked else []
    following: list[Draft] = []
    stopped: Interrupted | None = None
    for (draft, _), answer in zip(asked, answers, strict=True):
        try:
            following += draft.settle(answer)
        except Interrupted as interrupted:
            stopped = interrupted
    if stopped is not None:
        raise stopped
    return following


def _writes_language(topic: TopicManifest) -> bool:
    languages = topic.settings.scenes.languages
    return not languages or topic.settings.story.language in languages


STAGE = StageDefinition(
    name="scenes",
    summary="Write the story of each run: an outline, then scene by scene, into 1_scenes.json.",
    per_scene=True,
    engine_key=engine_key,
    prepare=prepare,
    load=load,
    make=make,
    publish=publish,
    settings=lambda topic: topic.settings.scenes,
    model=model,
)
