"""Exit codes: several runs end with the first that is present, and messages are one printable line."""

from __future__ import annotations

import pytest

from stages.pipeline.errors import PRECEDENCE, ExitCode, StorageError, combined_exit_code, one_line


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ([], 0),
        ([0, 0], 0),
        ([0, 3], 3),
        ([3, 75], 75),
        ([75, 65], 65),
        ([65, 69], 69),
        ([69, 78], 78),
        ([78, 74], 74),
        ([74, 130], 130),
        ([130, 1, 3], 1),
        ([0, -9], 1),
        ([3, 42], 1),
    ],
)
def test_the_first_present_of_the_documented_order_wins(codes: list[int], expected: int) -> None:
    assert combined_exit_code(codes) == expected
    assert combined_exit_code(reversed(codes)) == expected


def test_every_code_but_success_has_its_place_in_the_order() -> None:
    assert set(PRECEDENCE) == set(ExitCode) - {ExitCode.DONE}
    documented = [1, 130, 74, 78, 69, 65, 75, 3]
    assert [code for code in PRECEDENCE if code in documented] == documented


def test_messages_are_one_printable_line_of_bounded_length() -> None:
    assert str(StorageError("a\nb\x1b[2J\u202ec")) == "a b\ufffd[2J\ufffdc"
    assert len(one_line("x" * 5000)) == 1000
