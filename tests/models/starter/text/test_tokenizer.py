"""Tokenizer and chat template: hostile text comes back byte for byte, training and pipeline see the same prompt."""

from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import pytest

from models.starter.training.text.batches import LONGEST, WIDTHS, Pool, encode
from models.starter.training.text.conversations import draw_conversations
from models.starter.training.text.forward import IGNORED
from models.starter.training.text.library import words
from models.starter.training.text.tokenizer import END_ID, PAD_ID, build_tokenizer, load_tokenizer, render
from stages.scenes.constraint import Constraint, grammar_tokenizer
from stages.scenes.prompts import outline_messages, outline_schema


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return build_tokenizer(conversations=400, size=3000)


@pytest.mark.parametrize(
    "text", [*words("hostile")[:40], "\x00\x1b[31m", "a\u202eb", "\t \n", '\\"\\n', "ﷺ" * 9, "🏴‍☠️"]
)
def test_any_text_comes_back_byte_for_byte(tokenizer: Any, text: str) -> None:
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def test_the_chat_template_renders_what_training_used(tokenizer: Any) -> None:
    for one in islice(draw_conversations(Random(2)), 50):
        rendered = tokenizer.apply_chat_template(
            one.messages, tokenize=False, add_generation_prompt=True, enable_thinking=False
        )
        assert rendered == render(one.messages)
        whole = tokenizer.apply_chat_template(
            [*one.messages, {"role": "assistant", "content": one.answer}], tokenize=False
        )
        assert whole == render(one.messages) + one.answer + "<|end|>"


def test_a_saved_tokenizer_loads_and_means_the_same(tokenizer: Any, tmp_path: Path) -> None:
    tokenizer.backend_tokenizer.save(str(tmp_path / "tokenizer.json"))
    again = load_tokenizer(tmp_path / "tokenizer.json")
    assert again("Cyberpunk Tokyo 🚀")["input_ids"] == tokenizer("Cyberpunk Tokyo 🚀")["input_ids"]
    assert again.chat_template == tokenizer.chat_template


@pytest.mark.parametrize("topic", ["Cyberpunk Tokyo", "why do we laugh?", 'the "best" day', "🚀🌙", "C++", "a, b: c"])
def test_forced_tokens_are_those_of_training(tokenizer: Any, topic: str) -> None:
    """The pipeline writes constants without asking the model; in other pieces the model would not know them again."""
    constraint = Constraint(grammar_tokenizer(tokenizer, len(tokenizer)), outline_schema(topic, 3, ""))
    forced = constraint.take_forced()
    text = tokenizer.decode(forced)
    assert text.startswith('{"topic":"')
    assert forced == tokenizer(text)["input_ids"]


def test_only_answers_are_learned_and_padding_never(tokenizer: Any) -> None:
    pool = Pool(None, Random(1))
    pool.add(encode(tokenizer, Random(5), 200))
    for _ in range(40):
        batch = pool.batch(4096)
        rows, width = batch.ids.shape
        assert width in WIDTHS and width <= LONGEST and rows * width <= max(4096, width)
        flat, places = batch.ids.reshape(-1), batch.chosen[batch.targets != IGNORED]
        targets = batch.targets[batch.targets != IGNORED]
        assert (flat[places + 1] == targets).all()
        assert (targets != PAD_ID).all()
        for row in range(rows):
            learned = targets[(places // width) == row]
            assert learned[-1] == END_ID
            assert tokenizer.decode(learned).startswith("{")


def test_a_pool_gives_every_conversation_once_before_any_twice(tokenizer: Any) -> None:
    pool = Pool(None, Random(1))
    pool.add(encode(tokenizer, Random(5), 100))
    shelf = max(pool.shelves.values(), key=lambda one: one.drawn)
    taken = shelf.take(Random(2), shelf.drawn // 2).tolist() + shelf.take(Random(3), shelf.drawn // 2).tolist()
    assert len(set(taken)) == len(taken)


def test_every_conversation_of_fifty_scenes_fits_the_context(tokenizer: Any) -> None:
    messages = outline_messages("word " * 150, 50, "English", "")
    assert len(tokenizer(render(messages))["input_ids"]) < LONGEST // 2
