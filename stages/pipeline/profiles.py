"""Profiles: line-ups of models for a size of card, and the choice among them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from gpu_utils import GPUError, select_device
from gpu_utils.admission import default_reserve_bytes
from stages.pipeline.errors import ConfigError, WeightsMissing, one_line
from stages.pipeline.settings import Table
from stages.pipeline.tables import TABLES, Layer, refuse_unknown
from stages.pipeline.weights import ESPEAK, weights_directory

AUTO = "auto"
GIB = 1 << 30


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


def read_profiles(document: Any, path: Path) -> dict[str, Profile]:
    """The profiles of `path`, whose `profiles` table is `document`. Raises ConfigError."""
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
        refuse_unknown(f"{path}, profile {name}", profiles[name].layer())
    return profiles


def choose_profile(wanted: str, profiles: Mapping[str, Profile]) -> tuple[str, str]:
    """The profile and one line of reason. `auto`: the most demanding one whose weights are here and that fits.

    Raises ConfigError, and WeightsMissing when `auto` finds none.
    """
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
            "`make models PROFILE=...` fetches those of one, or name one with --profile"
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
