"""The logged words, host memory, the frame around a piece of work, the environment of a child, the command line."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gpu_utils import (
    GPUMemoryShortage,
    Reading,
    VRAMContext,
    environment_additions,
    get_vram_stats,
    log_vram_stats,
    managed_execution,
)
from gpu_utils import execution as execution_module
from gpu_utils.demo import DemoRow, stayed
from gpu_utils.host_memory import HostMemory, cgroup_available_bytes, read_host_memory
from gpu_utils.stats import AllocatorStats, VRAMStats
from tests.gpu_utils.fakes import GIB, NO_DRIVER, FakeProbe, gpu, one


def test_the_log_line_has_the_drivers_and_the_hosts_words(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    stats = log_vram_stats("images: after load", probe=one(gpu(free=4)))
    (line,) = [record.message for record in caplog.records]
    assert line.startswith(
        "images: after load: GPU 0 (NVIDIA GeForce RTX 4090) used 20.0 GiB of 24.0 GiB, 4.0 GiB free; host "
    )
    assert stats.allocator is None


def test_without_a_gpu_stats_say_so_and_give_host_memory() -> None:
    stats = get_vram_stats(probe=FakeProbe(NO_DRIVER))
    assert str(stats).startswith(f"no GPU ({NO_DRIVER.problem}); host ")
    assert stats.host.peak_rss_bytes >= stats.host.rss_bytes > 0


def test_a_driver_that_fails_never_ends_a_program_that_only_wanted_to_log() -> None:
    stats = get_vram_stats(7, probe=FakeProbe(Reading(problem="mismatch", fault=True)))
    assert stats.device is None
    assert "mismatch" in str(stats)


def test_host_memory_is_what_the_tightest_control_group_leaves(tmp_path: Path) -> None:
    inner = tmp_path / "user" / "job"
    inner.mkdir(parents=True)
    for place, limit, used in ((tmp_path / "user", "4000", "3000"), (inner, "max", "900")):
        (place / "memory.max").write_text(limit + "\n")
        (place / "memory.current").write_text(used + "\n")
    (tmp_path / "user" / "memory.stat").write_text("anon 5\ninactive_file 300\nactive_file 200\n")
    assert cgroup_available_bytes("0::/user/job\n", tmp_path) == 1500
    assert cgroup_available_bytes("0::/\n", tmp_path) is None
    old = tmp_path / "memory" / "job"
    old.mkdir(parents=True)
    (old / "memory.limit_in_bytes").write_text("700")
    (old / "memory.usage_in_bytes").write_text("900")
    assert cgroup_available_bytes("4:cpu,memory:/job\n0::/\n", tmp_path) == 0


def test_the_peak_is_this_programs_and_not_its_parents() -> None:
    held = bytearray(300 * 1024**2)
    code = "from gpu_utils.host_memory import read_host_memory; print(read_host_memory().peak_rss_bytes)"
    child = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert int(child.stdout) < 150 * 1024**2 < len(held) <= read_host_memory().peak_rss_bytes


def stats_of(allocated_bytes: int) -> VRAMStats:
    return VRAMStats(gpu(), AllocatorStats(allocated_bytes, allocated_bytes, 0, 0), HostMemory(1, 1, 1))


def test_what_stays_after_cleanup_is_said_aloud(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    readings = iter([stats_of(0), stats_of(4 * GIB), stats_of(4 * GIB)])
    monkeypatch.setattr(execution_module, "log_vram_stats", lambda label, **options: next(readings))
    with VRAMContext("images") as memory:
        pass
    assert memory.stayed_bytes == 4 * GIB
    assert "images: 4.0 GiB stayed" in caplog.text


def test_an_error_in_the_work_is_not_hidden_by_an_error_in_the_cleanup(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> int:
        raise RuntimeError("CUDA error: device-side assert triggered")

    monkeypatch.setattr(execution_module, "force_cleanup", fail)
    with pytest.raises(KeyError), managed_execution("images", probe=one(gpu())):
        raise KeyError
    with pytest.raises(RuntimeError, match="device-side"), managed_execution("images", probe=one(gpu())):
        pass


def test_managed_execution_refuses_before_anything_is_loaded_and_works_without_a_gpu() -> None:
    with pytest.raises(GPUMemoryShortage):
        managed_execution("images", needed_bytes=30 * GIB, probe=one(gpu()))
    with managed_execution("images", needed_bytes=30 * GIB, probe=FakeProbe(NO_DRIVER)) as memory:
        pass
    assert memory.stayed_bytes == memory.given_back_bytes == 0


@pytest.mark.parametrize(
    ("environment", "allocator"),
    [
        ({}, {"PYTORCH_ALLOC_CONF": "expandable_segments:True"}),
        ({"PYTORCH_CUDA_ALLOC_CONF": "max_split_size_mb:64"}, {}),
        ({"PYTORCH_ALLOC_CONF": ""}, {}),
        ({"PYTORCH_ALLOC_CONF": "a:1", "PYTORCH_CUDA_ALLOC_CONF": "a:1"}, {}),
    ],
)
def test_the_allocator_is_set_under_one_name_and_never_over_a_persons_own(
    environment: dict[str, str], allocator: dict[str, str]
) -> None:
    before = dict(environment)
    additions = environment_additions(environment)
    assert {name: value for name, value in additions.items() if "ALLOC" in name} == allocator
    assert additions["PYTORCH_NVML_BASED_CUDA_CHECK"] == "1"
    assert environment == before
    assert environment_additions({**environment, **additions}) == {}


def command_line(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.run(
        [sys.executable, "-m", "gpu_utils", *arguments],
        capture_output=True,
        text=True,
        env=environment,
        cwd=Path(__file__).parents[2],
        timeout=60,
    )


def test_help_imports_no_torch() -> None:
    program = "import runpy, sys; sys.argv[1:] = ['--help']\ntry: runpy.run_module('gpu_utils', run_name='__main__')\n"
    program += "finally: print('HEAVY', [name for name in ('torch', 'transformers', 'numpy') if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=Path(__file__).parents[2], check=False
    )
    assert done.stdout.rstrip().endswith("HEAVY []"), done.stdout[-200:] + done.stderr[-500:]


def test_status_is_json_for_a_program() -> None:
    answer = json.loads(command_line("status", "--json").stdout)
    assert answer["host"]["available_bytes"] > 0
    assert isinstance(answer["devices"], list)


def test_the_demonstration_without_a_gpu_is_one_line_and_75() -> None:
    done = command_line("demo")
    assert done.returncode == 75
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "needs an NVIDIA GPU" in done.stderr


def test_the_demonstration_names_what_stayed() -> None:
    fine, bad = DemoRow("one process", "baseline", 1, None, None), DemoRow("one process", "after exit", 1, 1, 1, GIB)
    assert stayed([fine]) is None
    assert stayed([fine, bad]) == "1.0 GiB more than allowed stayed: one process, after exit"
