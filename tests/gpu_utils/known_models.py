"""Architectures whose memory was measured, as tensors of the right names and shapes in files that hold nothing."""

from __future__ import annotations

from pathlib import Path

from tests.gpu_utils.checkpoint_files import Part, language_model, pipeline

Shapes = dict[str, tuple[int, ...]]
VAE_CONFIG = {"block_out_channels": [128, 256, 512, 512], "latent_channels": 16}
VAE: Part = ("diffusers", "AutoencoderKL", VAE_CONFIG, {"decoder.weight": (83_819_683,)})


def linear(name: str, outputs: int, inputs: int) -> Shapes:
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def flux_transformer(hidden: int = 3072, double: int = 19, single: int = 38) -> Shapes:
    """11.9 B: FLUX.1's, as diffusers 0.42 builds it."""
    found = linear("context_embedder", hidden, 4096) | linear("x_embedder", hidden, 64)
    for embedder, inputs in (("timestep_embedder", 256), ("text_embedder", 768)):
        found |= linear(f"time_text_embed.{embedder}.linear_1", hidden, inputs)
        found |= linear(f"time_text_embed.{embedder}.linear_2", hidden, hidden)
    for block in (f"transformer_blocks.{number}" for number in range(double)):
        for norm in ("norm1", "norm1_context"):
            found |= linear(f"{block}.{norm}.linear", 6 * hidden, hidden)
        for projection in ("to_q", "to_k", "to_v", "to_out.0", "add_q_proj", "add_k_proj", "add_v_proj", "to_add_out"):
            found |= linear(f"{block}.attn.{projection}", hidden, hidden)
        for feed_forward in ("ff", "ff_context"):
            found |= linear(f"{block}.{feed_forward}.net.0.proj", 4 * hidden, hidden)
            found |= linear(f"{block}.{feed_forward}.net.2", hidden, 4 * hidden)
    for block in (f"single_transformer_blocks.{number}" for number in range(single)):
        found |= linear(f"{block}.norm.linear", 3 * hidden, hidden) | linear(f"{block}.proj_mlp", 4 * hidden, hidden)
        found |= linear(f"{block}.proj_out", hidden, 5 * hidden)
        for projection in ("to_q", "to_k", "to_v"):
            found |= linear(f"{block}.attn.{projection}", hidden, hidden)
    return found | linear("norm_out.linear", 2 * hidden, hidden) | linear("proj_out", 64, hidden)


def t5_encoder() -> Shapes:
    """4.8 B: T5 v1.1 XXL, its encoder."""
    found: Shapes = {"shared.weight": (32128, 4096), "encoder.embed_tokens.weight": (32128, 4096)}
    for layer in (f"encoder.block.{number}.layer" for number in range(24)):
        found |= {f"{layer}.0.SelfAttention.{name}.weight": (4096, 4096) for name in "qkvo"}
        found |= {f"{layer}.1.DenseReluDense.wi_{name}.weight": (10240, 4096) for name in "01"}
        found |= {f"{layer}.1.DenseReluDense.wo.weight": (4096, 10240), f"{layer}.0.layer_norm.weight": (4096,)}
    return found


def flux(folder: Path, dtype: str = "BF16") -> Path:
    """33.7 GB in bfloat16."""
    clip: Shapes = {"text_model.embeddings.token_embedding.weight": (49408, 768), "text_model.rest": (85_116_416,)}
    config = {"attention_head_dim": 128, "num_attention_heads": 24, "in_channels": 64}
    parts: dict[str, Part] = {
        "text_encoder": ("transformers", "CLIPTextModel", {"hidden_size": 768}, clip),
        "text_encoder_2": ("transformers", "T5EncoderModel", {"d_model": 4096, "num_layers": 24}, t5_encoder()),
        "transformer": ("diffusers", "FluxTransformer2DModel", config, flux_transformer()),
        "vae": VAE,
    }
    return pipeline(folder, "FluxPipeline", parts, dtype)


QWEN3_4B = {
    "hidden_size": 2560,
    "intermediate_size": 9728,
    "num_hidden_layers": 36,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "vocab_size": 151936,
    "tie_word_embeddings": True,
}


def qwen3_4b(folder: Path, dtype: str = "BF16") -> Path:
    """8 GB in bfloat16."""
    shapes: Shapes = {"model.embed_tokens.weight": (151936, 2560), "model.norm.weight": (2560,)}
    for layer in (f"model.layers.{number}" for number in range(36)):
        shapes |= {f"{layer}.self_attn.q_proj.weight": (4096, 2560), f"{layer}.self_attn.o_proj.weight": (2560, 4096)}
        shapes |= {f"{layer}.self_attn.{name}_proj.weight": (1024, 2560) for name in "kv"}
        shapes |= {f"{layer}.mlp.{name}_proj.weight": (9728, 2560) for name in ("gate", "up")}
        shapes |= {f"{layer}.mlp.down_proj.weight": (2560, 9728), f"{layer}.input_layernorm.weight": (2560,)}
    return language_model(folder, shapes, QWEN3_4B, dtype)
