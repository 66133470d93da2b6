"""The prompt tokenizer: a CLIP-style byte-level BPE of 3,600 pieces, learned from captions.

Any text can be encoded: every byte is a piece of its own, in the middle of a word and at its end, so that an unknown
word falls apart into bytes instead of into nothing.
"""

import json
import random
from pathlib import Path
from typing import TYPE_CHECKING

from models.starter.training.illustrator.captions import caption
from models.starter.training.illustrator.scene import sample_scene
from models.starter.training.images.architecture import MAX_TOKENS
from models.starter.training.vocabulary import SETTINGS, STYLES, THINGS

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_WORDS = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
_VOCABULARY_SIZE = 3600
BOS, EOS = "<|startoftext|>", "<|endoftext|>"


def train(directory: Path, *, captions: int = 40_000) -> None:
    """Learn the pieces from `captions` captions and save a `CLIPTokenizer` in `directory`."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers
    from transformers import CLIPTokenizer

    rng = random.Random(7)
    corpus = [caption(sample_scene(rng), rng) for _ in range(captions)]
    corpus += [phrase for setting in SETTINGS.values() for phrase in setting.phrases] * 20
    corpus += [noun for thing in THINGS.values() for noun in thing.nouns] * 20
    corpus += [phrase for phrases in STYLES.values() for phrase in phrases] * 20
    model = Tokenizer(models.BPE(end_of_word_suffix="</w>", unk_token=EOS))
    model.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    model.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_WORDS), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=_VOCABULARY_SIZE,
        special_tokens=[BOS, EOS],
        initial_alphabet=alphabet,
        end_of_word_suffix="</w>",
        min_frequency=2,
        show_progress=False,
    )
    model.train_from_iterator(corpus, trainer)
    learned = json.loads(model.to_str())["model"]
    vocabulary: dict[str, int] = dict(learned["vocab"])
    merges = [tuple(pair.split(" ")) if isinstance(pair, str) else tuple(pair) for pair in learned["merges"]]
    for byte in alphabet:  # CLIP's byte fallback needs the byte at a word's end too
        vocabulary.setdefault(byte + "</w>", len(vocabulary))
    directory.mkdir(parents=True, exist_ok=True)
    tokenizer = CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=MAX_TOKENS, pad_token=EOS)
    tokenizer.save_pretrained(directory)


def load(directory: Path) -> "Tokenizer":
    """The same tokenizer without transformers, for the rendering processes; pads and cuts to `MAX_TOKENS`."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
    tokenizer.enable_truncation(MAX_TOKENS)
    eos = tokenizer.token_to_id(EOS)
    tokenizer.enable_padding(length=MAX_TOKENS, pad_id=eos, pad_token=EOS)
    return tokenizer
