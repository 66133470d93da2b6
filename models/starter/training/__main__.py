"""`make starter`: both starter models again from nothing, on one GPU, part by part, in under 45 minutes on an H200.

    python -m models.starter.training --work-dir build/starter [--plan] [--only PART ...] [--again] [--smoke]

A part that ended well in the working directory is not done again, so that the same command goes on after a failure;
`--only` does the named parts in any case, `--again` all of them. Nothing is downloaded.
"""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

PICTURES = "models.starter.training.images"
TEXT = "models.starter.training.text"


@dataclass(frozen=True)
class Part:
    """One process: the arguments of `python -m` and the minutes it is given or, where it takes none, expected to take."""

    name: str
    arguments: tuple[str, ...]
    minutes: float


def parts(work_dir: Path, *, smoke: bool) -> list[Part]:
    """The parts in order. Each finds what the ones before it left in the working directory or among the shards."""
    out = work_dir / "shards"
    pictures = ("--work-dir", str(work_dir / "images"), "--out", str(out / "images"))
    text = ("--work-dir", str(work_dir / "text"), "--out", str(out / "text"))
    tiny = ("--smoke",) if smoke else ()
    targets = ((str(work_dir / "smoke-images"),), ("--target", str(work_dir / "smoke-text"))) if smoke else ((), ())

    def timed(minutes: float, smoke_minutes: float = 0.1) -> tuple[str, ...]:
        return ("--minutes", f"{smoke_minutes if smoke else minutes:g}", *tiny)

    return [
        Part("autoencoder", (PICTURES, "autoencoder", *pictures, *timed(7.5)), 7.5),
        Part("diffusion", (PICTURES, "diffusion", *pictures, *timed(9.3)), 9.3),
        Part("diffusion-final", (PICTURES, "diffusion", *pictures, "--final", *timed(9.3)), 9.3),
        Part("judge", (PICTURES, "judge", *pictures, *timed(2.8)), 2.8),
        Part("evaluate", (PICTURES, "evaluate", *pictures, *tiny), 2.0),
        Part("text", (TEXT, "train", *text, "--processes", "1" if smoke else "14", *timed(13, 0.5)), 13.0),
        Part("assemble", (PICTURES, "assemble", str(out / "images"), *targets[0], *tiny), 0.5),
        Part("assemble-text", (TEXT, "assemble", "--out", str(out / "text"), *targets[1]), 0.2),
    ]


def plan(chosen: list[Part]) -> str:
    """The parts as a table, with the sum of their minutes."""
    width = max(len(part.name) for part in chosen)
    lines = [f"{part.name:{width}}  {part.minutes:5.1f} min  python -m {' '.join(part.arguments)}" for part in chosen]
    return "\n".join([*lines, f"{'together':{width}}  {sum(part.minutes for part in chosen):5.1f} min"])


def _run(part: Part, mark: Path) -> None:
    """Run one part; leaves `mark` when it ends well. Raises typer.Exit with its exit code when it does not."""
    began = time.monotonic()
    mark.unlink(missing_ok=True)
    print(f"== {part.name}", flush=True)
    done = subprocess.run([sys.executable, "-m", *part.arguments])
    if done.returncode:
        print(f"== {part.name} ended with exit code {done.returncode}", file=sys.stderr)
        raise typer.Exit(done.returncode)
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.touch()
    print(f"== {part.name}: {time.monotonic() - began:.0f} s", flush=True)


def main(
    work_dir: Annotated[Path, typer.Option(help="Where state and results go; some 15 GB.")] = Path("build/starter"),
    only: Annotated[list[str] | None, typer.Option(help="Only these parts, done or not; may be repeated.")] = None,
    again: Annotated[bool, typer.Option("--again", help="All parts, whatever is done already.")] = False,
    show_plan: Annotated[bool, typer.Option("--plan", help="Say what would be run and for how long.")] = False,
    smoke: Annotated[bool, typer.Option("--smoke", help="Tiny networks on the CPU: does everything run?")] = False,
) -> None:
    """Make the starter models again, from nothing."""
    every = parts(work_dir, smoke=smoke)
    unknown = sorted(set(only or ()) - {part.name for part in every})
    if unknown:
        raise typer.BadParameter(f"{unknown[0]} is no part; parts are {', '.join(part.name for part in every)}")
    chosen = [part for part in every if not only or part.name in only]
    if show_plan:
        print(plan(chosen))
        return
    for part in chosen:
        mark = work_dir / "done" / f"{part.name}{'-smoke' if smoke else ''}"
        if mark.exists() and not only and not again:
            print(f"== {part.name}: done already", flush=True)
            continue
        _run(part, mark)


if __name__ == "__main__":
    typer.run(main)
