"""The memory timeline is bounded, survives torn lines and a full disk, and speaks the words of the stats."""

from __future__ import annotations

from pathlib import Path

from gpu_utils.probe import Reading
from gpu_utils.recorder import Recorder, device_words, read_samples
from tests.gpu_utils.fakes import GIB, gpu


def test_a_device_is_written_with_what_the_driver_says() -> None:
    words = device_words(Reading((gpu(uuid="GPU-1", total=24, free=20),)))
    assert words == {"GPU-1": {"total_bytes": 24 * GIB, "used_bytes": 4 * GIB, "free_bytes": 20 * GIB}}


def test_a_night_takes_no_more_room_than_its_bound_and_keeps_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "vram.jsonl"
    recorder = Recorder(path, period_seconds=0.0, max_bytes=4000)
    recorder.period_seconds = 0.1
    for number in range(2000):
        recorder.write({"number": number})
        assert path.stat().st_size < 4100
    numbers = [sample["number"] for sample in read_samples(path)]
    assert numbers[0] == 0 and numbers[-1] == 1999
    assert numbers == sorted(numbers) and len(numbers) > 30
    assert recorder.period_seconds > 0.1


def test_samples_are_due_one_period_apart(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "vram.jsonl", period_seconds=3600)
    assert recorder.due()
    recorder.write({})
    assert not recorder.due()


def test_a_torn_line_costs_itself_only(tmp_path: Path) -> None:
    path = tmp_path / "vram.jsonl"
    path.write_bytes(b'{"at": 1}\n{"at": 2, "gp\n[3]\n{"at": 4}\n')
    assert [sample["at"] for sample in read_samples(path)] == [1, 4]
    assert list(read_samples(tmp_path / "none.jsonl")) == []


def test_a_file_that_cannot_be_written_disturbs_nobody(tmp_path: Path) -> None:
    Recorder(tmp_path / "no" / "such" / "directory.jsonl").write({"number": 1})
    assert list(tmp_path.iterdir()) == []
