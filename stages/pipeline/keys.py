"""What each artefact is made from. Same fields, same key: nothing to do.

A key holds exactly what the artefact depends on: this scene's text, the requested settings that matter, the model's
identity, the stage's version. It never holds what the machine chose (device, batch, threads) nor a manifest's bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import JsonValue

from stages.pipeline.manifests import AudioRecord, Failure, ImageRecord, Made, Scene, ScenesManifest, TopicManifest
from stages.pipeline.story import named_characters, whole_image_prompt
from stages.pipeline.weights import model_identity

# Raised when a stage's code changes what it makes from the same inputs.
STAGE_VERSION = {"scenes": 1, "audio": 1, "images": 1, "video": 1, "report": 1}

MadeFrom = dict[str, JsonValue]


def key_of(made_from: Mapping[str, JsonValue]) -> str:
    """SHA-256 over the canonical JSON of the fields."""
    text = json.dumps(made_from, sort_keys=True, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def made(made_from: MadeFrom) -> Made:
    """The fields with their key."""
    return Made(key=key_of(made_from), made_from=made_from)


def changed_fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the fields in which two `made_from` differ, sorted."""
    return tuple(sorted(k for k in before.keys() | after.keys() if before.get(k) != after.get(k)))


def scenes_request(topic: TopicManifest) -> MadeFrom:
    """What the whole story depends on."""
    story, writing = topic.settings.story, topic.settings.scenes
    return {
        "stage_version": STAGE_VERSION["scenes"],
        "topic": topic.topic,
        "seed": topic.seed,
        "number_of_scenes": story.number_of_scenes,
        "language": story.language,
        "style": story.style,
        "model": model_identity(writing.model_id, writing.revision),
        "dtype": writing.dtype,
        "temperature": writing.temperature,
        "top_p": writing.top_p,
        "max_attempts": writing.max_attempts,
        "outline_max_new_tokens": writing.outline_max_new_tokens,
        "scene_max_new_tokens": writing.scene_max_new_tokens,
    }


def scene_made_from(request_key: str, outline_key: str, outline_text: JsonValue, scene_id: str, take: int) -> MadeFrom:
    """What one written scene depends on: the request and the outline it is written from."""
    outline_digest = hashlib.sha256(json.dumps(outline_text, sort_keys=True).encode()).hexdigest()
    return {
        "request": request_key,
        "outline": outline_key,
        "outline_text": outline_digest,
        "scene_id": scene_id,
        "take": take,
    }


def audio_made_from(topic: TopicManifest, scene: Scene, take: int) -> MadeFrom:
    """What one spoken narration depends on."""
    speaking = topic.settings.audio
    return {
        "stage_version": STAGE_VERSION["audio"],
        "scene_id": scene.scene_id,
        "narration": scene.narration,
        "language": topic.settings.story.language,
        "model": model_identity(speaking.model_id, speaking.revision),
        "dtype": speaking.dtype,
        "voice": speaking.voice,
        "words_per_minute": speaking.words_per_minute,
        "sentence_pause_seconds": speaking.sentence_pause_seconds,
        "seed": topic.seed,
        "take": take,
    }


def image_made_from(topic: TopicManifest, story: ScenesManifest, scene: Scene, take: int) -> MadeFrom:
    """What one picture depends on. Appearances of characters the scene does not name are not among it."""
    painting = topic.settings.images
    width, height = painting.sizes[topic.settings.story.aspect]
    return {
        "stage_version": STAGE_VERSION["images"],
        "scene_id": scene.scene_id,
        "prompt": whole_image_prompt(scene, story),
        "characters": [character.name for character in named_characters(scene, story.characters)],
        "negative_prompt": painting.negative_prompt,
        "width": width,
        "height": height,
        "num_inference_steps": painting.num_inference_steps,
        "guidance_scale": painting.guidance_scale,
        "model": model_identity(painting.model_id, painting.revision),
        "dtype": painting.dtype,
        "seed": topic.seed,
        "take": take,
    }


def video_made_from(
    topic: TopicManifest,
    story: ScenesManifest,
    audio: Mapping[str, AudioRecord],
    images: Mapping[str, ImageRecord],
) -> MadeFrom:
    """What the film depends on: every voice and picture in order, the words of the subtitles, the film's settings."""
    scenes: list[JsonValue] = []
    for scene in story.scenes:
        voice, picture = audio.get(scene.scene_id), images.get(scene.scene_id)
        scenes.append(
            {
                "scene_id": scene.scene_id,
                "narration": scene.narration,
                "audio": voice.sha256 if voice else None,
                "image": picture.sha256 if picture else None,
            }
        )
    return {
        "stage_version": STAGE_VERSION["video"],
        "title": story.title,
        "language": topic.settings.story.language,
        "aspect": topic.settings.story.aspect,
        "scenes": scenes,
        "unwritten": [failure.scene_id for failure in story.failures],
        "settings": topic.settings.video.model_dump(mode="json"),
    }


def report_made_from(
    topic: TopicManifest,
    story: ScenesManifest | None,
    artefacts: Mapping[str, str | None],
    failures: Sequence[tuple[str, Failure]],
    unfinished: Mapping[str, str],
) -> MadeFrom:
    """What the page depends on.

    `artefacts` maps "audio/01" and the like to digests; `failures` pairs a stage with each recorded failure;
    `unfinished` maps a stage without a manifest to the reason its last attempt gave.
    """
    return {
        "stage_version": STAGE_VERSION["report"],
        "topic": topic.topic,
        "profile": topic.profile,
        "created_at": topic.created_at,
        "settings": topic.settings.model_dump(mode="json"),
        "story": story.model_dump(mode="json", exclude={"measured", "request", "failures"}) if story else None,
        "artefacts": dict(artefacts),
        "failures": [f"{stage} {failure.scene_id}: {failure.reason}" for stage, failure in failures],
        "unfinished": dict(unfinished),
    }
