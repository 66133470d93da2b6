"""May this much memory be taken?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_utils import GPUMemoryShortage, GPUUnavailable, Reading, check_vram_availability
from gpu_utils import admission as admission_module
from gpu_utils.admission import decide_admission, default_reserve_bytes
from tests.gpu_utils.fakes import GIB, NO_DRIVER, FakeProbe, gpu, one, process


def test_a_foreign_process_counts_though_torch_cannot_see_it() -> None:
    crowded = one(gpu(free=4, processes=(process(4121, 19.5, "python train.py"),)))
    with pytest.raises(GPUMemoryShortage) as caught:
        check_vram_availability(14 * GIB, probe=crowded, next_step="stop it, or choose --profile 4gb")
    assert str(caught.value) == (
        "GPU 0 (NVIDIA GeForce RTX 4090) has 4.0 GiB free, 14.0 GiB needed (983 MiB kept in reserve); "
        "19.5 GiB is held by pid 4121 (python train.py): stop it, or choose --profile 4gb"
    )


def test_it_answers_instead_of_raising_when_asked_to() -> None:
    answer = check_vram_availability(14 * GIB, probe=one(gpu(free=4)), raise_on_shortage=False)
    assert not answer
    assert answer.available_bytes == 4 * GIB - answer.reserve_bytes
    assert check_vram_availability(14 * GIB, probe=one(gpu(free=20)))


@pytest.mark.parametrize(("total_gib", "reserve_mib"), [(4, 512), (12, 512), (16, 655), (24, 983), (80, 1024)])
def test_the_reserve_is_4_percent_within_bounds(total_gib: int, reserve_mib: int) -> None:
    assert default_reserve_bytes(total_gib * GIB) // 1024**2 == reserve_mib


def test_a_shortage_is_read_again_after_cleaning(monkeypatch: pytest.MonkeyPatch) -> None:
    cleaned: list[int] = []
    monkeypatch.setattr(admission_module, "force_cleanup", lambda: cleaned.append(1))
    probe = FakeProbe(Reading((gpu(free=4),)), Reading((gpu(free=20),)))
    assert check_vram_availability(14 * GIB, probe=probe)
    assert cleaned == [1]


def test_waiting_polls_until_memory_of_an_ended_process_is_back() -> None:
    probe = FakeProbe(*[Reading((gpu(free=4),))] * 4, Reading((gpu(free=20),)))
    assert check_vram_availability(14 * GIB, probe=probe, wait_seconds=10)
    assert probe.count == 5


def test_what_others_were_promised_is_not_available() -> None:
    assert not check_vram_availability(
        14 * GIB, probe=one(gpu(free=20)), promised_bytes=8 * GIB, raise_on_shortage=False
    )


def test_without_a_gpu_it_says_so_and_raises_nothing() -> None:
    answer = check_vram_availability(14 * GIB, probe=FakeProbe(NO_DRIVER))
    assert not answer
    assert answer.reason.startswith("no GPU (")


def test_a_lost_gpu_is_unavailable_not_full() -> None:
    with pytest.raises(GPUUnavailable, match="GPU is lost"):
        check_vram_availability(1, probe=one(gpu(problem="GPU is lost")))


def test_a_device_without_figures_shares_the_hosts_memory() -> None:
    shared = replace(gpu(), total_bytes=None, used_bytes=None, free_bytes=None)
    assert decide_admission(shared, 8 * GIB, host_available_bytes=10 * GIB)
    assert not decide_admission(shared, 8 * GIB, host_available_bytes=6 * GIB)


def test_negative_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        check_vram_availability(-1, probe=one(gpu()))


@given(free=st.floats(0, 24), more=st.floats(0, 24), needed=st.integers(0, 24 * GIB), promised=st.integers(0, 24 * GIB))
def test_more_free_memory_never_turns_yes_into_no(free: float, more: float, needed: int, promised: int) -> None:
    def fits(free_gib: float) -> bool:
        return decide_admission(
            gpu(total=48, free=free_gib), needed, host_available_bytes=0, promised_bytes=promised
        ).fits

    assert fits(free + more) or not fits(free)
