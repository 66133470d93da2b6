"""What the training is built of: tokenizer, shards, latent folding, scheduler. The networks here are tiny."""

import random
from pathlib import Path

import pytest
import torch

from models.starter.training.illustrator.captions import caption
from models.starter.training.illustrator.scene import sample_scene
from models.starter.training.images import architecture, autoencoder, parts, pools, shards, tokenizer
from models.starter.training.images.renders import draw_chunk
from models.starter.training.vocabulary import SETTINGS


@pytest.fixture(scope="module")
def tokenizer_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("tokenizer")
    tokenizer.train(directory, captions=1500)
    return directory


def test_the_tokenizer_reads_any_text_and_both_readers_agree(tokenizer_dir: Path) -> None:
    from transformers import CLIPTokenizer

    slow, fast = CLIPTokenizer.from_pretrained(tokenizer_dir), tokenizer.load(tokenizer_dir)
    for text in ("a red boat on the ocean at night", "Neon Tokyo — żółw 漢字 🚀 at night", "", "x" * 500):
        ids = slow(text, padding="max_length", max_length=77, truncation=True).input_ids
        assert ids == fast.encode(text).ids
        assert len(ids) == 77
        assert slow.eos_token_id in ids


def test_captions_fit_the_tokens(tokenizer_dir: Path) -> None:
    reader = tokenizer.load(tokenizer_dir)
    rng = random.Random(1)
    eos = reader.token_to_id(tokenizer.EOS)
    encoded = reader.encode_batch([caption(sample_scene(rng), rng) for _ in range(500)])
    assert sum(encoding.ids[-1] != eos for encoding in encoded) == 0
    assert sum(encoding.ids[-2] != eos for encoding in encoded) / 500 < 0.01


def test_shards_are_small_and_come_back(tmp_path: Path) -> None:
    state = {f"weight{i}": torch.randn(1000, 2000) for i in range(9)} | {"count": torch.tensor(3)}
    paths = shards.save(state, tmp_path, "unet")
    assert len(paths) == 3
    assert all(path.stat().st_size < 16 * 2**20 for path in paths)
    loaded = shards.load(tmp_path, "unet")
    assert loaded.keys() == state.keys()
    assert torch.allclose(loaded["weight8"], state["weight8"], atol=2e-3)
    assert loaded["count"].item() == 3


def test_folding_changes_latents_and_not_pictures(tokenizer_dir: Path) -> None:
    torch.manual_seed(0)
    model = architecture.autoencoder(tiny=True).eval()
    pool = pools.image_pool(40, "cpu")
    for aspect in pool:
        chunk = draw_chunk(random.Random(2), aspect, 4, tokenizer_dir)
        pool[aspect].add(*(torch.from_numpy(part) for part in (chunk.images, chunk.tokens, chunk.labels)))
    images = pools.to_unit(pool["wide"].data[:4])
    with torch.no_grad():
        before = autoencoder.decode(model, autoencoder.encode_moments(model, images)[:, :12])
        autoencoder.fold_statistics(model, pool)
        latents = autoencoder.encode_moments(model, images)[:, :12]
        after = autoencoder.decode(model, latents)
    assert torch.allclose(before, after, atol=1e-3)
    assert 0.5 < latents.std().item() < 2


def test_a_full_shelf_replaces_its_oldest_rows() -> None:
    shelf = pools.image_pool(20, "cpu")["square"]
    capacity = len(shelf.data)
    for value in range(capacity + 2):
        shelf.add(
            torch.full((1, *shelf.data.shape[1:]), value, dtype=torch.uint8),
            torch.zeros((1, *shelf.tokens.shape[1:]), dtype=torch.int16),
            torch.zeros((1, 3), dtype=torch.int16),
        )
    assert shelf.count == capacity
    assert shelf.data[:3, 0, 0, 0].tolist() == [capacity, capacity + 1, 2]


def test_diffusion_refuses_to_begin_without_a_good_autoencoder(tmp_path: Path) -> None:
    budget = parts.Budget(tmp_path / "work", tmp_path / "out", 0.01, 1, smoke=True, compile=False)
    with pytest.raises(parts.GateError, match="run the autoencoder part first"):
        parts.run_diffusion(budget, final=False)
    weights = tmp_path / "work" / "weights"
    weights.mkdir(parents=True)
    (weights / "autoencoder.json").write_text('{"psnr_db": 31.2}', encoding="utf-8")
    with pytest.raises(parts.GateError, match=r"31\.20 dB, 32 are needed"):
        parts.run_diffusion(budget, final=False)


def test_chunks_carry_labels_that_match_the_vocabulary(tokenizer_dir: Path) -> None:
    chunk = draw_chunk(random.Random(4), "tall", 12, tokenizer_dir)
    assert chunk.images.shape == (12, 384, 224, 3)
    assert chunk.tokens.shape == (12, 4, 77)
    for setting_index, time_index, weather_index in chunk.labels:
        setting = tuple(SETTINGS.values())[setting_index]
        assert (time_index >= 0) == setting.shows_time
        assert (weather_index >= 0) == setting.shows_weather
