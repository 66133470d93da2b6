"""`make starter`: both starter models again from nothing, on one GPU, part by part; 37 minutes of training on an H200.

    python -m models.starter.training --work-dir build/starter [--only PART ...] [--smoke]

Parts keep their state below the working directory, so each can be run alone: autoencoder, diffusion, diffusion-final, judge,
evaluate, text, assemble. Nothing is downloaded.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

PICTURES = "models.starter.training.images"
TEXT = "models.starter.training.text"


def commands(work_dir: Path, smoke: bool) -> dict[str, list[str]]:
    """The parts in order, each as the arguments of `python -m`. Minutes are those of the shipped models."""
    shards = work_dir / "shards"
    places = ["--work-dir", str(work_dir / "images"), "--out", str(shards / "images")]
    tiny = ["--smoke"] if smoke else []
    text_places = ["--work-dir", str(work_dir / "text"), "--out", str(shards / "text")]
    targets = (work_dir / "smoke-images", work_dir / "smoke-text") if smoke else (None, None)
    return {
        "autoencoder": [PICTURES, "autoencoder", *places, "--minutes", "8.5", *tiny],
        "diffusion": [PICTURES, "diffusion", *places, "--minutes", "8.9", *tiny],
        "diffusion-final": [PICTURES, "diffusion", *places, "--minutes", "9.3", "--final", *tiny],
        "judge": [PICTURES, "judge", *places, "--minutes", "3", *tiny],
        "evaluate": [PICTURES, "evaluate", *places, *tiny],
        "text": [TEXT, "train", *text_places, "--minutes", "9", "--total-minutes", "9", "--processes", "12", *tiny],
        "assemble": [PICTURES, "assemble", str(shards / "images"), *([str(targets[0])] if targets[0] else []), *tiny],
        "assemble-text": [
            TEXT,
            "assemble",
            "--out",
            str(shards / "text"),
            *(["--target", str(targets[1])] if targets[1] else []),
        ],
    }


def main(
    work_dir: Annotated[Path, typer.Option(help="Where state and results go; some 12 GB.")] = Path("build/starter"),
    only: Annotated[list[str] | None, typer.Option(help="Only these parts; may be repeated.")] = None,
    smoke: Annotated[bool, typer.Option("--smoke", help="Tiny networks on the CPU: does everything run?")] = False,
) -> None:
    """Make the starter models again, from nothing."""
    parts = commands(work_dir, smoke)
    unknown = sorted(set(only or ()) - set(parts))
    if unknown:
        raise typer.BadParameter(f"{unknown[0]} is no part; parts are {', '.join(parts)}")
    for name, arguments in parts.items():
        if only and name not in only:
            continue
        began = time.monotonic()
        print(f"== {name}", flush=True)
        done = subprocess.run([sys.executable, "-m", *arguments])
        if done.returncode:
            print(f"== {name} ended with exit code {done.returncode}", file=sys.stderr)
            raise typer.Exit(done.returncode)
        print(f"== {name}: {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    typer.run(main)
