"""Staleness of the stages that make one file for each scene: audio and images."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from stages.pipeline.errors import ManifestError
from stages.pipeline.keys import audio_made, image_made
from stages.pipeline.manifests import (
    AudioManifest,
    AudioRecord,
    Failure,
    ImageRecord,
    ImagesManifest,
    Made,
    Record,
    Scene,
    ScenesManifest,
    StageName,
    TopicManifest,
)
from stages.pipeline.reading import read_if_valid, read_model
from stages.pipeline.run_directory import RunDirectory
from stages.pipeline.staleness.state import FORCED, Selection, StageState, Task, take_of, why_stale

AnyRecord = TypeVar("AnyRecord", bound=Record)


def examine_audio(run: RunDirectory, topic: TopicManifest, selection: Selection) -> StageState:
    """The state of the voices."""
    return _examine(
        run,
        "audio",
        AudioRecord,
        AudioManifest,
        lambda story, scene, take, before: audio_made(topic, scene, take, before),
        selection,
    )


def examine_images(run: RunDirectory, topic: TopicManifest, selection: Selection) -> StageState:
    """The state of the pictures."""
    return _examine(
        run,
        "images",
        ImageRecord,
        ImagesManifest,
        lambda story, scene, take, before: image_made(topic, story, scene, take, before),
        selection,
    )


def read_story(run: RunDirectory) -> ScenesManifest | None:
    """`1_scenes.json`, or None when the story is not written yet. Raises ManifestError."""
    path = run.manifest_path("scenes")
    return read_model(path, ScenesManifest) if path.exists() else None


def read_record(run: RunDirectory, path: Path, model: type[AnyRecord]) -> AnyRecord | None:
    """The record at `path` if it is there and its file is the one it was written for, else None.

    Records are our own notes: one that cannot be read only means that its artefact is made again.
    """
    record = read_if_valid(path, model)
    return record if record and lies_there(run, record) else None


def lies_there(run: RunDirectory, record: Record) -> bool:
    """Whether the file a record names is inside the run, there, and the one it was written for."""
    try:
        return file_digest(run.resolve(record.file)) == record.sha256
    except ManifestError:
        return False


def file_digest(path: Path) -> str | None:
    """SHA-256 of a file in hexadecimal; None when it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _examine(
    run: RunDirectory,
    stage: StageName,
    record_model: type[AnyRecord],
    manifest_model: type[AudioManifest] | type[ImagesManifest],
    made: Callable[[ScenesManifest, Scene, int, Made | None], Made],
    selection: Selection,
) -> StageState:
    story = read_story(run)
    if story is None:
        return StageState(stage, waiting_for="1_scenes.json")
    selection.refuse_unknown(run, [scene.scene_id for scene in story.scenes])
    path = run.manifest_path(stage)
    manifest = read_model(path, manifest_model) if path.exists() else None
    failed = {failure.scene_id: failure for failure in manifest.failures} if manifest else {}
    tasks: list[Task] = []
    kept: dict[str, Record] = {}
    failures: list[Failure] = []
    complete = True
    for scene in story.scenes:
        noted = read_if_valid(run.record_path(stage, scene.scene_id), record_model)
        # The take is the recorded one even when the file is gone: a lost picture comes back as it was.
        take = take_of(noted, selection.another and selection.takes(scene.scene_id))
        record = noted if noted and lies_there(run, noted) else None
        now = made(story, scene, take, noted)
        why = FORCED if selection.insists(scene.scene_id) else why_stale(record, now)
        if why is None and record is not None:
            kept[scene.scene_id] = record
        elif selection.takes(scene.scene_id):
            failure = failed.get(scene.scene_id)
            why = f"failed before: {failure.reason}" if failure and why != FORCED else why or "missing"
            tasks.append(Task(scene.scene_id, now, take, why, failure.attempts if failure else 0))
        elif scene.scene_id in failed:
            failures.append(failed[scene.scene_id])
        else:
            complete = False
    published = (
        manifest is not None
        and [record.model_dump() for record in manifest.scenes] == [record.model_dump() for record in kept.values()]
        and manifest.failures == tuple(failures)
    )
    return StageState(
        stage,
        tasks=tuple(tasks),
        kept=kept,
        failures=tuple(failures),
        complete=complete,
        published=published,
        why=None if published else "its manifest is missing or names other artefacts",
        story=story,
    )
