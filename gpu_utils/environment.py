"""What a child's environment needs before it imports torch; changes nothing itself, and never what a person has set."""

from __future__ import annotations

from collections.abc import Mapping

# Today's name and the older one: exactly one may be set, or which of them counts depends on the version of torch.
ALLOCATOR_VARIABLES = ("PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF")


def environment_additions(environment: Mapping[str, str]) -> dict[str, str]:
    """Variables to add to `environment` for a process that will use a GPU; those already there are left alone.

    - the allocator grows segments in place instead of fragmenting (under exactly one of its two names);
    - `torch.cuda.is_available()`, which transformers and diffusers call on import, asks NVML and makes no CUDA context;
    - CUDA numbers the GPUs as nvidia-smi does.
    """
    additions = {"PYTORCH_NVML_BASED_CUDA_CHECK": "1", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    if not any(name in environment for name in ALLOCATOR_VARIABLES):
        additions[ALLOCATOR_VARIABLES[0]] = "expandable_segments:True"
    return {name: value for name, value in additions.items() if name not in environment}
