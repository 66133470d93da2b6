"""The options that several commands share, and how they become settings.

Each can come through the environment too (`SCENE_RELAY_ARG_TOPIC`, ...): that is how make hands text over without a shell
ever seeing it.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from stages.pipeline.configuration import TABLES, Configuration, load_configuration
from stages.pipeline.errors import UsageError, one_line
from stages.pipeline.manifests import MAX_SEED, TopicManifest
from stages.pipeline.settings import MAX_TOPIC_CHARACTERS

MAX_DRAWN_SEED = 2**32


def _env(name: str) -> str:
    return f"SCENE_RELAY_ARG_{name}"


Topic = Annotated[
    str | None, typer.Argument(help="What the story is about, in your words.", envvar=_env("TOPIC"), show_envvar=False)
]
Scenes = Annotated[
    str | None, typer.Option("--scenes", help="Number of scenes, 1 to 50.", envvar=_env("SCENES"), show_envvar=False)
]
Seed = Annotated[
    str | None,
    typer.Option("--seed", help="Same seed, same story; none draws one.", envvar=_env("SEED"), show_envvar=False),
]
Style = Annotated[
    str | None, typer.Option("--style", help="Style of every picture.", envvar=_env("STYLE"), show_envvar=False)
]
Language = Annotated[
    str | None,
    typer.Option(
        "--language", help="Language of the narration (en, de, ...).", envvar=_env("LANGUAGE"), show_envvar=False
    ),
]
ProfileName = Annotated[
    str | None,
    typer.Option("--profile", help="Models to use: auto, starter, ...", envvar=_env("PROFILE"), show_envvar=False),
]
Aspect = Annotated[
    str | None, typer.Option("--aspect", help="16:9, 1:1 or 9:16.", envvar=_env("ASPECT"), show_envvar=False)
]
Output = Annotated[
    Path | None, typer.Option("--output", help="Where run directories go.", envvar=_env("OUTPUT"), show_envvar=False)
]
RunPath = Annotated[
    Path | None,
    typer.Argument(
        metavar="[RUN_DIR]", help="A run directory; the latest when left out.", envvar=_env("RUN"), show_envvar=False
    ),
]
AsJSON = Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")]

# Commands that take any setting as `--images.num-inference-steps 4`.
ANY_SETTING = {"allow_extra_args": True, "ignore_unknown_options": True}


@dataclass(frozen=True)
class Asked:
    """What the command line asks for, before any file is read."""

    flags: Mapping[str, Mapping[str, Any]]
    seed: int | None = None
    profile: str | None = None
    output: Path | None = None

    def configuration(self) -> Configuration:
        """The settings that apply. Raises ConfigError."""
        return load_configuration(self.flags, self.profile, self.output)


def asked(
    extra: Sequence[str] = (),
    scenes: str | None = None,
    seed: str | None = None,
    style: str | None = None,
    language: str | None = None,
    profile: str | None = None,
    aspect: str | None = None,
    output: Path | None = None,
) -> Asked:
    """Gather the flags. Raises UsageError for a seed that is none and for options that do not exist."""
    flags: dict[str, dict[str, Any]] = {"story": {}}
    named = {"number_of_scenes": scenes, "style": style, "language": language, "aspect": aspect}
    flags["story"] = {name: _utf8(value) for name, value in named.items() if value}
    for name, value in _extra_settings(extra):
        table, _, setting = name.partition(".")
        flags.setdefault(table, {})[setting] = value
    return Asked(flags, _seed(seed), profile or None, output)


def topic_manifest(topic: str | None, seed: int | None, configuration: Configuration) -> TopicManifest:
    """`0_topic.json` for a new run; without a seed one is drawn. Raises UsageError when the topic cannot be taken."""
    checked = check_topic(topic)
    return TopicManifest(
        topic=checked,
        seed=secrets.randbelow(MAX_DRAWN_SEED) if seed is None else seed,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        profile=configuration.profile,
        profile_reason=configuration.profile_reason,
        settings=configuration.settings,
    )


def check_topic(topic: str | None) -> str:
    """The topic word for word, or UsageError: empty, not UTF-8, or longer than the limit."""
    if topic is None or not topic.strip():
        raise UsageError('the topic is empty; call for example `make run TOPIC="Cyberpunk Tokyo"`')
    _utf8(topic)
    if "\0" in topic:
        raise UsageError("the topic holds a NUL character; take it out")
    if len(topic) > MAX_TOPIC_CHARACTERS:
        raise UsageError(f"the topic has {len(topic)} characters, the limit is {MAX_TOPIC_CHARACTERS}; shorten it")
    return topic


def _utf8(text: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise UsageError(f"{one_line(ascii(text), 60)} is not UTF-8; give the text in UTF-8") from None
    return text


def _seed(seed: str | None) -> int | None:
    if not seed:
        return None
    if not seed.isascii() or not seed.isdigit() or int(seed) > MAX_SEED:
        raise UsageError(f"--seed {one_line(seed, 40)!r} is not a whole number from 0 to {MAX_SEED}")
    return int(seed)


def _extra_settings(extra: Sequence[str]) -> list[tuple[str, str]]:
    """`--images.num-inference-steps 4` or `--images.num-inference-steps=4`, as (images.num_inference_steps, 4)."""
    found: list[tuple[str, str]] = []
    words = list(extra)
    while words:
        word = words.pop(0)
        name, equals, value = word.removeprefix("--").partition("=")
        name = name.replace("-", "_")
        if not word.startswith("--") or name.partition(".")[0] not in TABLES or "." not in name:
            raise UsageError(
                f"{one_line(word, 60)!r} is not an option; --help shows them, settings are --<table>.<setting>"
            )
        if not equals:
            if not words:
                raise UsageError(f"{word} needs a value")
            value = words.pop(0)
        found.append((name, value))
    return found


def complaint(error: ValidationError) -> str:
    """The first complaint of a validation error, in one line."""
    first = error.errors(include_url=False)[0]
    return one_line(f"{'.'.join(map(str, first['loc']))}: {first['msg']}", 300)
