"""Choosing the next token of each row, from logits, a mask and one number per row between 0 and 1."""

from __future__ import annotations

import torch


def sample(
    logits: torch.Tensor, allowed: torch.Tensor, temperature: torch.Tensor, top_p: torch.Tensor, uniform: torch.Tensor
) -> torch.Tensor:
    """The chosen token of each row: int64, shape (rows,).

    `logits` is float32 and `allowed` bool, both (rows, vocabulary); `temperature`, `top_p`, `uniform` are float32, (rows,).
    Temperature 0 takes the likeliest. Else nucleus sampling (Holtzman et al., arXiv 1904.09751) by inverting the cumulative
    distribution at `uniform`: the randomness comes from outside, so a row's draw never depends on its neighbours.
    """
    logits = logits.masked_fill(~allowed, float("-inf"))
    likeliest = logits.argmax(-1)
    if not bool(temperature.any()):
        return likeliest
    scaled = logits / temperature.clamp(min=1e-4).unsqueeze(-1)
    probabilities, order = scaled.softmax(-1).sort(dim=-1, descending=True, stable=True)
    before = probabilities.cumsum(-1) - probabilities
    # The likeliest token is always in the nucleus, whatever rounding did to `before`.
    nucleus = probabilities.where((before < top_p.unsqueeze(-1)) & (probabilities > 0), torch.zeros_like(probabilities))
    point = uniform * nucleus.sum(-1)
    place = (nucleus.cumsum(-1) <= point.unsqueeze(-1)).sum(-1)
    last = (nucleus > 0).sum(-1) - 1
    drawn = order.gather(-1, torch.minimum(place, last).unsqueeze(-1)).squeeze(-1)
    return torch.where(temperature > 0, drawn, likeliest)
