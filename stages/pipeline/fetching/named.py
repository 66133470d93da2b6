"""The models that profiles name: a repository to fetch, a directory that is there or not, or espeak-ng."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from stages.pipeline.settings import Settings
from stages.pipeline.weights import ESPEAK, is_repository, local_directory

Kind = Literal["repository", "directory", "package"]


@dataclass(frozen=True)
class NamedModel:
    """A model as settings name it. `users` are the places that do, for example "24gb.images"."""

    model_id: str
    revision: str | None
    users: tuple[str, ...] = ()

    @property
    def kind(self) -> Kind:
        """What the name means on this machine; a directory may also be one that is missing."""
        if self.model_id == ESPEAK:
            return "package"
        if local_directory(self.model_id) or not is_repository(self.model_id):
            return "directory"
        return "repository"

    def __str__(self) -> str:
        return f"{self.model_id}@{self.revision}" if self.revision else self.model_id


def models_of(profiles: Mapping[str, Settings]) -> list[NamedModel]:
    """The models of some profiles' settings, each once, in the order of the profiles."""
    users: dict[tuple[str, str | None], list[str]] = {}
    for profile, settings in profiles.items():
        for stage in ("scenes", "audio", "images"):
            table = getattr(settings, stage)
            users.setdefault((table.model_id, table.revision), []).append(f"{profile}.{stage}")
    return [NamedModel(model_id, revision, tuple(names)) for (model_id, revision), names in users.items()]
