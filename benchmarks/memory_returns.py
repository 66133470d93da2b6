"""Does the GPU's memory come back? One run's stages again and again, and the device's memory after every process.

    python -m benchmarks.memory_returns [--cycles 20] [--profile starter] [--stages scenes,images] [--json FILE]

The baseline is read before the first cycle, the device's memory through NVML, without a CUDA context of our own. On a
machine without a GPU it says so and ends with 75.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks import machine
from gpu_utils import select_device
from stages.pipeline.manifests import STAGES

TOLERANCE_BYTES = 50 * 2**20
WAIT_SECONDS = 1.0
POLL_SECONDS = 0.02
PER_SCENE = ("scenes", "audio", "images")


def used_bytes() -> int | None:
    """Memory in use on CUDA's first visible GPU, all processes together."""
    device, _ = select_device()
    return device.used_bytes if device else None


def seconds_until(baseline: int) -> tuple[float, int]:
    """Seconds until the device is back at its baseline (within the tolerance), and what it then holds."""
    began = time.monotonic()
    while True:
        used = used_bytes() or 0
        waited = time.monotonic() - began
        if abs(used - baseline) <= TOLERANCE_BYTES or waited > WAIT_SECONDS:
            return round(waited, 3), used
        time.sleep(POLL_SECONDS)


def main(
    cycles: Annotated[int, typer.Option(help="How often the run is made.")] = 20,
    profile: Annotated[str, typer.Option(help="Which models.")] = "starter",
    stages: Annotated[str, typer.Option(help="Stages to run, in order.")] = ",".join(STAGES),
    as_json: Annotated[Path | None, typer.Option("--json", help="Also write the figures here.")] = None,
) -> None:
    """Measure and print; exit code 1 when memory stayed."""
    baseline = used_bytes()
    if baseline is None:
        print("no GPU on this machine: nothing to measure", file=sys.stderr)
        raise typer.Exit(75)
    names = stages.split(",")
    figures: dict[str, Any] = {"machine": machine.describe(), "baseline_bytes": baseline, "rows": []}
    with tempfile.TemporaryDirectory(prefix="scene-relay-cycles-") as output:
        topic = ["Cyberpunk Tokyo", "--scenes", "1", "--seed", "1", "--profile", profile, "--output", output]
        run = Path(call(["new", *topic]).strip())
        for stage in names:
            call([], module=f"stages.{stage}", run=str(run))
        for cycle in range(1, cycles + 1):
            for stage in names:
                figures["rows"].append({"cycle": cycle, **one_stage(run, stage, baseline)})
            if as_json:  # after every cycle: a machine that is taken away keeps what was measured
                as_json.write_text(json.dumps(figures, indent=2) + "\n")
    print(machine.line(figures["machine"]))
    for stage in names:
        print(summary(stage, [row for row in figures["rows"] if row["stage"] == stage]))
    worst = max(abs(row["over_baseline_bytes"]) for row in figures["rows"])
    print(f"limit: {TOLERANCE_BYTES / 2**20:.0f} MiB within {WAIT_SECONDS:.0f} s")
    raise typer.Exit(0 if worst <= TOLERANCE_BYTES else 1)


def one_stage(run: Path, stage: str, baseline: int) -> dict[str, Any]:
    """Make the stage's first scene again in a process of its own, and see when the device is back at its baseline."""
    began = time.monotonic()
    only = ["--scene", "01"] if stage in PER_SCENE else []
    call([*only, "--force"], module=f"stages.{stage}", run=str(run))
    seconds = time.monotonic() - began
    waited, used = seconds_until(baseline)
    return {
        "stage": stage,
        "seconds": round(seconds, 2),
        "peak_gpu_bytes": peak_gpu_bytes(run, stage),
        "over_baseline_bytes": used - baseline,
        "back_after_seconds": waited,
    }


def summary(stage: str, rows: list[dict[str, Any]]) -> str:
    """One line for a stage over all cycles."""
    return (
        f"{stage:7} {len(rows)} times, median {sorted(row['seconds'] for row in rows)[len(rows) // 2]:.2f} s, "
        f"peak on the GPU {max((row['peak_gpu_bytes'] or 0) for row in rows) / 2**20:.0f} MiB, "
        f"worst from baseline {max(abs(row['over_baseline_bytes']) for row in rows) / 2**20:.1f} MiB, "
        f"back after at most {max(row['back_after_seconds'] for row in rows):.2f} s"
    )


def call(arguments: list[str], module: str = "stages", run: str | None = None) -> str:
    """Run a process of this project and give its stdout; a failure shows its stderr and ends the measurement."""
    command = [sys.executable, "-m", module, *arguments, *([run] if run else [])]
    done = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ))
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        raise typer.Exit(done.returncode)
    return done.stdout


def peak_gpu_bytes(run: Path, stage: str) -> int | None:
    """The allocator's own peak, from the stage's manifest."""
    manifest = run / f"{STAGES.index(stage) + 1}_{stage}.json"
    peak = json.loads(manifest.read_bytes())["measured"]["peak_gpu_bytes"]
    return int(peak) if peak is not None else None


if __name__ == "__main__":
    typer.run(main)
