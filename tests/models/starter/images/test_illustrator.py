"""The illustrator: everything named can be drawn, in every format, and the same scene is the same picture."""

import random

import numpy as np
import pytest

from models.starter.training.illustrator.captions import caption
from models.starter.training.illustrator.compose import painter, render
from models.starter.training.illustrator.drawers import DRAWERS
from models.starter.training.illustrator.scene import (
    NEVER_CLOSE,
    SIZES_BY_ASPECT,
    SKY_LIGHTS,
    Item,
    Scene,
    sample_scene,
)
from models.starter.training.vocabulary import COLORS, FAR, MOODS, SETTINGS, SIZES, STYLES, THINGS, TIMES, WEATHERS


def test_the_same_scene_gives_the_same_bytes() -> None:
    rng = random.Random(5)
    for _ in range(12):
        scene = sample_scene(rng)
        assert np.array_equal(render(scene), render(scene))


def test_another_seed_gives_another_picture() -> None:
    assert not np.array_equal(render(Scene("city", seed=1)), render(Scene("city", seed=2)))


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("aspect", SIZES_BY_ASPECT)
def test_every_setting_draws_in_every_aspect(setting: str, aspect: str) -> None:
    picture = render(Scene(setting, "sunset", aspect=aspect, seed=3))
    width, height = SIZES_BY_ASPECT[aspect]
    assert picture.shape == (height, width, 3)
    assert picture.std() > 8


@pytest.mark.parametrize("key", [key for key in THINGS if key not in SKY_LIGHTS])
@pytest.mark.parametrize("aspect", SIZES_BY_ASPECT)
def test_every_thing_is_seen_where_it_suits(key: str, aspect: str) -> None:
    host = next(setting.key for setting in SETTINGS.values() if key in setting.objects)
    bare, with_it = (Scene(host, "day", items=items, aspect=aspect, seed=9) for items in ((), (Item(key),)))
    changed = np.abs(render(with_it).astype(int) - render(bare).astype(int)).max(2) > 24
    assert changed.mean() > 0.002


@pytest.mark.parametrize("mood", MOODS)
def test_every_hour_weather_and_mood_draws(mood: str) -> None:
    pictures = [render(Scene("village", time, weather, mood, seed=4)) for time in TIMES for weather in WEATHERS]
    assert len({picture.tobytes() for picture in pictures}) == len(TIMES) * len(WEATHERS)


def test_night_is_darker_than_day() -> None:
    outdoors = [key for key, setting in SETTINGS.items() if setting.shows_time]
    for setting in outdoors:
        assert render(Scene(setting, "night", seed=2)).mean() < render(Scene(setting, "day", seed=2)).mean() - 15


def test_the_vocabulary_names_only_what_exists() -> None:
    for setting in SETTINGS.values():
        assert set(setting.objects) <= set(THINGS)
        assert callable(painter(setting.key))
    assert set(THINGS) - set(DRAWERS) == SKY_LIGHTS
    assert set(SIZES) == {"small", "normal", "large"}


def test_captions_name_the_setting_and_the_things() -> None:
    rng = random.Random(8)
    for _ in range(400):
        scene = sample_scene(rng)
        text = caption(scene, rng).lower()
        places = [
            phrase.removeprefix("the ").removeprefix("a ").removeprefix("an ")
            for phrase in SETTINGS[scene.setting].phrases
        ]
        assert any(place in text for place in places), text
        for item in scene.items:
            assert any(noun in text for noun in THINGS[item.key].nouns), text


def test_complete_captions_leave_out_no_hour_and_no_weather() -> None:
    rng = random.Random(12)
    for _ in range(300):
        scene = sample_scene(rng)
        text = caption(scene, rng, complete=True).lower()
        setting = SETTINGS[scene.setting]
        if setting.shows_time:
            assert any(words in text for words in TIMES[scene.time]), text
        if setting.shows_weather and scene.weather != "clear":
            assert any(words in text for words in WEATHERS[scene.weather]), text


def test_the_palette_of_a_mood_is_named_when_it_shows() -> None:
    rng = random.Random(21)
    told = total = 0
    for _ in range(600):
        scene = sample_scene(rng)
        if scene.mood != "none":
            text = caption(scene, rng).lower()
            total += 1
            told += any(words in text for words in STYLES[scene.mood])
    assert told / total > 0.9


def test_a_colour_of_a_thing_changes_the_picture() -> None:
    pictures = {render(Scene("ocean", items=(Item("boat", color),), seed=6)).tobytes() for color in COLORS}
    assert len(pictures) == len(COLORS)


def test_a_noun_stands_for_one_thing() -> None:
    nouns = [noun for thing in THINGS.values() for noun in thing.nouns]
    assert len(nouns) == len(set(nouns))
    for key, thing in THINGS.items():
        assert all(key not in other.nouns for other in THINGS.values() if other is not thing), key


def test_everything_that_can_be_drawn_has_a_place() -> None:
    assert set(THINGS) == {key for setting in SETTINGS.values() for key in setting.objects}


@pytest.mark.parametrize("key", [key for key in THINGS if key not in NEVER_CLOSE])
def test_a_close_up_fills_the_picture_and_stays_inside(key: str) -> None:
    host = next(setting.key for setting in SETTINGS.values() if key in setting.objects)
    bare, with_it = (Scene(host, "day", items=items, seed=9, close=True) for items in ((), (Item(key),)))
    changed = np.abs(render(with_it).astype(int) - render(bare).astype(int)).max(2) > 40
    rows = np.flatnonzero(changed.mean(1) > 0.004)
    height = (rows[-1] - rows[0] + 1) / changed.shape[0]
    assert 0.2 < height < (1 if key in ("ufo", "fire") else 0.98)  # a beam and a glow reach further
    assert changed.mean() > 0.006


def test_a_single_thing_is_usually_seen_close_and_a_far_one_is_said_to_be_far() -> None:
    rng = random.Random(33)
    alone = [scene for scene in (sample_scene(rng) for _ in range(900)) if len(scene.items) == 1]
    alone = [scene for scene in alone if scene.items[0].key not in NEVER_CLOSE]
    assert sum(scene.close for scene in alone) / len(alone) > 0.75
    for scene in alone:
        text = caption(scene, rng).lower()
        assert any(words in text for words in FAR) != scene.close, text
