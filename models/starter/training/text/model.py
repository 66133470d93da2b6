"""The model: a small Llama as transformers ships it."""

from __future__ import annotations

from typing import Any

from models.starter.training.text.tokenizer import END_ID, MAX_LENGTH, PAD_ID

# 16.5 million parameters, 33 MB in fp16; more width than depth, because decoding on a CPU pays per layer.
SHAPE = {"hidden_size": 384, "intermediate_size": 1024, "num_hidden_layers": 8, "num_attention_heads": 6}
TINY_SHAPE = {"hidden_size": 128, "intermediate_size": 320, "num_hidden_layers": 2, "num_attention_heads": 2}
HEAD_CHANNELS = 64
ROPE_BASE = 10_000.0
EPSILON = 1e-6


def build_model(vocabulary_size: int, *, tiny: bool = False) -> Any:
    """A `LlamaForCausalLM` with random weights in float32. `tiny` is for rehearsals on a CPU."""
    from transformers import LlamaConfig, LlamaForCausalLM

    shape = TINY_SHAPE if tiny else SHAPE
    config = LlamaConfig(
        vocab_size=vocabulary_size,
        **shape,
        num_key_value_heads=shape["num_attention_heads"],
        head_dim=HEAD_CHANNELS,
        rope_parameters={"rope_type": "default", "rope_theta": ROPE_BASE},
        rms_norm_eps=EPSILON,
        max_position_embeddings=MAX_LENGTH,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=END_ID,
        pad_token_id=PAD_ID,
        initializer_range=0.02,
        dtype="float32",
    )
    return LlamaForCausalLM(config)
