"""The three networks and the scheduler of the starter image model, as stock diffusers and transformers classes.

Sizes are chosen for two CPU cores and 65 MB in fp16. `tiny=True` gives the same shapes of data with almost no
parameters, for a smoke run.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from diffusers import AutoencoderKL, DPMSolverMultistepScheduler, UNet2DConditionModel
    from transformers import CLIPTextModel

LATENT_CHANNELS = 12
DOWNSAMPLING = 8
MAX_TOKENS = 77
TEXT_WIDTH = 256


def autoencoder(*, tiny: bool = False) -> "AutoencoderKL":
    """Eight times smaller, `LATENT_CHANNELS` deep. `scaling_factor` is 1: the latent statistics are folded in later."""
    from diffusers import AutoencoderKL

    widths = (16, 16, 16, 16) if tiny else (32, 80, 144, 160)
    return AutoencoderKL(
        in_channels=3,
        out_channels=3,
        latent_channels=LATENT_CHANNELS,
        block_out_channels=widths,
        layers_per_block=1,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        norm_num_groups=16,
        mid_block_add_attention=False,
        sample_size=384,
        scaling_factor=1.0,
    )


def denoiser(*, tiny: bool = False) -> "UNet2DConditionModel":
    """Predicts the flow `noise - latent`. Attention to the text at the two lower of three levels."""
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        sample_size=48,
        in_channels=LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        layers_per_block=1,
        block_out_channels=(32, 32, 32) if tiny else (128, 192, 256),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        mid_block_type="UNetMidBlock2DCrossAttn",
        cross_attention_dim=TEXT_WIDTH,
        attention_head_dim=4,
        use_linear_projection=True,
        norm_num_groups=32,
    )


def text_encoder(vocabulary_size: int, bos: int, eos: int, *, tiny: bool = False) -> "CLIPTextModel":
    """A small causal transformer over the prompt, trained together with the denoiser."""
    from transformers import CLIPTextConfig, CLIPTextModel

    config = CLIPTextConfig(
        vocab_size=vocabulary_size,
        hidden_size=TEXT_WIDTH,
        intermediate_size=TEXT_WIDTH * (1 if tiny else 4),
        num_hidden_layers=1 if tiny else 5,
        num_attention_heads=4,
        max_position_embeddings=MAX_TOKENS,
        bos_token_id=bos,
        eos_token_id=eos,
        pad_token_id=eos,
    )
    return CLIPTextModel(config)


def scheduler() -> "DPMSolverMultistepScheduler":
    """Second-order DPM-Solver++ over a rectified flow."""
    from diffusers import DPMSolverMultistepScheduler

    return DPMSolverMultistepScheduler(
        num_train_timesteps=1000,
        prediction_type="flow_prediction",
        use_flow_sigmas=True,
        flow_shift=1.0,
        solver_order=2,
        steps_offset=1,
        final_sigmas_type="zero",
    )
