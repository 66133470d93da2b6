"""The runner: starts stage processes in the order of the graph, watches them, and ends them when it is ended.

Never imports torch or a stage, and never holds a CUDA context. What a stage did is read from its exit code, its events and
the manifests it left.
"""

from __future__ import annotations

from stages.pipeline.runner.outcome import Outcome, exit_code_of
from stages.pipeline.runner.relay import Relay

__all__ = ["Outcome", "Relay", "exit_code_of"]
