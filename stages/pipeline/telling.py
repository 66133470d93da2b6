"""One line to the person, on stderr. Never raises: the terminal may be gone, the log may lie on the disk that is full."""

from __future__ import annotations

import contextlib
import sys

from stages.pipeline.errors import one_line


def say(text: object) -> None:
    """Say `text` under the program's name, on one line and without control characters."""
    with contextlib.suppress(OSError):
        print(f"scene-relay: {one_line(str(text))}", file=sys.stderr, flush=True)  # noqa: T201
