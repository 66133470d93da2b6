"""How many bytes weights take on a device when they are stored in fewer bits than they are computed in.

Follows what the libraries leave alone, tensor by tensor, from names and shapes (diffusers 0.42, transformers 5.23): FLUX.1's
transformer is 22.2 GiB in bfloat16 and 14.1, not 11.1, with layerwise fp8.
"""

from __future__ import annotations

import re

from gpu_utils.checkpoints import Component
from gpu_utils.headers import TensorHeader
from gpu_utils.strategies import Weights

BYTES_PER_ELEMENT = {"float32": 4, "bfloat16": 2, "float16": 2}
# Layerwise casting passes these by: the patterns of diffusers' own models, Z-Image's among them.
_NOT_CAST = re.compile(r"pos_embed|patch_embed|norm|t_embedder|cap_embedder|^proj_(in|out)\.")
# Quantisation takes Linear layers (casting also convolutions), never embeddings; transformers keeps the head and the layers
# that T5 computes in float32.
_NOT_LINEAR = re.compile(
    r"(^|\.)(embed_tokens|wte|wpe|shared|token_embedding|position_embedding|relative_attention_bias|lm_head|wo)\.weight$"
    r"|embeddings\."
)
_NF4_BYTES_PER_64 = 36  # half a byte each, and one float32 scale for 64


def stored_bytes(component: Component, weights: Weights, element_bytes: int) -> int:
    """All weights of a component; `element_bytes` of each number that keeps the precision it is computed in."""
    if component.quantized:
        return component.disk_bytes
    return sum(_tensor_bytes(name, tensor, weights, element_bytes) for name, tensor in component.tensors.items())


def largest_bytes(component: Component, weights: Weights, element_bytes: int, count: int) -> int:
    """The largest `count` tensors together: while weights are streamed, so many lie on the device at once."""
    sizes = (_tensor_bytes(name, tensor, weights, element_bytes) for name, tensor in component.tensors.items())
    return sum(sorted(sizes)[-count:])


def _is_linear(name: str, tensor: TensorHeader) -> bool:
    return len(tensor.shape) == 2 and name.endswith(".weight") and not _NOT_LINEAR.search(name)


def _tensor_bytes(name: str, tensor: TensorHeader, weights: Weights, element_bytes: int) -> int:
    if not tensor.floating:
        return tensor.size_bytes
    is_layer = len(tensor.shape) >= 2 and name.endswith(".weight") and not _NOT_LINEAR.search(name)
    if weights == "fp8" and is_layer and not _NOT_CAST.search(name):
        return tensor.elements
    if weights == "int8" and _is_linear(name, tensor):
        return tensor.elements + 4 * tensor.shape[0]
    if weights == "nf4" and _is_linear(name, tensor):
        return tensor.elements * _NF4_BYTES_PER_64 // 64
    return tensor.elements * element_bytes
