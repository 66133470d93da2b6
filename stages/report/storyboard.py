"""The scenes as cards: picture, words, voice, and what made each of them. Knows nothing of HTML."""

from __future__ import annotations

from pathlib import Path

from pydantic import JsonValue

from stages.pipeline.errors import ManifestError
from stages.pipeline.manifests import (
    Failure,
    ImageRecord,
    Made,
    Record,
    Scene,
    SceneRecord,
    ScenesManifest,
    StageName,
    TopicManifest,
)
from stages.pipeline.reading import read_if_valid
from stages.pipeline.run_directory import RunDirectory
from stages.pipeline.staleness.page import PageInputs
from stages.report import commands
from stages.report.view import Artefact, Fact, Picture, SceneCard, Voice
from stages.report.words import clock, duration, file_size, label, link_to, plain

MODEL_OF: dict[StageName, str] = {"scenes": "scenes", "audio": "audio", "images": "images"}
WHAT: dict[StageName, str] = {"scenes": "text", "audio": "voice", "images": "picture", "video": "film"}
# Told elsewhere on the card, or of no use to a person.
HIDDEN = {"scene_id", "narration", "prompt", "stage_version", "request", "outline", "outline_text", "width", "height"}
MAX_FACTS = 40


def scene_cards(run: RunDirectory, topic: TopicManifest, shown: PageInputs, most: int) -> tuple[SceneCard, ...]:
    """The first `most` scenes in the story's order."""
    if shown.story is None:
        return ()
    failed = {(stage, failure.scene_id): failure for stage, failure in shown.failures}
    return tuple(
        _card(run, topic, shown, scene, number, failed, shown.story)
        for number, scene in enumerate(shown.story.scenes[:most], start=1)
    )


def existing(run: RunDirectory, inner_path: str) -> Path | None:
    """The file a manifest names, if it is there and inside the run directory."""
    try:
        path = run.resolve(inner_path)
        return path if path.is_file() else None
    except (ManifestError, OSError):
        return None


def picture_of(run: RunDirectory, record: ImageRecord, alt: str) -> Picture | None:
    """The picture of a record, if its file is there."""
    path = existing(run, record.file)
    return Picture(path, link_to(record.file), alt, record.width, record.height) if path else None


def _card(
    run: RunDirectory,
    topic: TopicManifest,
    shown: PageInputs,
    scene: Scene,
    number: int,
    failed: dict[tuple[StageName, str], Failure],
    story: ScenesManifest,
) -> SceneCard:
    image, spoken = shown.images.get(scene.scene_id), shown.audio.get(scene.scene_id)
    voice = None
    if spoken and existing(run, spoken.file):
        voice = Voice(link_to(spoken.file), clock(spoken.seconds))
    picture = picture_of(run, image, scene.image_prompt) if image else None
    left_out = failed.get(("video", scene.scene_id))
    return SceneCard(
        scene_id=scene.scene_id,
        number=str(number),
        narration=scene.narration,
        image_prompt=image.prompt if image else scene.image_prompt,
        edited=scene.scene_id in shown.edited and story.request is not None,
        picture=picture,
        picture_note="" if picture else _absence(shown, "images", scene.scene_id, image, failed),
        voice=voice,
        voice_note="" if voice else _absence(shown, "audio", scene.scene_id, spoken, failed),
        film_note=f"Not in the film: {left_out.reason}" if left_out else "",
        artefacts=tuple(_artefacts(run, topic, scene, story, image, spoken)),
    )


def _absence(
    shown: PageInputs,
    stage: StageName,
    scene_id: str,
    record: Record | None,
    failed: dict[tuple[StageName, str], Failure],
) -> str:
    """Why a scene has no picture or voice."""
    failure = failed.get((stage, scene_id))
    if failure:
        return f"No {WHAT[stage]}: {failure.reason}"
    if record:
        return f"No {WHAT[stage]}: {record.file} is gone from the run directory."
    return f"No {WHAT[stage]} yet."


def _artefacts(
    run: RunDirectory,
    topic: TopicManifest,
    scene: Scene,
    story: ScenesManifest,
    image: Record | None,
    spoken: Record | None,
) -> list[Artefact]:
    """What made the picture, the voice and the words; a command stands there for what is missing, too."""
    made = [
        _artefact(run, topic, "Picture", "images", scene.scene_id, image),
        _artefact(run, topic, "Voice", "audio", scene.scene_id, spoken),
    ]
    if story.request is not None:
        record = read_if_valid(run.record_path("scenes", scene.scene_id), SceneRecord)
        made.append(_artefact(run, topic, "Words", "scenes", scene.scene_id, record))
    return made


def _artefact(
    run: RunDirectory,
    topic: TopicManifest,
    title: str,
    stage: StageName,
    scene_id: str,
    record: Record | SceneRecord | None,
) -> Artefact:
    facts = tuple(facts_of(topic, stage, record)) if record else ()
    return Artefact(title, facts, commands.redo(run, stage, scene_id))


def facts_of(topic: TopicManifest, stage: StageName, record: Record | SceneRecord) -> list[Fact]:
    """Model, seed, size, and whatever else made an artefact; then what was measured; the key last."""
    model_id = getattr(topic.settings, stage).model_id
    facts = [Fact("model", _model(model_id, record))]
    if record.seed is not None:
        facts.append(Fact("seed", str(record.seed)))
    if isinstance(record, ImageRecord):
        facts.append(Fact("size", f"{record.width} × {record.height}"))
    if isinstance(record, Record):
        facts.append(Fact("file", f"{record.file}, {file_size(record.size_bytes)}"))
    said = HIDDEN | {"model", *(["seed"] if record.seed is not None else [])}
    facts += [
        Fact(label(name), plain(value)) for name, value in record.made_from.items() if name not in said and _says(value)
    ]
    facts += [_measured(name, value) for name, value in record.measured.items() if _says(value)]
    return [*facts[:MAX_FACTS], Fact("key", f"{record.key[:12]}")]


def _model(model_id: str, record: Made) -> str:
    """The model's name, and what tells this very model from others of that name."""
    identity = record.made_from.get("model")
    if not isinstance(identity, str):
        return model_id
    return plain(identity) if identity.startswith(model_id) else f"{model_id} ({plain(identity)})"


def _measured(name: str, value: JsonValue) -> Fact:
    if name.endswith("_seconds") or name == "seconds":
        return Fact(label(name.removesuffix("_seconds")) if name != "seconds" else "made in", _in_seconds(value))
    return Fact(label(name), plain(value))


def _in_seconds(value: JsonValue) -> str:
    return duration(value) if isinstance(value, (int, float)) and abs(value) < 1e9 else plain(value)


def _says(value: JsonValue) -> bool:
    return value not in (None, "", [], {})
