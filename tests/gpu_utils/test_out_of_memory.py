"""Which memory ran out."""

from __future__ import annotations

import errno
import subprocess
import sys

import pytest
import torch

from gpu_utils import MemoryKind, classify_out_of_memory, is_out_of_memory
from tests.gpu_utils.fakes import GIB

GPU, HOST = MemoryKind.GPU, MemoryKind.HOST


def accelerator_error(text: str, code: int) -> RuntimeError:
    error = torch.AcceleratorError(text)
    error.error_code = code  # type: ignore[attr-defined]
    return error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity of"), GPU),
        (RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"), GPU),
        (accelerator_error("CUDA error: whatever", 2), GPU),
        (accelerator_error("CUDA error: an illegal memory access was encountered", 700), None),
        (RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported"), GPU),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), GPU),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), GPU),
        (RuntimeError("Triton Error [CUDA]: out of memory"), GPU),
        (RuntimeError("HIP out of memory. Tried to allocate 2.00 GiB"), GPU),
        (MemoryError(), HOST),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), HOST),
        (
            RuntimeError("[enforce fail at alloc_cpu.cpp:118] err == 0. DefaultCPUAllocator: can't allocate memory"),
            HOST,
        ),
        (RuntimeError("unable to mmap 33 bytes from file: Cannot allocate memory (12)"), HOST),
        (OSError(errno.ENOSPC, "No space left on device"), None),
        (RuntimeError("out of resource: shared memory, Required: 131072"), None),
        (ValueError("CUDA out of memory is what the user typed"), None),
        (RuntimeError("expected scalar type Half but found Float"), None),
        (KeyboardInterrupt(), None),
    ],
)
def test_every_form_is_told_apart(error: BaseException, kind: MemoryKind | None) -> None:
    assert classify_out_of_memory(error) is kind


def test_a_cuda_error_while_the_gpu_has_room_is_pinned_host_memory() -> None:
    error = RuntimeError("CUDA error: out of memory")
    assert classify_out_of_memory(error, free_bytes=20 * GIB) is HOST
    assert classify_out_of_memory(error, free_bytes=GIB // 4) is GPU


def test_the_device_allocators_word_stands_whatever_is_free_by_now() -> None:
    error = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 90.00 GiB.")
    assert classify_out_of_memory(error, free_bytes=80 * GIB) is GPU


def test_a_cause_is_followed_and_a_context_is_not() -> None:
    wrapped = ValueError("loading failed")
    wrapped.__cause__ = MemoryError()
    assert is_out_of_memory(wrapped)
    unrelated = ValueError("a bug in the handler")
    unrelated.__context__ = MemoryError()
    assert not is_out_of_memory(unrelated)


def test_nothing_here_imports_torch() -> None:
    code = """
import sys, gpu_utils, gpu_utils.__main__
assert gpu_utils.is_out_of_memory(RuntimeError("CUDA error: out of memory"))
gpu_utils.log_vram_stats("x"); gpu_utils.force_cleanup(); gpu_utils.cleanup_model(None)
with gpu_utils.managed_execution("x", needed_bytes=1): pass
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
