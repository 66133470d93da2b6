"""The four architectures that are measured, full-size and tiny: the configs of their parts. Imports torch only when asked.

Full sizes are those of the published models' configs (FLUX.1-schnell, Z-Image-Turbo, FLUX.2-klein-4B, Qwen3-4B).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Name = Literal["flux1", "z-image", "klein", "qwen4b"]
NAMES: tuple[Name, ...] = ("flux1", "z-image", "klein", "qwen4b")


@dataclass(frozen=True)
class Part:
    """A component with weights: library, class, and the arguments of its config."""

    library: Literal["diffusers", "transformers"]
    class_name: str
    config_class: str
    config: dict[str, Any]


@dataclass(frozen=True)
class Architecture:
    """A pipeline of several parts, or (`pipeline` empty) one language model called "model"."""

    pipeline: str
    parts: dict[str, Part]
    scheduler: dict[str, Any]
    tokenizers: dict[str, int]  # name -> model_max_length
    options: dict[str, Any]


def architecture(name: Name, tiny: bool) -> Architecture:
    """The parts of a model."""
    if name == "flux1":
        return _flux1(tiny)
    if name == "z-image":
        return _z_image(tiny)
    if name == "klein":
        return _klein(tiny)
    return Architecture("", {"model": _qwen3(tiny, "Qwen3ForCausalLM")}, {}, {"": 40960}, {})


def _qwen3(tiny: bool, class_name: str) -> Part:
    size = (
        {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 28, "num_attention_heads": 4,
         "num_key_value_heads": 2, "head_dim": 8, "vocab_size": 1024}
        if tiny
        else {"hidden_size": 2560, "intermediate_size": 9728, "num_hidden_layers": 36, "num_attention_heads": 32,
              "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 151936}
    )  # fmt: skip
    more = {"tie_word_embeddings": True, "max_position_embeddings": 40960, "rms_norm_eps": 1e-6}
    return Part("transformers", class_name, "Qwen3Config", {**size, **more})


def _vae(tiny: bool, **config: Any) -> Part:
    size = {"block_out_channels": (8, 16, 16, 16), "norm_num_groups": 4, "layers_per_block": 1, "sample_size": 64}
    full = {
        "block_out_channels": (128, 256, 512, 512),
        "norm_num_groups": 32,
        "layers_per_block": 2,
        "sample_size": 1024,
    }
    blocks = {"down_block_types": ("DownEncoderBlock2D",) * 4, "up_block_types": ("UpDecoderBlock2D",) * 4}
    return Part("diffusers", "AutoencoderKL", "", {**(size if tiny else full), **blocks, **config})


_SHIFTED = {"latent_channels": 16, "use_quant_conv": False, "use_post_quant_conv": False,
            "scaling_factor": 0.3611, "shift_factor": 0.1159}  # fmt: skip


def _flux1(tiny: bool) -> Architecture:
    clip = (
        {"hidden_size": 32, "intermediate_size": 37, "num_hidden_layers": 1, "num_attention_heads": 4}
        if tiny
        else {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12}
    )
    t5 = (
        {"d_model": 32, "d_kv": 8, "d_ff": 37, "num_layers": 2, "num_heads": 4, "vocab_size": 1024}
        if tiny
        else {"d_model": 4096, "d_kv": 64, "d_ff": 10240, "num_layers": 24, "num_heads": 64, "vocab_size": 32128}
    )
    transformer: dict[str, Any] = (
        {"num_layers": 2, "num_single_layers": 2, "attention_head_dim": 16, "num_attention_heads": 2,
         "joint_attention_dim": 32, "pooled_projection_dim": 32, "axes_dims_rope": (4, 4, 8)}
        if tiny
        else {"num_layers": 19, "num_single_layers": 38, "attention_head_dim": 128, "num_attention_heads": 24,
              "joint_attention_dim": 4096, "pooled_projection_dim": 768}
    )  # fmt: skip
    more = {"in_channels": 64, "guidance_embeds": False}
    gated = {"feed_forward_proj": "gated-gelu", "is_encoder_decoder": False, "tie_word_embeddings": False}
    return Architecture(
        "FluxPipeline",
        {
            "text_encoder": Part("transformers", "CLIPTextModel", "CLIPTextConfig", {**clip, "vocab_size": 49408}),
            "text_encoder_2": Part("transformers", "T5EncoderModel", "T5Config", {**t5, **gated}),
            "transformer": Part("diffusers", "FluxTransformer2DModel", "", {**transformer, **more}),
            "vae": _vae(tiny, **_SHIFTED),
        },
        {"shift": 1.0},
        {"tokenizer": 77, "tokenizer_2": 512},
        {},
    )


def _z_image(tiny: bool) -> Architecture:
    transformer = (
        {"dim": 64, "n_layers": 2, "n_refiner_layers": 1, "n_heads": 4, "n_kv_heads": 4, "cap_feat_dim": 32,
         "axes_dims": [4, 6, 6], "axes_lens": [1024, 512, 512]}
        if tiny
        else {"dim": 3840, "n_layers": 30, "n_refiner_layers": 2, "n_heads": 30, "n_kv_heads": 30, "cap_feat_dim": 2560,
              "axes_dims": [32, 48, 48], "axes_lens": [1024, 512, 512]}
    )  # fmt: skip
    return Architecture(
        "ZImagePipeline",
        {
            "text_encoder": _qwen3(tiny, "Qwen3Model"),
            "transformer": Part("diffusers", "ZImageTransformer2DModel", "", transformer),
            "vae": _vae(tiny, **_SHIFTED),
        },
        {"shift": 3.0},
        {"tokenizer": 40960},
        {},
    )


def _klein(tiny: bool) -> Architecture:
    encoder = _qwen3(tiny, "Qwen3ForCausalLM")
    joint = 3 * encoder.config["hidden_size"]  # the states of three layers side by side
    transformer = (
        {"num_layers": 1, "num_single_layers": 2, "attention_head_dim": 16, "num_attention_heads": 2,
         "axes_dims_rope": (4, 4, 4, 4)}
        if tiny
        else {"num_layers": 5, "num_single_layers": 20, "attention_head_dim": 128, "num_attention_heads": 24,
              "axes_dims_rope": (32, 32, 32, 32)}
    )  # fmt: skip
    more = {"in_channels": 128, "joint_attention_dim": joint, "guidance_embeds": False}
    vae = _vae(tiny, latent_channels=32)
    return Architecture(
        "Flux2KleinPipeline",
        {
            "text_encoder": encoder,
            "transformer": Part("diffusers", "Flux2Transformer2DModel", "", {**transformer, **more}),
            "vae": Part("diffusers", "AutoencoderKLFlux2", "", vae.config),
        },
        {"shift": 3.0},
        {"tokenizer": 40960},
        {"is_distilled": True},
    )
