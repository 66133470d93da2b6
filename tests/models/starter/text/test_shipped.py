"""The shipped language model loads by plain `from_pretrained`, in fp32 and bf16, and tells a whole story."""

import json
from pathlib import Path
from typing import Any

import pytest

from models.starter.training.text.__main__ import CHECKPOINT_DIR
from models.starter.training.text.evaluate import load_writer, tell, tell_all
from models.starter.training.text.library import FOLDER

pytestmark = pytest.mark.skipif(
    not (CHECKPOINT_DIR / "config.json").exists(), reason="the starter text model is not trained yet"
)


@pytest.fixture(scope="module")
def writer_and_settings() -> tuple[Any, Any]:
    return load_writer(CHECKPOINT_DIR)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_it_loads_by_plain_from_pretrained(dtype: str) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(CHECKPOINT_DIR, dtype=getattr(torch, dtype))
    tokenizer = AutoTokenizer.from_pretrained(CHECKPOINT_DIR)
    assert sum(parameter.numel() for parameter in model.parameters()) <= 25_000_000
    ids = tokenizer("Write", return_tensors="pt")
    out = model.generate(**ids, max_new_tokens=4)
    assert out.shape[1] > ids["input_ids"].shape[1]
    assert {parameter.dtype for parameter in model.parameters()} == {getattr(torch, dtype)}


def test_no_file_is_too_large_for_the_repository() -> None:
    assert sum(file.stat().st_size for file in Path(CHECKPOINT_DIR).glob("*.safetensors")) <= 50_000_000


@pytest.mark.parametrize(
    "topic", ["Cyberpunk Tokyo", "penguins", "why do we laugh?", "Zarvolt", "the history of bread"]
)
def test_a_story_is_valid_and_names_its_topic(writer_and_settings: tuple[Any, Any], topic: str) -> None:
    writer, settings = writer_and_settings
    told = tell(writer, settings, topic, topic.rstrip("?"), scenes=3, seed=5)
    assert not told.faults
    assert told.named, (told.title, told.logline, told.scenes)
    assert len({narration for _, narration, _ in told.scenes}) == 3


def test_a_sample_gives_the_recorded_figures(writer_and_settings: tuple[Any, Any]) -> None:
    recorded = json.loads((FOLDER / "figures.json").read_text(encoding="utf-8"))
    named = recorded["topic in title or logline"]
    topics = ["owls", "bread", "a robot", "dragons", "the moon", "volcanoes", "Paris", "tea"]
    told = tell_all(*writer_and_settings, [(topic, topic, 40 + place) for place, topic in enumerate(topics)], 1)
    share = sum(one.named_in(one.head) for one in told) / len(told)
    assert not any(one.faults for one in told)
    assert abs(share - named["count"] / named["whole"]) <= 0.15
