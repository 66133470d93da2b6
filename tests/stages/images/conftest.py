"""Tiny checkpoints for the tests of the images stage, built once for each test process."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.checkpoints.images import build_flux, build_stable_diffusion


@pytest.fixture(scope="session")
def stable_diffusion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_stable_diffusion(tmp_path_factory.mktemp("checkpoints") / "sd")


@pytest.fixture(scope="session")
def flux(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_flux(tmp_path_factory.mktemp("checkpoints") / "flux")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"
