"""Where the settings of a run come from: flag, then environment, then pipeline.toml, then profile, then default.

The environment's names are `SCENE_RELAY_<TABLE>__<SETTING>`, for example `SCENE_RELAY_IMAGES__NUM_INFERENCE_STEPS=4`.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from gpu_utils import GPUError, select_device
from gpu_utils.admission import default_reserve_bytes
from stages.pipeline.errors import ConfigError, WeightsMissing, one_line
from stages.pipeline.settings import (
    AudioSettings,
    ImagesSettings,
    ReportSettings,
    ScenesSettings,
    Settings,
    StorySettings,
    Table,
    VideoSettings,
)
from stages.pipeline.weights import ESPEAK, PROJECT_ROOT, weights_directory

AUTO = "auto"
ENVIRONMENT_PREFIX = "SCENE_RELAY_"
GIB = 1 << 30

TABLES: dict[str, type[Table]] = {
    "story": StorySettings,
    "scenes": ScenesSettings,
    "audio": AudioSettings,
    "images": ImagesSettings,
    "video": VideoSettings,
    "report": ReportSettings,
}

Layer = dict[str, Any]


class Profile(Table):
    """A line-up of models for a size of card; its tables hold settings of the stages."""

    about: str
    needs_vram_gib: float = Field(0.0, ge=0)
    story: Layer = Field(default_factory=dict)
    scenes: Layer = Field(default_factory=dict)
    audio: Layer = Field(default_factory=dict)
    images: Layer = Field(default_factory=dict)
    video: Layer = Field(default_factory=dict)
    report: Layer = Field(default_factory=dict)

    def layer(self) -> Layer:
        """The profile's settings by stage."""
        return {name: getattr(self, name) for name in TABLES if getattr(self, name)}


@dataclass(frozen=True)
class Configuration:
    """The settings that apply now, and which profile they rest on and why."""

    settings: Settings
    profile: str
    profile_reason: str
    output: Path


class _Environment(BaseSettings):
    """The environment's layer; only what is set there counts."""

    model_config = SettingsConfigDict(env_prefix=ENVIRONMENT_PREFIX, env_nested_delimiter="__", extra="ignore")

    profile: str | None = None
    output: str | None = None
    story: StorySettings = StorySettings()
    scenes: ScenesSettings = ScenesSettings()
    audio: AudioSettings = AudioSettings()
    images: ImagesSettings = ImagesSettings()
    video: VideoSettings = VideoSettings()
    report: ReportSettings = ReportSettings()

    def layer(self) -> Layer:
        """The settings that the environment sets, by table."""
        return self.model_dump(include=set(TABLES), exclude_unset=True)


def load_configuration(
    flags: Mapping[str, Mapping[str, Any]] | None = None,
    profile: str | None = None,
    output: Path | None = None,
    config: Path | None = None,
) -> Configuration:
    """Resolve the settings. `flags` holds the settings given on the command line, by table.

    Raises ConfigError, with one line that names the place, the value and the bound; WeightsMissing only when the profile
    is `auto` and no profile's weights are here.
    """
    path = config or _config_path()
    document = _read_toml(path)
    environment = _environment()
    profiles = _profiles(document.pop("profiles", {}), path)
    wanted = profile or environment.profile or document.pop("profile", None) or AUTO
    out = _output(output, environment, document)
    document.pop("profile", None)
    document.pop("output", None)
    for name in document:
        if name not in TABLES:
            raise ConfigError(
                f"{path}: {name!r} is not a setting or a table{_did_you_mean(name, [*TABLES, 'profiles'])}"
            )
    chosen, reason = _choose(str(wanted), profiles)
    layers: list[tuple[str, Layer]] = [
        ("command line", {name: dict(values) for name, values in (flags or {}).items() if values}),
        ("environment", environment.layer()),
        (str(path), document),
        (f"{path}, profile {chosen}", profiles[chosen].layer()),
    ]
    for origin, layer in layers:
        _refuse_unknown(origin, layer)
    return Configuration(_merge(layers), chosen, reason, out)


def output_directory(output: Path | None = None, config: Path | None = None) -> Path:
    """Where run directories go; needs no profile and no weights. Raises ConfigError."""
    return _output(output, _environment(), _read_toml(config or _config_path()))


def _output(output: Path | None, environment: _Environment, document: Layer) -> Path:
    found = output or environment.output or document.get("output") or "output"
    if not isinstance(found, (str, Path)):
        raise ConfigError(f"pipeline.toml: output = {one_line(repr(found), 60)} is not a path; write it in quotes")
    return Path(found)


def override(settings: Settings, flags: Mapping[str, Mapping[str, Any]]) -> Settings:
    """The settings of a run with those of the command line over them. Raises ConfigError."""
    given = {name: dict(values) for name, values in flags.items() if values}
    _refuse_unknown("command line", given)
    return _merge([("command line", given), ("0_topic.json", settings.model_dump())])


def _merge(layers: list[tuple[str, Layer]]) -> Settings:
    """The first layer that sets a setting wins."""
    merged: Layer = {}
    for _, layer in reversed(layers):
        for table, values in layer.items():
            merged[table] = {**merged.get(table, {}), **values}
    try:
        return Settings.model_validate(merged)
    except ValidationError as error:
        raise ConfigError(_complaint(error, layers)) from None


