"""The demonstration's verdict, with a worker and a device that say what the test needs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gpu_utils import GPUError, GPUUnavailable, Reading
from gpu_utils import demo as demo_module
from gpu_utils.demo import run_demo, stayed
from tests.gpu_utils.fakes import GIB, FakeProbe, gpu

WORKER = """#!{python}
import json, sys
for line in sys.stdin:
    command = line.split()[0]
    if {mode!r} == "dies":
        sys.exit(1)
    if {mode!r} == "no GPU":
        print(json.dumps({{"problem": "torch finds no GPU"}}), flush=True)
        continue
    kept = 4 * 1024**3 if command in ("language", "image") or ({mode!r} == "leaks" and command == "cleanup") else 0
    print(json.dumps({{"allocated_bytes": kept, "reserved_bytes": kept}}), flush=True)
"""


@pytest.fixture(params=["clean"])
def worker(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    script = tmp_path / "worker"
    script.write_text(WORKER.format(python=sys.executable, mode=request.param))
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    monkeypatch.setattr(demo_module, "_SETTLE_SECONDS", 0.1)
    yield request.param


def device_using(gib: float) -> Reading:
    return Reading((replace(gpu(total=24, free=24 - gib)),))


def test_a_worker_that_gives_everything_back_passes(worker: str) -> None:
    rows = run_demo(4 * GIB, probe=FakeProbe(device_using(1)))
    assert stayed(rows) is None
    assert [row.moment for row in rows if row.part == "two processes"] == [
        "baseline",
        "language model loaded",
        "after the language process's exit",
        "image model loaded",
        "after the image process's exit",
    ]


@pytest.mark.parametrize("worker", ["leaks"], indirect=True)
def test_tensors_that_survive_the_cleanup_are_a_failure(worker: str) -> None:
    assert "3.9 GiB more than allowed stayed: one process, language model cleaned up" in str(
        stayed(run_demo(4 * GIB, probe=FakeProbe(device_using(1))))
    )


def test_memory_that_survives_the_exit_is_a_failure(worker: str) -> None:
    # admission, baseline, context, (load, cleanup) twice, then after the exit
    probe = FakeProbe(*[device_using(1)] * 7, device_using(3))
    assert "one process, after exit" in str(stayed(run_demo(4 * GIB, probe=probe)))


@pytest.mark.parametrize(("worker", "error"), [("dies", GPUError), ("no GPU", GPUUnavailable)], indirect=["worker"])
def test_a_worker_that_cannot_work_is_one_error(worker: str, error: type[GPUError]) -> None:
    with pytest.raises(error):
        run_demo(4 * GIB, probe=FakeProbe(device_using(1)))
