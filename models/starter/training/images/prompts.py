"""The prompts that are read by eye, written down before training, and the 200 that the judge reads."""

import random

from models.starter.training.illustrator.captions import caption
from models.starter.training.illustrator.scene import SKY_LIGHTS, Scene, sample_scene
from models.starter.training.vocabulary import SETTINGS, THINGS, place, with_article

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

CLOSE_UPS: tuple[str, ...] = (
    "a kettle in a kitchen by day",
    "a violin on a stage",
    "an umbrella on a city street in the rain",
    "a close-up of a spoon in a kitchen in the early morning",
    "a bicycle in a village at sunset",
    "Bruno waits in the forest at dawn, flat vector illustration, Bruno: a brown bear",
    "an old key in a library at night",
    "a snowman in a garden in the snow",
    "a camel in the desert at sunset, flat vector illustration with warm colors",
    "a letter, seen up close, in a living room",
    "a lion in the jungle in the afternoon",
    "a lantern in a dark cave",
    "a ladder in an orchard on a bright day",
    "a frog by a pond, flat vector illustration",
    "a hammer in a workshop in morning light",
    "a golden crown at an old castle at dusk",
    "a loaf of bread in a bakery",
    "an elephant in the river gorge with a waterfall by day",
    "a globe in a classroom",
    "a red kite in a meadow in daylight, storybook illustration",
    "a ghost at ancient ruins in the fog at night",
    "an hourglass on an alien planet, flat vector illustration with cold colors",
    "Ada smiles in a laboratory at noon, flat vector illustration, Ada: a scientist in a white coat",
    "an octopus in the deep sea",
)
"""One thing each, in the sentences that the text model writes; written down before the second training."""


def single_things() -> list[str]:
    """One plain prompt for everything that can be drawn, in the first setting that suits it, by day."""
    found = []
    for key, thing in THINGS.items():
        if key in SKY_LIGHTS:
            continue
        host = next(setting for setting in SETTINGS.values() if key in setting.objects)
        noun = thing.nouns[0] if thing.plural else with_article(thing.nouns[0])
        found.append(f"{noun} {place(host)}" + (" by day" if host.shows_time else ""))
    return found


def judged(count: int) -> list[tuple[Scene, str]]:
    """`count` fresh scenes of the wide format and a caption of each that says hour and weather are what they are."""
    rng = random.Random(90_210)
    found: list[tuple[Scene, str]] = []
    while len(found) < count:
        scene = sample_scene(rng, "wide")
        found.append((scene, caption(scene, rng, complete=True)))
    return found
