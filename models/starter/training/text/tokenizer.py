"""The tokenizer: byte-level BPE trained on the corpus, and the chat template that training and the pipeline share.

Every byte is in the vocabulary, there is no normalizer: any text comes back as it went in.
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from models.starter.training.text.conversations import draw_conversations

VOCABULARY_SIZE = 6144
END, PAD, SYSTEM, USER, ASSISTANT = "<|end|>", "<|pad|>", "<|system|>", "<|user|>", "<|assistant|>"
SPECIAL_TOKENS = [END, PAD, SYSTEM, USER, ASSISTANT]
END_ID, PAD_ID = 0, 1
MAX_LENGTH = 2048
# Runs of JSON punctuation are one piece, so that `","` costs one token; other punctuation and digits stay single,
# which is what copying an unusual topic needs.
PIECES = r'[{}\[\]":,]{2,}|[ ]?\p{L}+|\p{N}|[ ]?[^\s\p{L}\p{N}]|\s'
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] }}"
    "{% if message['role'] == 'assistant' %}{{ '<|end|>' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


def build_tokenizer(seed: int = 7, conversations: int = 12_000, size: int = VOCABULARY_SIZE) -> Any:
    """A fast tokenizer trained on `conversations` drawn with `seed`. Takes about 20 s on one core."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PIECES), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=SPECIAL_TOKENS,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        min_frequency=3,
        show_progress=False,
    )
    drawn = islice(draw_conversations(Random(seed)), conversations)
    core.train_from_iterator((one.messages[-1]["content"] + "\n" + one.answer for one in drawn), trainer)
    return wrap(core)


def wrap(core: Any) -> Any:
    """The transformers tokenizer around a `tokenizers.Tokenizer`, with the special tokens and the chat template."""
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        eos_token=END,
        pad_token=PAD,
        additional_special_tokens=[SYSTEM, USER, ASSISTANT],
        chat_template=CHAT_TEMPLATE,
        model_max_length=MAX_LENGTH,
        clean_up_tokenization_spaces=False,
    )


def load_tokenizer(file: Path) -> Any:
    """The tokenizer saved as `tokenizer.json` at `file`."""
    from tokenizers import Tokenizer

    return wrap(Tokenizer.from_file(str(file)))


def render(messages: list[dict[str, str]]) -> str:
    """What the chat template makes of `messages` with a generation prompt; written out, because Jinja is slow."""
    return "".join(f"<|{message['role']}|>{message['content']}" for message in messages) + ASSISTANT
