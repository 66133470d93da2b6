"""After a GPU stage the runner looks at that stage's GPU, waits, and says what stayed; other GPUs are others' business."""

from __future__ import annotations

import dataclasses
from functools import partial

import pytest

from gpu_utils.baseline import wait_until_returned
from gpu_utils.probe import Reading
from stages.pipeline.events import read_events
from stages.pipeline.run_directory import RunDirectory
from stages.pipeline.runner import Relay, relay
from stages.pipeline.runner.child import Child
from stages.pipeline.runner.display import Display
from stages.pipeline.runner.timeline import MemoryTimeline
from tests.gpu_utils.fakes import GIB, FakeProbe, gpu, process


@pytest.fixture
def ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of two GPUs of which stages use the first."""
    device = gpu(uuid="GPU-ours", free=20)
    monkeypatch.setattr(relay, "select_device", lambda: (device, None))


def reaped(run: RunDirectory, monkeypatch: pytest.MonkeyPatch, after: Reading) -> tuple[Relay, Child]:
    driver = FakeProbe(after)
    at_once = partial(wait_until_returned, probe=driver, timeout_seconds=0)
    monkeypatch.setattr(relay, "wait_until_returned", at_once)
    made = Relay([(run, run.read_topic())], Display(many=False), MemoryTimeline(probe=driver))
    child = Child.__new__(Child)
    child.stage, child.runs, child._in_hand = "images", (run,), run
    child.baseline = relay._stage_device()
    return made, child


@pytest.mark.usefixtures("ours")
def test_what_stays_on_the_stages_gpu_is_measured_named_and_told(
    pristine: RunDirectory, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    after = Reading((gpu(uuid="GPU-ours", free=17, processes=(process(7, 3, "python x.py"),)),))
    made, child = reaped(pristine, monkeypatch, after)
    returned = made._memory_returned(child)
    assert returned is not None and not returned.back and returned.over_bytes == 3 * GIB
    assert "3.0 GiB more than before" in capsys.readouterr().err
    (event,) = [event for event in read_events(pristine.events_path) if event["event"] == "memory_returned"][-1:]
    assert event["back"] is False and event["over_bytes"] == 3 * GIB and event["stage"] == "images"


@pytest.mark.usefixtures("ours")
def test_a_neighbour_on_another_gpu_is_not_counted(pristine: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    after = Reading((gpu(uuid="GPU-ours", free=20), gpu(1, uuid="GPU-theirs", free=1)))
    made, child = reaped(pristine, monkeypatch, after)
    returned = made._memory_returned(child)
    assert returned is not None and returned.back and returned.uuid == "GPU-ours"


def test_without_a_gpu_there_is_nothing_to_wait_for(pristine: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "select_device", lambda: (None, "no driver"))
    made, child = reaped(pristine, monkeypatch, Reading())
    assert dataclasses.asdict(child.baseline)["devices"] == ()
    assert made._memory_returned(child) is None
