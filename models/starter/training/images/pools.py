"""Pictures and latents kept on the training device, one tensor per aspect, oldest replaced when full."""

from dataclasses import dataclass
from pathlib import Path

import torch

from models.starter.training.illustrator.scene import SIZES_BY_ASPECT
from models.starter.training.images.architecture import DOWNSAMPLING, LATENT_CHANNELS, MAX_TOKENS
from models.starter.training.images.renders import ASPECT_SHARES, CAPTIONS_PER_PICTURE


@dataclass
class Shelf:
    """One aspect: `data` is images (n, h, w, 3) uint8 or latents (n, c, h, w) bfloat16; `count` rows are filled."""

    data: torch.Tensor
    tokens: torch.Tensor
    labels: torch.Tensor
    count: int = 0
    _next: int = 0

    def add(self, data: torch.Tensor, tokens: torch.Tensor, labels: torch.Tensor) -> None:
        """Append rows; when the shelf is full the oldest are overwritten."""
        capacity = len(self.data)
        start = 0
        while start < len(data):
            size = min(len(data) - start, capacity - self._next)
            rows, source = slice(self._next, self._next + size), slice(start, start + size)
            self.data[rows].copy_(data[source], non_blocking=True)
            self.tokens[rows].copy_(tokens[source], non_blocking=True)
            self.labels[rows].copy_(labels[source], non_blocking=True)
            self._next = (self._next + size) % capacity
            self.count = min(capacity, self.count + size)
            start += size


Pool = dict[str, Shelf]


def _shelf(capacity: int, shape: tuple[int, ...], dtype: torch.dtype, device: str) -> Shelf:
    return Shelf(
        torch.empty((capacity, *shape), dtype=dtype, device=device),
        torch.empty((capacity, CAPTIONS_PER_PICTURE, MAX_TOKENS), dtype=torch.int16, device=device),
        torch.empty((capacity, 3), dtype=torch.int16, device=device),
    )


def image_pool(capacity: int, device: str) -> Pool:
    """Room for `capacity` pictures, shared among the aspects."""
    return {
        aspect: _shelf(max(8, int(capacity * share)), (height, width, 3), torch.uint8, device)
        for (aspect, share), (width, height) in zip(ASPECT_SHARES.items(), SIZES_BY_ASPECT.values(), strict=True)
    }


def image_shelf(capacity: int, aspect: str, device: str) -> Shelf:
    """Room for `capacity` pictures of one aspect."""
    width, height = SIZES_BY_ASPECT[aspect]
    return _shelf(capacity, (height, width, 3), torch.uint8, device)


def latent_pool(capacity: int, device: str) -> Pool:
    """Room for the latents of `capacity` pictures."""
    return {
        aspect: _shelf(
            max(8, int(capacity * share)),
            (LATENT_CHANNELS, height // DOWNSAMPLING, width // DOWNSAMPLING),
            torch.bfloat16,
            device,
        )
        for (aspect, share), (width, height) in zip(ASPECT_SHARES.items(), SIZES_BY_ASPECT.values(), strict=True)
    }


def size(pool: Pool) -> int:
    """How many pictures the pool holds."""
    return sum(shelf.count for shelf in pool.values())


def save(pool: Pool, path: Path, *, limit: int) -> None:
    """Keep up to `limit` of the pool's rows on disk for the next part."""
    kept = {}
    for aspect, shelf in pool.items():
        rows = min(shelf.count, int(limit * ASPECT_SHARES[aspect]))
        kept[aspect] = tuple(part[:rows].cpu() for part in (shelf.data, shelf.tokens, shelf.labels))
    torch.save(kept, path)


def restore(pool: Pool, path: Path) -> None:
    """Put back what `save` kept."""
    kept = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    for aspect, (data, tokens, labels) in kept.items():
        pool[aspect].add(data, tokens, labels)


def to_unit(images: torch.Tensor) -> torch.Tensor:
    """uint8 (n, h, w, 3) to float (n, 3, h, w) in -1..1, channels last."""
    return (images.permute(0, 3, 1, 2).float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)
