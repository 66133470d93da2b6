"""How much GPU memory each strategy needs at its peak, from headers and configs alone.

Calibrated with a pipeline of FLUX.1's size (33.7 GB in bfloat16, 1024x1024, one H200, November 2026): 36.3 GiB measured with
all weights resident, 5.8 GiB with weights streamed leaf by leaf.
"""

from __future__ import annotations

from gpu_utils.sizes import MIB
from stages.images.checkpoint import Checkpoint
from stages.pipeline.settings import DType

CONTEXT_BYTES = 512 * MIB  # the CUDA context and what libraries allocate for themselves
BYTES_PER_ELEMENT = {"float32": 4, "bfloat16": 2, "float16": 2}
# Decoding makes the peak: this many tensors of picture size with the channels of the VAE's last block, measured.
DECODER_TENSORS = 18
DEFAULT_DECODER_CHANNELS = 128


def dtype_on(device: str, dtype: DType) -> str:
    """The precision that "auto" means: bfloat16 on a GPU, float32 on a CPU."""
    if dtype != "auto":
        return dtype
    return "float32" if device == "cpu" else "bfloat16"


def weight_bytes(checkpoint: Checkpoint, dtype: str) -> int:
    """All weights in the given precision."""
    per_element = BYTES_PER_ELEMENT[dtype]
    return sum(part.floating_elements * per_element + part.fixed_bytes for part in checkpoint.components)


def activation_bytes(checkpoint: Checkpoint, dtype: str, width: int, height: int) -> int:
    """What painting one picture takes beside the weights."""
    blocks = checkpoint.config("vae").get("block_out_channels")
    channels = blocks[0] if isinstance(blocks, list) and blocks else DEFAULT_DECODER_CHANNELS
    return DECODER_TENSORS * int(channels) * BYTES_PER_ELEMENT[dtype] * width * height


def needed_bytes(checkpoint: Checkpoint, strategy: str, dtype: str, width: int, height: int) -> int:
    """The peak of "full" (all weights resident) or "offload" (two leaves at a time); 0 for "cpu"."""
    if strategy == "cpu":
        return 0
    if strategy == "offload":
        largest = max((part.largest_elements for part in checkpoint.components), default=0)
        weights = 2 * largest * BYTES_PER_ELEMENT[dtype]
    else:
        weights = weight_bytes(checkpoint, dtype)
    return weights + activation_bytes(checkpoint, dtype, width, height) + CONTEXT_BYTES
