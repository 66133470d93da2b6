"""The gate: a stage that was started early waits here, without a CUDA context, until its predecessor is gone.

The runner holds the writing end of a pipe. One byte opens the gate; a runner that dies closes the pipe, which does not.
Run by hand there is no gate.
"""

from __future__ import annotations

import os

from stages.pipeline.errors import Interrupted
from stages.pipeline.wires import GATE_DESCRIPTOR


def is_closed() -> bool:
    """Whether a runner started this process early and will open a gate for it."""
    return os.environ.get(GATE_DESCRIPTOR, "").isdigit()


def wait() -> None:
    """Block until the runner opens the gate. Raises Interrupted when it never will."""
    descriptor = int(os.environ.pop(GATE_DESCRIPTOR))
    try:
        opened = os.read(descriptor, 1)
    finally:
        os.close(descriptor)
    if not opened:
        raise Interrupted("the gate was closed for good: what comes before this stage did not finish")
