"""Makes a model's large layers smaller, one at a time on the device: what has been made waits on the host again.

For models that are then streamed (`streaming.stream`). The libraries' own quantisation leaves all of a model on the device.
"""

from __future__ import annotations

import re
import sys
from typing import Any

from gpu_utils.streaming import streamed_layers

# What layerwise casting passes by too (diffusers 0.42): small and sensitive.
NOT_CAST = re.compile(r"pos_embed|patch_embed|norm|t_embedder|cap_embedder|^proj_(in|out)$")


def pack(model: Any, weights: str, device: Any, compute_dtype: Any) -> None:
    """Lower the precision of every large layer to "fp8" or "nf4"; the scales of nf4 stay on `device`.

    torch must have been imported by the caller; nf4 needs bitsandbytes. Raises ValueError for another precision.
    """
    torch: Any = sys.modules["torch"]
    large = {id(layer) for layer in streamed_layers(model)}
    for path, parent in list(model.named_modules()):
        for name, layer in list(parent.named_children()):
            if id(layer) not in large:
                continue
            if weights == "nf4" and type(layer) is torch.nn.Linear:
                setattr(parent, name, _four_bits(layer, device, compute_dtype))
            elif weights == "fp8" and not NOT_CAST.search(f"{path}.{name}".lstrip(".")):
                layer.weight.data = layer.weight.data.to(device).to(torch.float8_e4m3fn).cpu()
            elif weights not in ("nf4", "fp8"):
                raise ValueError(f"weights are packed into fp8 or nf4, not {weights}")


def _four_bits(layer: Any, device: Any, compute_dtype: Any) -> Any:
    """A Linear layer as one of bitsandbytes, with doubly quantised scales; its packed weights on the host."""
    import bitsandbytes

    packed = bitsandbytes.nn.Linear4bit(
        layer.in_features, layer.out_features, layer.bias is not None, compute_dtype, quant_type="nf4", device="meta"
    )
    options = {"requires_grad": False, "quant_type": "nf4", "compress_statistics": True}
    packed.weight = bitsandbytes.nn.Params4bit(layer.weight.data, module=packed, **options).to(device)
    packed.weight.data = packed.weight.data.cpu()
    packed.bias = layer.bias
    return packed
