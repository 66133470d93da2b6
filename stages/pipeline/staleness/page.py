"""Staleness of the page. It shows whatever is there, failures too, so it waits for nothing."""

from __future__ import annotations

from stages.pipeline.keys import made, report_made_from
from stages.pipeline.manifests import (
    STAGES,
    Attempts,
    AudioManifest,
    Failure,
    ImagesManifest,
    ReportManifest,
    ScenesManifest,
    TopicManifest,
    VideoManifest,
)
from stages.pipeline.reading import read_if_valid
from stages.pipeline.run_directory import RunDirectory
from stages.pipeline.staleness.artefacts import file_digest
from stages.pipeline.staleness.state import FORCED, Selection, StageState, Task, why_stale

PAGE = "page"


def examine_report(run: RunDirectory, topic: TopicManifest, selection: Selection) -> StageState:
    """The state of the page."""
    # A manifest that cannot be read does not stop the page: it then says what is not there.
    story = read_if_valid(run.manifest_path("scenes"), ScenesManifest)
    artefacts: dict[str, str | None] = {}
    failures: list[tuple[str, Failure]] = [("scenes", failure) for failure in story.failures] if story else []
    audio = read_if_valid(run.manifest_path("audio"), AudioManifest)
    images = read_if_valid(run.manifest_path("images"), ImagesManifest)
    for stage, manifest in (("audio", audio), ("images", images)):
        if manifest:
            artefacts |= {f"{stage}/{record.scene_id}": record.sha256 for record in manifest.scenes}
            failures += [(stage, failure) for failure in manifest.failures]
    video = read_if_valid(run.manifest_path("video"), VideoManifest)
    if video:
        artefacts["film"] = video.film.sha256 if video.film else None
        failures += [("video", failure) for failure in video.left_out]
    now = made(report_made_from(topic, story, artefacts, failures, unfinished_stages(run)))
    before = read_if_valid(run.manifest_path("report"), ReportManifest)
    why = FORCED if selection.force or selection.another else why_stale(before, now)
    if why is None and before and file_digest(run.resolve(before.page.file)) != before.page.sha256:
        why = f"{before.page.file} is missing or was changed"
    if why is None:
        return StageState("report", published=True, story=story)
    return StageState("report", tasks=(Task(PAGE, now, 0, why),), why=why, story=story)


def unfinished_stages(run: RunDirectory) -> dict[str, str]:
    """The stages that have no manifest, each with the reason its last attempt gave."""
    history = read_if_valid(run.logs / "attempts.json", Attempts) or Attempts()
    reasons = {a.stage: a.reason or f"exit code {a.exit_code}" for a in history.attempts if a.exit_code}
    return {stage: reasons.get(stage, "not made yet") for stage in STAGES[:-1] if not run.manifest_path(stage).exists()}
