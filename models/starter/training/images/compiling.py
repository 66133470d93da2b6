"""The denoiser is compiled in a process of its own, beside a training, into the working directory's compiler cache."""

import os
import subprocess
import sys
from pathlib import Path

from models.starter.training.images import diffusion
from models.starter.training.images.budget import Budget, prepare


def compiled_mark(work_dir: Path) -> Path:
    """The file that says that the compiler's cache holds the denoiser."""
    return work_dir / "compiled" / "denoiser.done"


def compile_ahead(work_dir: Path) -> None:
    """Compile the denoiser beside a training and leave the result in the working directory's cache."""
    os.nice(5)
    prepare(Budget(work_dir, work_dir, 0, 0))
    diffusion.warm_compile(diffusion.Settings(device="cuda", seconds=0))
    mark = compiled_mark(work_dir)
    mark.parent.mkdir(parents=True, exist_ok=True)  # TORCHINDUCTOR_CACHE_DIR may have put the cache elsewhere
    mark.touch()


def start_compiling(budget: Budget) -> "subprocess.Popen[bytes] | None":
    """A process that fills the compiler's cache, unless it is filled or there is nothing to compile for."""
    if not budget.compile or budget.device != "cuda" or compiled_mark(budget.work_dir).exists():
        return None
    program = [sys.executable, "-m", "models.starter.training.images", "compile-ahead"]
    return subprocess.Popen([*program, "--work-dir", str(budget.work_dir)])


def stop_compiling(process: "subprocess.Popen[bytes] | None", seconds: float) -> None:
    """Wait that long for the process, then end it."""
    if process is None:
        return
    try:
        process.wait(max(0.1, seconds))
    except subprocess.TimeoutExpired:
        process.terminate()
        process.wait()
        print("compiling ahead was not finished", flush=True)
