"""Was this error out-of-memory, and of which memory? Answered with or without torch; imports nothing.

The remedies are opposite: a full GPU asks for more offload to the host, a full host for less.
"""

from __future__ import annotations

import errno
import re
import sys
from enum import StrEnum

from gpu_utils.sizes import GIB


class MemoryKind(StrEnum):
    """Which memory ran out; `host` includes pinned host memory."""

    GPU = "gpu"
    HOST = "host"


_CUDA_ERROR_MEMORY_ALLOCATION = 2  # cudaErrorMemoryAllocation

# Raised by PyTorch's caching allocator for the device: the GPU, whatever is free by now.
_ALLOCATOR = re.compile(
    r"(CUDA|HIP|XPU) out of memory\. Tried to allocate|out of memory trying to allocate", re.IGNORECASE
)
_HOST = re.compile(
    r"DefaultCPUAllocator|alloc_cpu\.cpp|cudaHostAlloc|cudaHostRegister|cudaMallocHost|pin(ned)?[ _]memory"
    r"|Cannot allocate memory|std::bad_alloc",
    re.IGNORECASE,
)
# Raised by the runtime, the driver or a library: the text is the same when pinned host memory ran out.
_RUNTIME = re.compile(
    r"\b(CUDA|HIP|Triton)\b.*\bout of memory|CUBLAS_STATUS_ALLOC_FAILED|CUDNN_STATUS_ALLOC_FAILED"
    r"|CUSOLVER_STATUS_ALLOC_FAILED|CUDA_ERROR_OUT_OF_MEMORY|cudaErrorMemoryAllocation|cuda runtime error \(2\)",
    re.IGNORECASE,
)
# What allocates beside PyTorch's allocator (contexts, graphs, library workspaces) stays below this.
_PLENTY_BYTES = GIB


def classify_out_of_memory(error: BaseException, *, free_bytes: int | None = None) -> MemoryKind | None:
    """The memory that ran out, or None when the error is anything else; an explicit `raise ... from` is followed.

    `free_bytes` is the GPU's free memory when the error came, if known: a CUDA "out of memory" that does not come from
    the device allocator while over 1 GiB of the GPU is free means pinned host memory (cudaHostAlloc says the same).
    """
    current: BaseException | None = error
    while current is not None:
        kind = _classify_one(current, free_bytes)
        if kind is not None:
            return kind
        current = current.__cause__
    return None


def is_out_of_memory(error: BaseException) -> bool:
    """Whether any memory ran out."""
    return classify_out_of_memory(error) is not None


def exit_suggests_host_memory(returncode: int) -> bool:
    """Whether a child that nobody killed on purpose was ended for host memory by the kernel (-9, in a shell 137)."""
    return returncode in (-9, 137)


def _classify_one(error: BaseException, free_bytes: int | None) -> MemoryKind | None:
    if isinstance(error, MemoryError):
        return MemoryKind.HOST
    if isinstance(error, OSError):
        return MemoryKind.HOST if error.errno == errno.ENOMEM else None
    if not isinstance(error, RuntimeError):
        return None
    text = str(error)
    torch = sys.modules.get("torch")
    if _ALLOCATOR.search(text):
        return MemoryKind.GPU
    if _HOST.search(text):
        return MemoryKind.HOST
    oom_type = getattr(torch, "OutOfMemoryError", None)
    accelerator_type = getattr(torch, "AcceleratorError", None)
    of_runtime = (
        (oom_type is not None and isinstance(error, oom_type))
        or (
            accelerator_type is not None
            and isinstance(error, accelerator_type)
            and getattr(error, "error_code", None) == _CUDA_ERROR_MEMORY_ALLOCATION
        )
        or _RUNTIME.search(text) is not None
    )
    if not of_runtime:
        return None
    return MemoryKind.HOST if free_bytes is not None and free_bytes > _PLENTY_BYTES else MemoryKind.GPU
