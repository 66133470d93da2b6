"""The corpus keeps what the pipeline's schemas, the image model's vocabulary and the reader of a story expect."""

import json
from itertools import islice
from random import Random

import jsonschema
import pytest

from models.starter.training.text.conversations import (
    compact_json,
    draw_conversations,
    draw_story,
    outline_conversation,
    outline_of,
    scene_conversation,
)
from models.starter.training.text.library import (
    CLOSE,
    OPENING,
    TURN,
    CorpusError,
    families,
    held_out_topics,
    parse_themes,
    themes,
    words,
)
from models.starter.training.text.pictures import vocabulary_words
from models.starter.training.text.stories import Story, write_story
from models.starter.training.text.topics import Topic, draw_topic, inside
from models.starter.training.vocabulary import CHARACTER_KEYS, SETTINGS, THINGS, TIMES, WEATHERS
from stages.scenes import prompts


@pytest.fixture(scope="module")
def stories() -> list[Story]:
    rng = Random(11)
    return [draw_story(rng) for _ in range(500)]


def test_there_are_at_least_150_themes_and_1500_nouns() -> None:
    nouns = {noun for theme in themes().values() for noun in [*theme.nouns, *theme.mass]}
    assert len(themes()) >= 150
    assert len(nouns) >= 1500


def test_every_theme_opens_turns_and_closes_in_pictures_that_can_be_drawn() -> None:
    for theme in [*themes().values(), *families().values()]:
        if theme.name != "interlude":
            assert theme.of_role(OPENING), theme.name
            assert theme.of_role(CLOSE), theme.name
        assert len(theme.of_role(TURN)) >= 4, theme.name
        assert not theme.obj or theme.obj in THINGS, theme.name
        assert set(theme.hero) <= set(CHARACTER_KEYS) | {"astronaut", "scientist", "wizard", "king", "knight"}, (
            theme.name
        )
        for beat in theme.beats:
            assert beat.visual.setting in SETTINGS, (theme.name, beat.line)
            assert set(beat.visual.objects) <= set(THINGS) | {"person", "friend", "*"}, (theme.name, beat.line)
            assert beat.visual.time in ("", *TIMES), (theme.name, beat.line)
            assert beat.visual.weather in ("", *WEATHERS), (theme.name, beat.line)
            assert len(beat.sentences) >= 2, (theme.name, beat.line)


def test_no_held_out_topic_is_in_the_corpus() -> None:
    held_out = {topic.lower().rstrip("?") for _, topic in held_out_topics()}
    assert len(held_out) == 60
    written = {head for theme in themes().values() for head, _ in theme.heads}
    written |= {noun for theme in themes().values() for noun in [*theme.nouns, *theme.mass]}
    assert not held_out & {text.lower().rstrip("?") for text in written}
    rng = Random(4)
    assert not held_out & {draw_topic(rng).text.lower().rstrip("?") for _ in range(20_000)}


def test_outlines_and_scenes_satisfy_the_schemas_of_the_pipeline(stories: list[Story]) -> None:
    for story in stories:
        outline = json.loads(compact_json(outline_of(story)))
        jsonschema.validate(outline, prompts.outline_schema(story.topic.text, len(story.scenes), story.asked_style))
        assert list(outline) == ["topic", "title", "logline", "style", "characters", "scenes"]
        for index in range(len(story.scenes)):
            answer = json.loads(scene_conversation(story, index, "English").answer)
            jsonschema.validate(answer, prompts.scene_schema())
            assert list(answer) == ["narration", "image_prompt"]


def test_no_two_scenes_of_a_story_are_the_same(stories: list[Story]) -> None:
    for story in stories:
        for texts in (
            [scene.line for scene in story.scenes],
            [scene.narration for scene in story.scenes],
            [scene.image_prompt for scene in story.scenes],
        ):
            assert len(set(texts)) == len(texts), story.topic.text


def test_the_topic_is_named_in_title_or_logline_and_in_the_first_narration(stories: list[Story]) -> None:
    for story in stories:
        name = story.topic.inside.casefold()
        assert name in f"{story.title} | {story.logline}".casefold(), story.topic.text
        assert name in story.scenes[0].narration.casefold(), story.topic.text


def test_image_prompts_use_only_words_of_the_image_model_and_names(stories: list[Story]) -> None:
    known = vocabulary_words()
    for story in stories:
        names = {word.casefold() for one in story.characters for word in one.name.split()}
        for scene in story.scenes:
            used = {word.strip(",'").casefold() for word in scene.image_prompt.split()}
            assert used <= known | names, scene.image_prompt
        for one in story.characters:
            assert {word.strip(",'").casefold() for word in one.appearance.split()} <= known, one.appearance


def test_no_slot_is_left_unfilled(stories: list[Story]) -> None:
    for story in stories:
        if story.topic.form == "label":
            continue
        for scene in story.scenes:
            assert "{" not in scene.narration + scene.line, scene
            assert "  " not in scene.narration, scene


def test_stories_of_one_topic_open_differently() -> None:
    topic = Topic("penguins", "penguins", "the penguins", "thing", "animal", ("penguins",))
    openings = {write_story(Random(seed), topic, 3, "").scenes[0].narration for seed in range(40)}
    assert len(openings) >= 38


@pytest.mark.parametrize("count", [1, 2, 3, 12, 50])
def test_a_story_has_exactly_as_many_scenes_as_were_asked_for(count: int) -> None:
    rng = Random(count)
    for _ in range(20):
        assert len(write_story(rng, draw_topic(rng), count, "film noir").scenes) == count


def test_an_asked_style_is_copied_word_for_word() -> None:
    rng = Random(3)
    story = write_story(rng, draw_topic(rng), 4, "chalk on a wet wall")
    assert story.style == "chalk on a wet wall"
    assert '"style":"chalk on a wet wall"' in outline_conversation(story, "English").answer


@pytest.mark.parametrize(
    ("typed", "within"),
    [
        ("The history of coffee", "the history of coffee"),
        ("Cyberpunk Tokyo", "Cyberpunk Tokyo"),
        ("Penguins", "penguins"),
        ("why do we laugh?", "why do we laugh"),
        ("A  clock\nin the rain.", "a clock in the rain"),
        ("NASA", "NASA"),
        ("🚀", "🚀"),
    ],
)
def test_a_topic_is_named_inside_a_sentence_as_it_was_typed(typed: str, within: str) -> None:
    assert inside(typed) == within


def test_the_same_seed_draws_the_same_corpus() -> None:
    first, second = (list(islice(draw_conversations(Random(8)), 50)) for _ in range(2))
    assert first == second


def test_word_lists_have_no_empty_items() -> None:
    for name in ("adjectives", "names", "surnames", "places", "oddities", "styles", "hostile"):
        assert len(words(name)) > 40, name


def test_a_scene_without_sentences_is_refused_with_its_line() -> None:
    with pytest.raises(CorpusError, match="The empty scene"):
        parse_themes("== x\n^ The empty scene | room; person; day\n^ Another one here | room; ; day\nText.\n", "area")


def test_an_unknown_field_is_refused_by_name() -> None:
    with pytest.raises(CorpusError, match="colour"):
        parse_themes("== x\ncolour: red\n", "area")
