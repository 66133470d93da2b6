"""Pressure follows free memory against the reserve, and does not flutter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_utils.pressure import Pressure, PressureGauge

RESERVE = 1000


def levels(*free: int | None) -> list[str]:
    gauge = PressureGauge(RESERVE)
    return [(gauge.update(bytes_), gauge.level.word)[1] for bytes_ in free]


def test_each_level_is_entered_at_its_share_of_the_reserve() -> None:
    assert levels(2000) == ["low"]
    assert levels(1999) == ["medium"]
    assert levels(999) == ["high"]
    assert levels(499) == ["critical"]


def test_a_level_is_left_only_well_above_where_it_was_entered() -> None:
    assert levels(499, 510, 624, 625, 1100, 1250, 2400, 2500) == [
        "critical", "critical", "critical", "high", "high", "medium", "medium", "low",
    ]  # fmt: skip


def test_a_fall_through_several_levels_is_one_change() -> None:
    gauge = PressureGauge(RESERVE)
    assert gauge.update(100) and gauge.level is Pressure.CRITICAL
    assert not gauge.update(110)


def test_a_driver_that_does_not_say_changes_nothing() -> None:
    gauge = PressureGauge(RESERVE)
    gauge.update(700)
    assert not gauge.update(None) and gauge.level is Pressure.HIGH


def test_without_a_reserve_there_is_nothing_to_measure_against() -> None:
    with pytest.raises(ValueError, match="must be positive"):
        PressureGauge(0)


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=30), st.integers(0, 5000), st.integers(0, 5000))
def test_with_the_same_past_less_free_memory_never_means_less_pressure(past: list[int], one: int, other: int) -> None:
    less, more = sorted((one, other))
    tight, easy = PressureGauge(RESERVE), PressureGauge(RESERVE)
    for free in past:
        tight.update(free)
        easy.update(free)
    tight.update(less)
    easy.update(more)
    assert tight.level >= easy.level
