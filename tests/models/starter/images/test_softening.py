"""Softened pictures show the same: same shape and range, much changed at no place, and some left as they are."""

import random

import torch

from models.starter.training.illustrator.compose import render
from models.starter.training.illustrator.scene import sample_scene
from models.starter.training.images.pools import to_unit
from models.starter.training.images.softening import soften


def test_softening_changes_a_picture_and_not_what_it_shows() -> None:
    rng = random.Random(5)
    images = to_unit(torch.stack([torch.from_numpy(render(sample_scene(rng, "wide"))) for _ in range(2)]))
    random.seed(1)
    torch.manual_seed(1)
    untouched = 0
    for _ in range(24):
        softened = soften(images)
        assert softened.shape == images.shape
        assert softened.abs().max() <= 1
        difference = min((softened - kept).abs().mean().item() for kept in (images, images.flip(3)))
        assert difference < 0.2
        untouched += difference == 0
    assert 0 < untouched < 16
