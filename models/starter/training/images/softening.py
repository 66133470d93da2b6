"""What a generated picture has and a drawn one has not: soft edges, wobbly outlines, blotches, block noise, other contrast.

The judge learns on pictures changed like this, so that it reads what a picture shows and not how crisp it is. Nothing
here changes which setting, hour or weather is shown.
"""

import math
import random

import torch
from torch.nn import functional

_BLOCK = 8
_UNTOUCHED_SHARE = 0.25


def soften(images: torch.Tensor) -> torch.Tensor:
    """Pictures (n, 3, h, w) in -1..1, changed by lot, one lot for the strengths of the whole batch; same shape and range.

    Height and width are multiples of 8. Half of the batches are mirrored, a quarter are otherwise left as they are.
    """
    if random.random() < 0.5:
        images = images.flip(3)
    if random.random() < _UNTOUCHED_SHARE:
        return images
    if random.random() < 0.5:
        images = _wobbled(images, pixels=random.uniform(0.5, 3.5))
    if random.random() < 0.6:
        images = _blurred(images, scale=random.uniform(0.45, 0.95))
    if random.random() < 0.4:
        images = _quantized(images, step=random.uniform(0.05, 0.35))
    if random.random() < 0.7:
        images = _recolored(images)
    if random.random() < 0.6:
        images = _blotched(images, fine=random.uniform(0, 0.06), coarse=random.uniform(0, 0.06))
    return images.clamp(-1, 1)


def _coarse_noise(images: torch.Tensor, channels: int, cell: int) -> torch.Tensor:
    """Smooth noise of unit strength with features of about `cell` pixels."""
    count, _, height, width = images.shape
    noise = torch.randn(count, channels, height // cell + 1, width // cell + 1, device=images.device)
    return functional.interpolate(noise, size=(height, width), mode="bilinear", align_corners=False)


def _wobbled(images: torch.Tensor, *, pixels: float) -> torch.Tensor:
    count, _, height, width = images.shape
    identity = torch.eye(2, 3, device=images.device).expand(count, 2, 3)
    grid = functional.affine_grid(identity, [count, 3, height, width], align_corners=False)
    shift = _coarse_noise(images, 2, random.choice((12, 20, 32))).permute(0, 2, 3, 1)
    size = torch.tensor([2 * pixels / width, 2 * pixels / height], device=images.device)
    return functional.grid_sample(images, grid + shift * size, padding_mode="reflection", align_corners=False)


def _blurred(images: torch.Tensor, *, scale: float) -> torch.Tensor:
    height, width = images.shape[2:]
    size = (round(height * scale), round(width * scale))
    small = functional.interpolate(images, size=size, mode="bilinear", antialias=True, align_corners=False)
    return functional.interpolate(small, size=(height, width), mode="bilinear", align_corners=False)


def _quantized(images: torch.Tensor, *, step: float) -> torch.Tensor:
    """Round the cosine coefficients of 8x8 blocks, high frequencies more coarsely, as JPEG does."""
    count, channels, height, width = images.shape
    position = torch.arange(_BLOCK, device=images.device, dtype=torch.float32)
    basis = torch.cos(math.pi / _BLOCK * (position + 0.5)[None] * position[:, None]) * math.sqrt(2 / _BLOCK)
    basis[0] /= math.sqrt(2)
    blocks = images.reshape(count, channels, height // _BLOCK, _BLOCK, width // _BLOCK, _BLOCK).transpose(3, 4)
    steps = step * (1 + position[:, None] + position[None]) / 2
    coefficients = (basis @ blocks @ basis.T / steps).round() * steps
    return (basis.T @ coefficients @ basis).transpose(3, 4).reshape(images.shape)


def _recolored(images: torch.Tensor) -> torch.Tensor:
    """Saturation, contrast and brightness of each picture a little off, as guidance leaves them."""

    def lots(low: float, high: float) -> torch.Tensor:
        return torch.empty(len(images), 1, 1, 1, device=images.device).uniform_(low, high)

    grey = images.mean(1, keepdim=True)
    return (grey + (images - grey) * lots(0.88, 1.25)) * lots(0.9, 1.2) + lots(-0.05, 0.05)


def _blotched(images: torch.Tensor, *, fine: float, coarse: float) -> torch.Tensor:
    return images + torch.randn_like(images) * fine + _coarse_noise(images, 3, random.choice((8, 16, 32))) * coarse
