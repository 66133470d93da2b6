"""What a part of the training may use, and what every part does first."""

import json
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from models.starter.training.images import shards, tokenizer
from models.starter.training.images.renders import Renderers

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")


@dataclass(frozen=True)
class Budget:
    """What a part may use."""

    work_dir: Path
    out_dir: Path
    minutes: float
    workers: int
    smoke: bool = False
    compile: bool = True

    @property
    def device(self) -> str:
        """The GPU, if there is one."""
        return "cuda" if torch.cuda.is_available() and not self.smoke else "cpu"

    @property
    def tokenizer_dir(self) -> Path:
        """Where the tokenizer of this training lives."""
        return self.work_dir / "tokenizer"


def prepare(budget: Budget) -> float:
    """Directories, fast arithmetic, the compiler's cache; returns the starting time."""
    started = time.monotonic()
    budget.work_dir.mkdir(parents=True, exist_ok=True)
    budget.out_dir.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(budget.work_dir / "compiled"))
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.benchmark = True
    torch.manual_seed(int(time.time()) % 100_000 if not budget.smoke else 0)
    print(f"device {budget.device}, torch {torch.__version__}", flush=True)
    return started


def ensure_tokenizer(budget: Budget, published: Path | None = None) -> None:
    """The tokenizer in the working directory: there already, or taken from a former output, or learned now."""
    if (budget.tokenizer_dir / "tokenizer.json").exists():
        return
    if published is not None:
        budget.tokenizer_dir.mkdir(parents=True, exist_ok=True)
        folder = published / "tokenizer" if shards.is_pipeline(published) else published
        for name in TOKENIZER_FILES:
            shutil.copy(folder / name, budget.tokenizer_dir / name)
    else:
        tokenizer.train(budget.tokenizer_dir, captions=2000 if budget.smoke else 40_000)


def start_renderers(budget: Budget, part: str, shares: dict[str, float] | None = None) -> Renderers:
    """Start the rendering processes of a part, in a folder of its name, so that two parts may run at the same time."""
    return Renderers(
        budget.work_dir / "renders" / part,
        budget.tokenizer_dir,
        workers=budget.workers,
        seed=f"{part}-{time.time_ns() % 10**9}",
        chunk_size=8 if budget.smoke else 192,
        shares=shares,
    )


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Figures as readable JSON."""
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
