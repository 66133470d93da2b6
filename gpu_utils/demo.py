"""The demonstration: a "language model", then an "image model", and nothing left behind.

Once in one process that cleans up between them, once in two processes, one after the other. This process makes no CUDA
context: it starts the others (`demo_process`), tells them what to do, and reads the device through NVML meanwhile.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gpu_utils.admission import check_vram_availability
from gpu_utils.devices import select_device
from gpu_utils.environment import environment_additions
from gpu_utils.errors import GPUError, GPUUnavailable
from gpu_utils.probe import Probe
from gpu_utils.sizes import GIB, MIB, format_bytes

# In a living process: library workspaces (in torch's words), and kernels loaded on first use (in the driver's).
ALLOCATED_TOLERANCE_BYTES = 64 * MIB
IN_PROCESS_TOLERANCE_BYTES = 256 * MIB
AFTER_EXIT_TOLERANCE_BYTES = 50 * MIB
_ANSWER_SECONDS = 180.0  # importing torch from a cold disk takes most of a minute
_SETTLE_SECONDS = 5.0  # for the driver to take back the memory of a process that has ended


@dataclass(frozen=True)
class DemoRow:
    """One moment: the device's used bytes, the process's allocated and reserved; `over_bytes` stayed too much."""

    part: str
    moment: str
    used_bytes: int
    allocated_bytes: int | None
    reserved_bytes: int | None
    over_bytes: int = 0


def run_demo(model_bytes: int, device: object = None, probe: Probe | None = None) -> list[DemoRow]:
    """Run both parts on `device` with models of `model_bytes` each; a row with `over_bytes` > 0 is a failure.

    Raises `GPUUnavailable` without a GPU that torch can use, `GPUMemoryShortage` where the models would not fit.
    """
    admission = check_vram_availability(model_bytes + 2 * GIB, device, probe=probe)
    if admission.device is None:
        raise GPUUnavailable(f"the demonstration needs an NVIDIA GPU: {admission.reason}")
    uuid = admission.device.uuid
    rows = list(_one_process(uuid, model_bytes, probe))
    return rows + list(_two_processes(uuid, model_bytes, probe))


def _one_process(uuid: str, model_bytes: int, probe: Probe | None) -> Iterator[DemoRow]:
    part = "one process"
    baseline_bytes = _used_bytes(uuid, probe)
    yield DemoRow(part, "baseline", baseline_bytes, None, None)
    with _worker(uuid) as ask:
        # Its own context, libraries and first kernels are the price of a living process, so they are the baseline here.
        empty = ask("context", model_bytes)
        with_context_bytes = _used_bytes(uuid, probe)
        yield _row(part, "context only", with_context_bytes, empty)
        for model in ("language", "image"):
            answer = ask(model, model_bytes)
            yield _row(part, f"{model} model loaded", _used_bytes(uuid, probe), answer)
            answer = ask("cleanup", model_bytes)
            used_bytes = _used_bytes(uuid, probe)
            over_bytes = max(
                _excess(answer["allocated_bytes"], empty["allocated_bytes"] + ALLOCATED_TOLERANCE_BYTES),
                _excess(used_bytes, with_context_bytes + IN_PROCESS_TOLERANCE_BYTES),
            )
            yield _row(part, f"{model} model cleaned up", used_bytes, answer, over_bytes)
    yield _after_exit(part, "after exit", baseline_bytes, uuid, probe)


def _two_processes(uuid: str, model_bytes: int, probe: Probe | None) -> Iterator[DemoRow]:
    part = "two processes"
    baseline_bytes = _used_bytes(uuid, probe)
    yield DemoRow(part, "baseline", baseline_bytes, None, None)
    for model in ("language", "image"):
        with _worker(uuid) as ask:
            answer = ask(model, model_bytes)
            yield _row(part, f"{model} model loaded", _used_bytes(uuid, probe), answer)
        yield _after_exit(part, f"after the {model} process's exit", baseline_bytes, uuid, probe)


def _row(part: str, moment: str, used_bytes: int, answer: dict[str, int], over_bytes: int = 0) -> DemoRow:
    return DemoRow(part, moment, used_bytes, answer["allocated_bytes"], answer["reserved_bytes"], over_bytes)


def _after_exit(part: str, moment: str, baseline_bytes: int, uuid: str, probe: Probe | None) -> DemoRow:
    allowed_bytes = baseline_bytes + AFTER_EXIT_TOLERANCE_BYTES
    deadline = time.monotonic() + _SETTLE_SECONDS
    while (used_bytes := _used_bytes(uuid, probe)) > allowed_bytes and time.monotonic() < deadline:
        time.sleep(0.05)
    return DemoRow(part, moment, used_bytes, None, None, _excess(used_bytes, allowed_bytes))


def _used_bytes(uuid: str, probe: Probe | None) -> int:
    device, _ = select_device(uuid, probe=probe)
    if device is None or device.used_bytes is None:
        raise GPUUnavailable(f"the driver does not say how much memory of {uuid} is used: there is nothing to compare")
    return device.used_bytes


def _excess(value_bytes: int, allowed_bytes: int) -> int:
    return max(0, value_bytes - allowed_bytes)


@contextmanager
def _worker(uuid: str) -> Iterator[Any]:
    """A process with the GPU to itself, as a function (command, bytes) -> its allocated and reserved bytes."""
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": uuid}
    environment |= environment_additions(environment)
    here = str(Path(__file__).resolve().parent.parent)
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [here, environment.get("PYTHONPATH")]))
    process = subprocess.Popen(
        [sys.executable, "-m", "gpu_utils.demo_process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    stdin, stdout = process.stdin, process.stdout

    def ask(command: str, model_bytes: int) -> dict[str, Any]:
        try:
            stdin.write(f"{command} {model_bytes}\n".encode())
            stdin.flush()
            ready, _, _ = select.select([stdout], [], [], _ANSWER_SECONDS)
            line = stdout.readline() if ready else b""
        except BrokenPipeError:
            line = b""
        if not line:
            raise GPUError(f"the demonstration's process did not answer to `{command}`; its own words are above")
        answer: dict[str, Any] = json.loads(line)
        if "problem" in answer:
            raise GPUUnavailable(f"the demonstration cannot run: {answer['problem']}")
        return answer

    try:
        yield ask
        stdin.close()  # end of file is the worker's signal to exit
        process.wait(timeout=60)
    finally:
        process.kill()
        process.wait()
        stdout.close()
        if not stdin.closed:
            stdin.close()


def stayed(rows: list[DemoRow]) -> str | None:
    """What stayed, in one line, or None."""
    worst = max(rows, key=lambda row: row.over_bytes)
    if not worst.over_bytes:
        return None
    return f"{format_bytes(worst.over_bytes)} more than allowed stayed: {worst.part}, {worst.moment}"
