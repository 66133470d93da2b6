"""`make starter`: the parts, their order, what is done already, and a run of all picture parts with tiny networks."""

import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from models.starter.training import __main__ as make_starter

RUNNER = CliRunner()
PICTURE_PARTS = ("autoencoder", "diffusion", "diffusion-final", "judge", "evaluate", "assemble")


@pytest.fixture
def app() -> typer.Typer:
    found = typer.Typer()
    found.command()(make_starter.main)
    return found


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of picture parts that were started, instead of their processes; `judge` fails."""
    names: list[str] = []

    def run(command: list[str]) -> subprocess.CompletedProcess[bytes]:
        names.append(command[3])
        return subprocess.CompletedProcess(command, 3 if command[3] == "judge" else 0)

    monkeypatch.setattr(subprocess, "run", run)
    return names


def test_everything_together_stays_under_45_minutes(tmp_path: Path) -> None:
    assert sum(part.minutes for part in make_starter.parts(tmp_path, smoke=False)) < 45


def test_every_part_is_given_the_minutes_that_the_plan_says(tmp_path: Path) -> None:
    given = {part.name: part for part in make_starter.parts(tmp_path, smoke=False) if "--minutes" in part.arguments}
    assert list(given) == [*PICTURE_PARTS[:4], "text"]
    for part in given.values():
        assert float(part.arguments[part.arguments.index("--minutes") + 1]) == part.minutes
    assert given["text"].minutes == 13  # as long as the model that ships was trained


def test_the_plan_names_the_parts_in_order_and_starts_none(
    app: typer.Typer, started: list[str], tmp_path: Path
) -> None:
    result = RUNNER.invoke(app, ["--plan", "--work-dir", str(tmp_path)])
    assert result.exit_code == 0
    names = [line.split()[0] for line in result.stdout.splitlines()]
    assert names == [*PICTURE_PARTS[:5], "text", "assemble", "assemble-text", "together"]
    assert started == []


def test_a_part_that_is_done_is_not_done_again(app: typer.Typer, started: list[str], tmp_path: Path) -> None:
    arguments = ["--work-dir", str(tmp_path)]
    assert RUNNER.invoke(app, arguments).exit_code == 3
    assert started == ["autoencoder", "diffusion", "diffusion", "judge"]
    assert RUNNER.invoke(app, arguments).exit_code == 3
    assert started[4:] == ["judge"]
    assert RUNNER.invoke(app, [*arguments, "--only", "autoencoder"]).exit_code == 0
    assert started[5:] == ["autoencoder"]


def test_an_unknown_part_is_refused(app: typer.Typer, tmp_path: Path) -> None:
    result = RUNNER.invoke(app, ["--only", "paint", "--work-dir", str(tmp_path)])
    assert result.exit_code == 2


@pytest.mark.slow
def test_all_picture_parts_run_one_after_the_other(tmp_path: Path) -> None:
    only = [word for part in PICTURE_PARTS for word in ("--only", part)]
    program = [sys.executable, "-m", "models.starter.training", "--smoke", "--work-dir", str(tmp_path), *only]
    done = subprocess.run(program, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-2000:]
    pipeline = tmp_path / "smoke-images"
    assert (pipeline / "unet" / "diffusion_pytorch_model.safetensors").stat().st_size > 100_000
    for name in ("held_out_wide.jpg", "close_ups.jpg", "single_things.jpg", "evaluation.json", "judge.json"):
        assert (tmp_path / "shards" / "images" / name).stat().st_size > 200
