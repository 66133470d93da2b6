"""The 24 prompts of the contact sheet, written down before training, and the 200 that the judge reads."""

import random

from models.starter.training.illustrator.captions import caption
from models.starter.training.illustrator.scene import Scene, sample_scene

CONTACT_SHEET: tuple[str, ...] = (
    "Mira stands on a city street at night in the rain, flat vector illustration with neon colors,"
    " Mira: a young woman in a red coat",
    "a lighthouse on the ocean in a storm at night",
    "a small robot in a laboratory, flat vector illustration",
    "Oren waits in the mountains at dawn in falling snow, flat vector illustration with cold colors,"
    " Oren: an old man in a blue coat",
    "a castle at sunset with a dragon, flat vector illustration with warm colors",
    "a rocket above the city at night",
    "a cup of coffee in a cozy kitchen, in the early morning",
    "a sailboat on a quiet lake at sunset",
    "a fox in the forest in the fog, in the early morning",
    "an astronaut on an alien planet with a ringed planet, flat vector illustration",
    "pyramids in the desert at sunset with a camel, flat vector illustration in vintage sepia",
    "a whale in the deep sea",
    "Talu walks at a night market, flat vector illustration with warm colors, Talu: a girl in a yellow dress",
    "an old library with an open book at night",
    "an erupting volcano and a dinosaur, by day",
    "a red train in a village in winter",
    "a hot air balloon over a wheat field on a bright day, flat vector illustration with pastel colors",
    "a knight at ancient ruins under a cloudy sky, storybook illustration",
    "a grand piano on a stage with red curtains",
    "a pagoda at dawn, a cat, flat vector illustration with pastel colors",
    "a detective in a narrow street in the fog at night, film noir",
    "penguins in the arctic under the stars",
    "a treasure chest on a tropical island in the afternoon",
    "a scientist in a classroom with a telescope, in the evening",
)


def judged(count: int) -> list[tuple[Scene, str]]:
    """`count` fresh scenes of the wide format and a caption of each that says hour and weather are what they are."""
    rng = random.Random(90_210)
    found: list[tuple[Scene, str]] = []
    while len(found) < count:
        scene = sample_scene(rng, "wide")
        found.append((scene, caption(scene, rng, complete=True)))
    return found
