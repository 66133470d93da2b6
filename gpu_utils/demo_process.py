"""The demonstration's worker: `command bytes` lines in, one JSON line of this process's memory out for each.

Its models hold random weights in real layers, and a reference cycle, as careless code has.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from gpu_utils.cleanup import cleanup_model


def main() -> None:
    """Answer until end of file, then leave at once: the exit gives everything back."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints must not mix with the answers
    import torch

    model: Any = None
    for line in sys.stdin:
        command, model_bytes = line.split()
        if not torch.cuda.is_available():
            answer: dict[str, object] = {"problem": f"torch {torch.__version__} finds no GPU it can use"}
        else:
            if command == "cleanup":
                cleanup_model(model)  # `model` itself is kept on purpose: a husk holds nothing
            elif command == "context":
                cleanup_model(_build(torch, "language", 1))
                cleanup_model(_build(torch, "image", 1))
            else:
                model = _build(torch, command, int(model_bytes))
            torch.cuda.synchronize()
            answer = {
                "allocated_bytes": torch.cuda.memory_allocated(),
                "reserved_bytes": torch.cuda.memory_reserved(),
            }
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
    os._exit(0)


def _build(torch: Any, kind: str, model_bytes: int) -> Any:
    """A model of at least one layer and about `model_bytes`, in bfloat16 on the GPU, used once."""
    nn = torch.nn
    if kind == "language":
        width = 4096

        def layer() -> Any:
            return nn.Linear(width, width, bias=False, device="cuda", dtype=torch.bfloat16)

        sample = torch.randn(8, width, device="cuda", dtype=torch.bfloat16)
    else:
        width = 1024

        def layer() -> Any:
            return nn.Conv2d(width, width, 3, padding=1, bias=False, device="cuda", dtype=torch.bfloat16)

        sample = torch.randn(1, width, 32, 32, device="cuda", dtype=torch.bfloat16)
    layers = [layer()]
    layer_bytes = layers[0].weight.numel() * layers[0].weight.element_size()
    layers += [layer() for _ in range(model_bytes // layer_bytes - 1)]
    model = nn.Sequential(*layers)
    model.cycle = [model, layers]
    with torch.inference_mode():
        model.last_output = model(sample)
    return model


if __name__ == "__main__":
    main()