def _complaint(error: ValidationError, layers: list[tuple[str, Layer]]) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    loc = [str(part) for part in first["loc"]]
    if len(loc) < 2:  # settings that do not go together
        return f"{first['msg'].removeprefix('Value error, ')}; correct it and call again"
    origin = next((name for name, layer in layers if loc[1] in (layer.get(loc[0]) or {})), layers[0][0])
    found = one_line(repr(first["input"]), 100)
    return f"{origin}: {'.'.join(loc)} = {found}: {_in_words(first['msg'])}; correct it and call again"


def _in_words(message: str) -> str:
    return one_line(message.removeprefix("Value error, "), 200)


def _refuse_unknown(origin: str, layer: Layer) -> None:
    for name, values in layer.items():
        if not isinstance(values, dict):
            raise ConfigError(f"{origin}: {name} must be a table of settings, found {one_line(repr(values), 60)}")
        known = list(TABLES[name].model_fields)
        for setting in values:
            if setting not in known:
                raise ConfigError(f"{origin}: {name}.{setting} is not a setting{_did_you_mean(setting, known)}")


def _did_you_mean(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; there are {', '.join(known)}"


def _config_path() -> Path:
    given = os.environ.get("SCENE_RELAY_CONFIG")
    here = Path("pipeline.toml")
    return Path(given) if given else here if here.exists() else PROJECT_ROOT / "pipeline.toml"


def _read_toml(path: Path) -> Layer:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}; correct it and call again") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}; SCENE_RELAY_CONFIG names another file") from None


def _environment() -> _Environment:
    _refuse_unknown_variables(os.environ)
    try:
        return _Environment()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ENVIRONMENT_PREFIX + "__".join(str(part) for part in first["loc"]).upper()
        found = one_line(repr(first["input"]), 100)
        raise ConfigError(f"environment: {name} = {found}: {_in_words(first['msg'])}; correct it") from None
    except SettingsError as error:
        raise ConfigError(f"environment: {one_line(str(error), 300)}") from None


def _refuse_unknown_variables(environment: Mapping[str, str]) -> None:
    """`SCENE_RELAY_IMAGES__STEPS` is a mistake; names without `__` are not settings of a table and not looked at here."""
    for variable in environment:
        name = variable.upper().removeprefix(ENVIRONMENT_PREFIX).lower()
        if not variable.upper().startswith(ENVIRONMENT_PREFIX) or "__" not in name:
            continue
        table, _, setting = name.partition("__")
        if table not in TABLES:
            raise ConfigError(f"environment: {variable} names no table of settings{_did_you_mean(table, list(TABLES))}")
        known = list(TABLES[table].model_fields)
        if setting.partition("__")[0] not in known:
            raise ConfigError(f"environment: {variable} is not a setting{_did_you_mean(setting, known)}")


def _profiles(document: Any, path: Path) -> dict[str, Profile]:
    if not isinstance(document, dict) or not document:
        raise ConfigError(f"{path} has no [profiles.<name>] table; the project's own pipeline.toml shows them")
    profiles = {}
    for name, table in document.items():
        try:
            profiles[name] = Profile.model_validate(table)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise ConfigError(f"{path}: profiles.{name}.{where}: {first['msg']}; correct it and call again") from None
        _refuse_unknown(f"{path}, profile {name}", profiles[name].layer())
    return profiles


def _choose(wanted: str, profiles: Mapping[str, Profile]) -> tuple[str, str]:
    """The profile and one line of reason. `auto`: the most demanding one whose weights are here and that fits."""
    if wanted != AUTO:
        if wanted not in profiles:
            known = ", ".join([AUTO, *profiles])
            raise ConfigError(f"profile {one_line(wanted, 60)!r} does not exist; there are {known}")
        return wanted, "asked for"
    here = [name for name, profile in profiles.items() if _weights_are_here(profile)]
    gib, card = _usable_vram_gib()
    fitting = [name for name in here if profiles[name].needs_vram_gib <= gib]
    if not fitting:
        raise WeightsMissing(
            f"no profile that fits {card} has its weights on this machine (there are {', '.join(profiles)}); "
            "fetch the weights of one, or name one with --profile"
        )
    best = max(fitting, key=lambda name: profiles[name].needs_vram_gib)
    return best, f"auto: the best of {len(here)} with weights on this machine that fits {card}"


def _weights_are_here(profile: Profile) -> bool:
    for table in ("scenes", "audio", "images"):
        layer = getattr(profile, table)
        model_id = layer.get("model_id", TABLES[table].model_fields["model_id"].default)
        if model_id == ESPEAK:
            continue
        try:
            weights_directory(model_id, layer.get("revision"))
        except WeightsMissing:
            return False
    return True


def _usable_vram_gib() -> tuple[float, str]:
    """The card's total memory less the reserve, so that the choice does not depend on what runs at the moment."""
    try:
        device, _ = select_device()
    except GPUError:
        device = None
    if device is None or not device.total_bytes:
        return 0.0, "a machine without a GPU"
    usable = device.total_bytes - default_reserve_bytes(device.total_bytes)
    return usable / GIB, f"{device.label} with {device.total_bytes / GIB:.0f} GiB"
