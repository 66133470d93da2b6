"""Generator processes that draw conversations, and batches of nearly equal length made from them.

Sequences are not packed: right padding with causal attention needs no mask, and no conversation sees another, which
matters for a model that must copy this topic and not the one before. Sorting a pool by length keeps padding under 5%.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from models.starter.training.text.conversations import draw_conversations
from models.starter.training.text.tokenizer import END_ID, PAD_ID, load_tokenizer, render

IGNORED = -100
LONGEST = 2048
CHUNK = 512

Example = tuple[np.ndarray[Any, np.dtype[np.int16]], int]
"""Token ids of a whole conversation, and how many of them are the question."""


def encode(tokenizer: Any, rng: Random, count: int) -> list[Example]:
    """`count` conversations as token ids; longer ones than `LONGEST` tokens are left out."""
    examples: list[Example] = []
    core = tokenizer.backend_tokenizer
    for one in islice(draw_conversations(rng), count):
        question = core.encode(render(one.messages), add_special_tokens=False).ids
        answer = core.encode(one.answer, add_special_tokens=False).ids
        if len(question) + len(answer) < LONGEST:
            examples.append((np.array([*question, *answer, END_ID], dtype=np.int16), len(question)))
    return examples


def _generate(tokenizer_file: str, seed: int, queue: Any) -> None:
    os.nice(5)
    tokenizer, rng = load_tokenizer(Path(tokenizer_file)), Random(seed)
    while True:
        queue.put(encode(tokenizer, rng, CHUNK))


def start_generators(tokenizer_file: Path, processes: int, seed: int) -> tuple[Any, list[Any]]:
    """Starts `processes` generators; their chunks arrive in the queue. The seeds differ, also between parts."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue(maxsize=8 * processes)
    started = [
        context.Process(target=_generate, args=(str(tokenizer_file), seed * 1000 + number, queue), daemon=True)
        for number in range(processes)
    ]
    for process in started:
        process.start()
    return queue, started


def batches(pool: list[Example], rng: Random, tokens_per_batch: int) -> Iterator[tuple[Any, Any]]:
    """The pool once, in random order, as (ids, labels) of shape (rows, length); rows x length is at most the budget."""
    order = sorted(range(len(pool)), key=lambda place: (len(pool[place][0]) + 15) // 16 * 1000 + rng.random() * 900)
    groups: list[list[int]] = []
    group: list[int] = []
    length = 0
    for place in order:
        longest = max(length, len(pool[place][0]))
        if group and longest * (len(group) + 1) > tokens_per_batch:
            groups.append(group)
            group, longest = [], len(pool[place][0])
        group.append(place)
        length = longest
    groups.append(group)
    rng.shuffle(groups)
    for group in groups:
        width = max(len(pool[place][0]) for place in group)
        width = (width + 15) // 16 * 16
        ids = np.full((len(group), width), PAD_ID, dtype=np.int64)
        labels = np.full((len(group), width), IGNORED, dtype=np.int64)
        for row, place in enumerate(group):
            tokens, question = pool[place]
            ids[row, : len(tokens)] = tokens
            labels[row, question : len(tokens)] = tokens[question:]
        yield ids, labels
