"""Tiny text-to-image checkpoints with random weights, built in a second: what diffusers loads, in a few hundred kilobytes.

`build_stable_diffusion`, `build_sdxl` and `build_latent_consistency` are the families around a UNet, `build_flux` and
`build_qwen_image` those around a transformer with packed latents. Their pictures are coloured noise, sound enough for the
stage's checks; `spoil_decoder` makes every picture a bad one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

Fault = Literal["black", "flat", "nan"]
CLIP_TOKENS = 77
_UNET: dict[str, Any] = {
    "sample_size": 8,
    "block_out_channels": (16, 32),
    "layers_per_block": 1,
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
    "cross_attention_dim": 32,
    "attention_head_dim": 8,
    "norm_num_groups": 8,
}
_VAE: dict[str, Any] = {
    "block_out_channels": (8, 16, 16, 16),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "norm_num_groups": 4,
    "latent_channels": 4,
}


def build_stable_diffusion(directory: Path, seed: int = 0) -> Path:
    """A StableDiffusionPipeline: sizes are multiples of 8, prompts are read up to 77 tokens."""
    import torch
    from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel

    torch.manual_seed(seed)
    unet = UNet2DConditionModel(**_UNET)
    vae = AutoencoderKL(**_VAE)
    pipeline = StableDiffusionPipeline(
        vae=vae,
        text_encoder=_clip_text_model(),
        tokenizer=_clip_tokenizer(),
        unet=unet,
        scheduler=DDIMScheduler(clip_sample=False, steps_offset=1),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    return _saved(pipeline, directory)


def build_flux(directory: Path, seed: int = 0) -> Path:
    """A FluxPipeline: sizes are multiples of 16, two text encoders, the longer one reads 512 tokens."""
    import torch
    from diffusers import AutoencoderKL, FlowMatchEulerDiscreteScheduler, FluxPipeline, FluxTransformer2DModel
    from transformers import T5Config, T5EncoderModel

    torch.manual_seed(seed)
    transformer = FluxTransformer2DModel(
        in_channels=64,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=32,
        pooled_projection_dim=32,
        axes_dims_rope=(4, 4, 8),
    )
    vae = AutoencoderKL(
        block_out_channels=(8, 16, 16, 16),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        norm_num_groups=4,
        latent_channels=16,
        use_quant_conv=False,
        use_post_quant_conv=False,
        shift_factor=0.06,
        scaling_factor=1.5,
    )
    text_encoder_2 = T5EncoderModel(T5Config(vocab_size=256, d_model=32, d_kv=8, d_ff=37, num_layers=1, num_heads=4))
    pipeline = FluxPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(shift=1.0),
        vae=vae,
        text_encoder=_clip_text_model(),
        tokenizer=_clip_tokenizer(),
        text_encoder_2=text_encoder_2,
        tokenizer_2=_t5_tokenizer(),
        transformer=transformer,
    )
    return _saved(pipeline, directory)


def build_sdxl(directory: Path, seed: int = 0) -> Path:
    """A StableDiffusionXLPipeline: two CLIP encoders, pooled embeddings, sizes among the conditions."""
    import torch
    from diffusers import AutoencoderKL, EulerDiscreteScheduler, StableDiffusionXLPipeline, UNet2DConditionModel
    from transformers import CLIPTextModelWithProjection

    torch.manual_seed(seed)
    text_encoder = _clip_text_model()
    added = {
        "cross_attention_dim": 64,
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 8,
        "projection_class_embeddings_input_dim": 6 * 8 + 32,
        "use_linear_projection": True,
    }
    pipeline = StableDiffusionXLPipeline(
        vae=AutoencoderKL(**_VAE),
        text_encoder=text_encoder,
        text_encoder_2=CLIPTextModelWithProjection(text_encoder.config),
        tokenizer=_clip_tokenizer(),
        tokenizer_2=_clip_tokenizer(),
        unet=UNet2DConditionModel(**{**_UNET, **added}),
        scheduler=EulerDiscreteScheduler(),
    )
    return _saved(pipeline, directory)


def build_latent_consistency(directory: Path, seed: int = 0) -> Path:
    """A LatentConsistencyModelPipeline: its UNet is told the guidance."""
    import torch
    from diffusers import AutoencoderKL, LatentConsistencyModelPipeline, LCMScheduler, UNet2DConditionModel

    torch.manual_seed(seed)
    pipeline = LatentConsistencyModelPipeline(
        vae=AutoencoderKL(**_VAE),
        text_encoder=_clip_text_model(),
        tokenizer=_clip_tokenizer(),
        unet=UNet2DConditionModel(**_UNET, time_cond_proj_dim=16),
        scheduler=LCMScheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    return _saved(pipeline, directory)


def build_qwen_image(directory: Path, seed: int = 0) -> Path:
    """A QwenImagePipeline: a seeing language model as text encoder, a VAE of films, guidance by a negative prompt."""
    import torch
    from diffusers import (
        AutoencoderKLQwenImage,
        FlowMatchEulerDiscreteScheduler,
        QwenImagePipeline,
        QwenImageTransformer2DModel,
    )
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    from tests.checkpoints.text import byte_level_tokenizer

    torch.manual_seed(seed)
    channels = 4
    transformer = QwenImageTransformer2DModel(
        patch_size=2, in_channels=4 * channels, out_channels=channels, num_layers=2, attention_head_dim=16,
        num_attention_heads=2, joint_attention_dim=16, guidance_embeds=False, axes_dims_rope=(4, 6, 6),
    )  # fmt: skip
    vae = AutoencoderKLQwenImage(
        base_dim=6 * channels, z_dim=channels, dim_mult=[1, 2, 4], num_res_blocks=1, temperal_downsample=[False, True],
        latents_mean=[0.1] * channels, latents_std=[1.5] * channels,
    )  # fmt: skip
    rope = {"mrope_section": [1, 1, 2], "rope_type": "default", "type": "default"}
    sizes = {"hidden_size": 16, "intermediate_size": 16}
    heads = {"num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 2}
    text = {**sizes, **heads, "rope_scaling": rope, "rope_theta": 1e6, "vocab_size": 1024}
    vision = {**sizes, "depth": 2, "num_heads": 2, "out_hidden_size": 16}
    pipeline = QwenImagePipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(),
        vae=vae,
        text_encoder=Qwen2_5_VLForConditionalGeneration(Qwen2_5_VLConfig(text_config=text, vision_config=vision)),
        tokenizer=byte_level_tokenizer(),
        transformer=transformer,
    )
    return _saved(pipeline, directory)


def spoil_decoder(directory: Path, fault: Fault) -> Path:
    """Change the VAE of a checkpoint so that whatever is decoded is black, of one flat colour, or not a number."""
    import torch
    from safetensors.torch import load_file, save_file

    path = directory / "vae" / "diffusion_pytorch_model.safetensors"
    weights = load_file(path)
    weights["decoder.conv_out.weight"].zero_()
    weights["decoder.conv_out.bias"] = torch.full((3,), {"black": -1.0, "flat": 0.2, "nan": float("nan")}[fault])
    save_file(weights, path)
    return directory


def _saved(pipeline: Any, directory: Path) -> Path:
    pipeline.save_pretrained(directory)
    return directory


def _clip_text_model() -> Any:
    from transformers import CLIPTextConfig, CLIPTextModel

    config = CLIPTextConfig(
        vocab_size=len(_clip_vocabulary()),
        hidden_size=32,
        intermediate_size=37,
        num_hidden_layers=1,
        num_attention_heads=4,
        projection_dim=32,
        bos_token_id=_clip_vocabulary()["<|startoftext|>"],
        eos_token_id=_clip_vocabulary()["<|endoftext|>"],
    )
    return CLIPTextModel(config)


def _clip_vocabulary() -> dict[str, int]:
    """Every printable ASCII character is a token, alone and as the end of a word."""
    characters = [chr(code) for code in range(33, 127)]
    words = [*characters, *(character + "</w>" for character in characters), "<|startoftext|>", "<|endoftext|>"]
    return {word: number for number, word in enumerate(words)}


def _clip_tokenizer() -> Any:
    from transformers import CLIPTokenizer

    return CLIPTokenizer(vocab=_clip_vocabulary(), merges=[], model_max_length=CLIP_TOKENS)


def _t5_tokenizer() -> Any:
    from transformers import T5TokenizerFast

    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", -2.0), ("\N{LOWER ONE EIGHTH BLOCK}", -2.0)]
    pieces += [(chr(code), -3.0) for code in range(33, 127)]
    return T5TokenizerFast(vocab=pieces, model_max_length=512, extra_ids=0)
