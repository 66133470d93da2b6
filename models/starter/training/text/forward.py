"""The Llama of `model.py` as training runs it: the same weights and the same sums, in two compiled halves per layer.

A batch is a rectangle (rows, width) of right-padded rows, but everything except attention sees one flat list of tokens.
So the halves before and after attention are compiled once for every width and every layer: they take plain tensors
whose first size alone varies. Where compilation fails, `Forward.compile` says why and the same functions run as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from models.starter.training.text.model import EPSILON, HEAD_CHANNELS, ROPE_BASE

IGNORED = -100


class Forward:
    """Losses of a `LlamaForCausalLM`; weights stay its own, in float32, and are cast to `dtype` where they are used."""

    def __init__(self, model: Any, dtype: Any) -> None:
        self.model, self.dtype = model, dtype
        self.before: Callable[..., Any] = before_attention
        self.after: Callable[..., Any] = after_attention
        self.head: Callable[..., Any] = head_loss

    def compile(self, try_out: Callable[[], None]) -> str:
        """Compiles the three functions and runs `try_out` with them; "" or, back with plain functions, why it failed."""
        import torch

        plain = (self.before, self.after, self.head)
        self.before, self.after, self.head = (torch.compile(function) for function in plain)
        try:
            try_out()
        except Exception as error:  # noqa: BLE001  whatever the compiler fails of, training goes on without it
            self.before, self.after, self.head = plain
            return f"{type(error).__name__}: {(str(error).strip() or 'no reason given').splitlines()[0]}"[:200]
        return ""

    def loss(self, ids: Any, chosen: Any, targets: Any) -> Any:
        """Mean cross-entropy in nats. `ids`: (rows, width), right-padded.

        `chosen`: places in the flat list of rows x width tokens whose successor is learned; `targets`: those successors,
        of equal length, `IGNORED` where `chosen` is only filled up.
        """
        core = self.model.model
        rows, width = ids.shape
        hidden = core.embed_tokens(ids.reshape(-1)).to(self.dtype)
        cos, sin = (table.repeat(rows, 1) for table in rotation(width, ids.device.type, self.dtype))
        for layer in core.layers:
            attention, feed = layer.self_attn, layer.mlp
            projections = (attention.q_proj.weight, attention.k_proj.weight, attention.v_proj.weight)
            query, key, value = self.before(hidden, layer.input_layernorm.weight, *projections, cos, sin)
            mixed = attend(query, key, value, rows, width)
            feeds = (feed.gate_proj.weight, feed.up_proj.weight, feed.down_proj.weight)
            hidden = self.after(hidden, mixed, attention.o_proj.weight, layer.post_attention_layernorm.weight, *feeds)
        return self.head(hidden, chosen, targets, core.norm.weight, self.model.lm_head.weight)


@cache
def rotation(width: int, device: str, dtype: Any) -> tuple[Any, Any]:
    """Cosines and sines of the rotary positions, each (width, channels of a head)."""
    import torch

    inverse = ROPE_BASE ** -(torch.arange(0, HEAD_CHANNELS, 2, dtype=torch.float32) / HEAD_CHANNELS)
    angles = torch.outer(torch.arange(width, dtype=torch.float32), inverse).repeat(1, 2)
    return angles.cos().to(device, dtype), angles.sin().to(device, dtype)


def normed(hidden: Any, weight: Any) -> Any:
    """RMSNorm, in float32."""
    import torch

    wide = hidden.float()
    return (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + EPSILON) * weight).to(hidden.dtype)


def before_attention(
    hidden: Any, norm: Any, query_weight: Any, key_weight: Any, value_weight: Any, cos: Any, sin: Any
) -> tuple[Any, Any, Any]:
    """Query, key and value, each (tokens, heads, channels), from `hidden` (tokens, width of the model)."""
    import torch

    weight = torch.cat([query_weight, key_weight, value_weight]).to(hidden.dtype)
    both = torch.nn.functional.linear(normed(hidden, norm), weight).view(hidden.shape[0], 3, -1, HEAD_CHANNELS)
    query, key, value = both.unbind(1)
    return rotated(query, cos, sin), rotated(key, cos, sin), value


def rotated(heads: Any, cos: Any, sin: Any) -> Any:
    """Rotary positions applied to (tokens, heads, channels)."""
    import torch

    first, second = heads.chunk(2, dim=-1)
    return heads * cos[:, None] + torch.cat([-second, first], dim=-1) * sin[:, None]


def attend(query: Any, key: Any, value: Any, rows: int, width: int) -> Any:
    """Causal attention within each row; (tokens, width of the model)."""
    import torch

    query, key, value = (part.reshape(rows, width, -1, HEAD_CHANNELS).transpose(1, 2) for part in (query, key, value))
    mixed = torch.nn.functional.scaled_dot_product_attention(query, key, value, is_causal=True)
    return mixed.transpose(1, 2).reshape(rows * width, -1)


def after_attention(hidden: Any, mixed: Any, out: Any, norm: Any, gate: Any, up: Any, down: Any) -> Any:
    """The residual stream behind attention's output projection and the gated feed-forward layer."""
    import torch

    linear, dtype = torch.nn.functional.linear, hidden.dtype
    hidden = hidden + linear(mixed, out.to(dtype))
    gated, plain = linear(normed(hidden, norm), torch.cat([gate, up]).to(dtype)).chunk(2, dim=-1)
    return hidden + linear(torch.nn.functional.silu(gated) * plain, down.to(dtype))


def head_loss(hidden: Any, chosen: Any, targets: Any, norm: Any, embeddings: Any) -> Any:
    """Cross-entropy at the `chosen` tokens only: the questions are more than half of all tokens."""
    import torch

    logits = torch.nn.functional.linear(normed(hidden.index_select(0, chosen), norm), embeddings.to(hidden.dtype))
    return torch.nn.functional.cross_entropy(logits.float(), targets, ignore_index=IGNORED)
