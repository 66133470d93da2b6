"""`batch`: many topics from a file, one relay over all of them. The same file with the same settings is the same batch."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError
from slugify import slugify

from stages.commands.options import Asked, asked, check_topic, complaint, topic_manifest
from stages.pipeline import locks
from stages.pipeline.atomic import write_atomically
from stages.pipeline.configuration import Configuration
from stages.pipeline.errors import ExitCode, ManifestError, SceneRelayError, UsageError, combined_exit_code, one_line
from stages.pipeline.manifests import SCHEMA_VERSION, StageName, Strict, TopicManifest
from stages.pipeline.reading import read_bounded, read_if_valid, scan
from stages.pipeline.run_directory import RunDirectory, make_run_directory, manifest_bytes
from stages.pipeline.runner import Outcome, Relay
from stages.pipeline.runner.display import Display
from stages.pipeline.runner.relay import exit_code_of
from stages.pipeline.runner.timeline import MemoryTimeline
from stages.pipeline.telling import say

MAX_BATCH_BYTES = 8 * 1024 * 1024
MAX_TOPICS = 5000


class BatchEntry(Strict):
    """One topic of a batch and its run directory, relative to the directory of the batch."""

    topic: str
    run: str


class BatchManifest(Strict):
    """`output/batches/<time>_<name>/batch.json`."""

    schema_version: Literal[1] = SCHEMA_VERSION
    identity: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    source: str
    created_at: str
    entries: tuple[BatchEntry, ...]


class Line(Strict):
    """One line of a JSONL batch: a topic with settings of its own."""

    topic: str
    scenes: int | None = None
    seed: int | None = None
    style: str | None = None
    language: str | None = None
    aspect: str | None = None


def run_batch(file: Path, ask: Asked) -> ExitCode:
    """Check everything, then make or resume every run of the batch; a topic that fails does not stop the others."""
    configuration = ask.configuration()
    wanted = [_topic(line, ask, number) for number, line in enumerate(read_lines(file), start=1)]
    directory = _find_or_make(file, configuration, wanted)
    batch = read_if_valid(directory / "batch.json", BatchManifest)
    if batch is None:
        raise ManifestError(f"{directory / 'batch.json'} cannot be read; remove {directory} to begin the batch anew")
    say(f"batch {directory}: {len(batch.entries)} topics")
    outcomes: dict[str, dict[StageName, Outcome]] = {}
    refused: dict[str, Outcome] = {}
    runs = [_run_of(directory, entry) for entry in batch.entries]
    with ExitStack() as stack:
        ready: list[tuple[RunDirectory, TopicManifest]] = []
        for run in runs:
            try:
                topic = run.read_topic()
                stack.enter_context(locks.held(run, locks.RUNNER))
                ready.append((run, topic))
            except SceneRelayError as error:
                refused[run.name] = Outcome(error.exit_code, str(error))
        with Display(many=True) as display:
            outcomes = Relay(ready, display, MemoryTimeline(directory / "vram.jsonl")).run()
    codes = {
        run.name: refused[run.name].code if run.name in refused else exit_code_of(outcomes[run.name].values())
        for run in runs
    }
    _print_table(batch, runs, codes, outcomes, refused, file)
    return combined_exit_code(codes.values())


def _run_of(directory: Path, entry: BatchEntry) -> RunDirectory:
    """The run of an entry, which lies beside the directory of batches. Raises ManifestError for any other place."""
    path = Path(os.path.normpath(directory / entry.run))
    if path.parent != Path(os.path.normpath(directory.parent.parent)):
        raise ManifestError(
            f"{directory / 'batch.json'}: the run {entry.run!r} is not one of {directory.parent.parent}"
        )
    return RunDirectory(path)


def read_lines(file: Path) -> list[Line]:
    """The topics of a file: one per line, or one JSON object per line. Raises UsageError, ManifestError."""
    if not file.is_file():
        raise UsageError(f"{file} is not a file; `make batch TOPICS=topics.txt` wants one topic per line, or JSONL")
    data = read_bounded(file, MAX_BATCH_BYTES)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{file}: byte {error.start} is not UTF-8; save the file as UTF-8") from None
    lines = []
    for number, raw in enumerate(text.split("\n"), start=1):  # splitlines would also split at U+2028 inside JSON
        if not raw.strip():
            continue
        lines.append(_json_line(raw, f"{file} line {number}") if file.suffix == ".jsonl" else Line(topic=raw.strip()))
    if not lines:
        raise UsageError(f"{file} holds no topic; write one per line")
    if len(lines) > MAX_TOPICS:
        raise UsageError(f"{file} holds {len(lines)} topics, the limit is {MAX_TOPICS}; split it")
    return lines


def _json_line(raw: str, name: str) -> Line:
    scan(raw.encode(), name)
    try:
        return Line.model_validate_json(raw, strict=True)
    except ValidationError as error:
        raise UsageError(f"{name}: {complaint(error)}") from None


def _topic(line: Line, ask: Asked, number: int) -> tuple[TopicManifest, int | None]:
    """What this line asks for, over what the command line asks for, and the seed if one was given."""
    try:
        own = asked(
            scenes=str(line.scenes) if line.scenes is not None else None,
            seed=str(line.seed) if line.seed is not None else None,
            style=line.style,
            language=line.language,
            aspect=line.aspect,
        )
        flags = {name: {**ask.flags.get(name, {}), **own.flags.get(name, {})} for name in {*ask.flags, *own.flags}}
        seed = own.seed if own.seed is not None else ask.seed
        configuration = Asked(flags, seed, ask.profile, ask.output).configuration()
        return topic_manifest(check_topic(line.topic), seed, configuration), seed
    except SceneRelayError as error:
        raise type(error)(f"topic {number}: {error}") from None


def _find_or_make(file: Path, configuration: Configuration, wanted: list[tuple[TopicManifest, int | None]]) -> Path:
    """The batch with this identity, or a new one with all its run directories. A drawn seed is no part of the identity."""
    identity = _identity(wanted)
    home = configuration.output / "batches"
    for path in sorted(home.glob("*/batch.json"), reverse=True):
        found = read_if_valid(path, BatchManifest)
        if found and found.identity == identity:
            say("this file with these settings is a batch already: going on with it")
            return path.parent
    now = datetime.now()
    name = slugify(file.stem, max_length=40, separator="_") or "batch"
    directory = home / f"{now:%Y%m%d-%H%M%S}_{name}"
    runs = [make_run_directory(configuration.output, topic, now) for topic, _ in wanted]
    entries = tuple(
        BatchEntry(topic=topic.topic, run=os.path.relpath(run.path, directory))
        for (topic, _), run in zip(wanted, runs, strict=True)
    )
    manifest = BatchManifest(
        identity=identity, source=str(file), created_at=datetime.now(UTC).isoformat(timespec="seconds"), entries=entries
    )
    write_atomically(directory / "batch.json", manifest_bytes(manifest))
    return directory


def _identity(wanted: list[tuple[TopicManifest, int | None]]) -> str:
    parts: list[Any] = [
        [topic.topic, topic.profile, topic.settings.model_dump(mode="json"), seed] for topic, seed in wanted
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _print_table(
    batch: BatchManifest,
    runs: list[RunDirectory],
    codes: dict[str, ExitCode],
    outcomes: dict[str, dict[StageName, Outcome]],
    refused: dict[str, Outcome],
    file: Path,
) -> None:
    """One row for each topic, failures first, on stdout."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("topic", "state", "where", box=None, pad_edge=False)
    rows = sorted(zip(batch.entries, runs, strict=True), key=lambda row: codes[row[1].name] == 0)
    for entry, run in rows:
        code = codes[run.name]
        legs = {"run": refused[run.name]} if run.name in refused else outcomes[run.name]
        reason = next((f"{stage}: {leg.reason}" for stage, leg in legs.items() if leg.code and leg.reason), "")
        state = "finished" if code == 0 else f"exit {code.value}: {one_line(reason, 100)}"
        table.add_row(Text(one_line(entry.topic, 40)), Text(state), Text(str(run.path)))
    Console(soft_wrap=True).print(table)
    failed = sum(1 for code in codes.values() if code)
    say(
        f"{len(runs) - failed} of {len(runs)} finished"
        + (f"; `python -m stages batch {file}` goes on" if failed else "")
    )
