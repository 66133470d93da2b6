"""What painting needs: the precision that "auto" means, the size of the work, and the strategies the painter can do."""

from __future__ import annotations

from collections.abc import Callable

from gpu_utils.activations import Work
from gpu_utils.checkpoints import Checkpoint
from gpu_utils.estimate import DryRun
from gpu_utils.fit import Model
from stages.images.families import strategies_of
from stages.pipeline.settings import DType


def dtype_on(device: str, dtype: DType) -> str:
    """The precision that "auto" means: bfloat16 on a GPU, float32 on a CPU."""
    if dtype != "auto":
        return dtype
    return "float32" if device == "cpu" else "bfloat16"


def model_to_place(
    checkpoint: Checkpoint,
    dtype: DType,
    width: int,
    height: int,
    steps: int = 1,
    simulate: Callable[[Checkpoint, Work, str], DryRun | None] | None = None,
) -> Model:
    """The pipeline at work on one picture at a time; sizes in pixels. `simulate` may know the decoder better than a formula."""
    work, on_gpu, on_cpu = Work("picture", width, height, steps=steps), dtype_on("cuda", dtype), dtype_on("cpu", dtype)
    dry_run = simulate(checkpoint, work, on_gpu) if simulate else None
    return Model(checkpoint, work, on_gpu, on_cpu, dry_run, strategies_of(checkpoint.class_name))
