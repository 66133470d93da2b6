"""What the training is built of: tokenizer, shards, latent folding, scheduler. The networks here are tiny."""

import os
import random
from pathlib import Path

import numpy as np
import pytest
import torch

from models.starter.training.illustrator.captions import caption
from models.starter.training.illustrator.scene import sample_scene
from models.starter.training.images import (
    architecture,
    autoencoder,
    compiling,
    diffusion,
    parts,
    pools,
    shards,
    tokenizer,
)
from models.starter.training.images.budget import Budget, start_renderers
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
    budget = Budget(tmp_path / "work", tmp_path / "out", 0.01, 1, smoke=True, compile=False)
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


def put_chunk(directory: Path, aspect: str, tokenizer_dir: Path) -> None:
    """Lay one picture down as a worker does."""
    chunk = draw_chunk(random.Random(5), aspect, 1, tokenizer_dir)
    unfinished = directory / f"b.{aspect}.part"
    with unfinished.open("wb") as file:
        np.savez(file, images=chunk.images, tokens=chunk.tokens, labels=chunk.labels)
    unfinished.rename(unfinished.with_suffix(".npz"))


@pytest.fixture
def no_workers(tmp_path: Path) -> Budget:
    return Budget(tmp_path / "work", tmp_path / "out", 1, workers=0, smoke=True, compile=False)


def test_parts_at_the_same_time_read_and_clear_their_own_pictures_only(no_workers: Budget, tokenizer_dir: Path) -> None:
    folders = {part: no_workers.work_dir / "renders" / part for part in ("diffusion", "judge")}
    for folder in folders.values():
        folder.mkdir(parents=True)
        (folder / "old.wide.part").touch()
    diffusion_renders = start_renderers(no_workers, "diffusion")
    assert not (folders["diffusion"] / "old.wide.part").exists()
    assert (folders["judge"] / "old.wide.part").exists()
    judge_renders = start_renderers(no_workers, "judge")
    put_chunk(folders["diffusion"], "tall", tokenizer_dir)
    put_chunk(folders["judge"], "wide", tokenizer_dir)
    of_judge, of_diffusion = judge_renders.take(wait_seconds=10), diffusion_renders.take(wait_seconds=10)
    judge_renders.close()
    assert of_judge is not None and of_judge.aspect == "wide"
    assert of_diffusion is not None and of_diffusion.aspect == "tall"
    assert not folders["judge"].exists()
    assert folders["diffusion"].exists()
    diffusion_renders.close()


def test_pictures_that_are_gone_or_broken_are_skipped(
    no_workers: Budget, tokenizer_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    renders = start_renderers(no_workers, "diffusion")
    folder = no_workers.work_dir / "renders" / "diffusion"
    (folder / "a-gone.wide.npz").symlink_to(folder / "nowhere")
    (folder / "a-broken.wide.npz").write_bytes(b"PK\x03\x04 cut off")
    put_chunk(folder, "square", tokenizer_dir)
    chunk = renders.take(wait_seconds=10)
    renders.close()
    assert chunk is not None and chunk.aspect == "square"
    said = capsys.readouterr().out
    for name in ("a-gone", "a-broken"):
        assert f"{name}.wide.npz cannot be read and is skipped" in said


def test_the_compiled_denoiser_is_seen_wherever_the_compiler_keeps_its_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setattr(diffusion, "warm_compile", lambda _: None)
    monkeypatch.setattr(os, "nice", lambda _: 0)
    compiling.compile_ahead(tmp_path / "work")
    assert compiling.compiled_mark(tmp_path / "work").exists()


def a_small_model() -> diffusion.Model:
    return diffusion.Model(diffusion.Settings(device="cpu", seconds=0, batch_size=2, tiny=True), 400, 0, 1)


def test_a_step_lowers_the_loss_and_its_state_comes_back(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = a_small_model()
    predict = diffusion.Predictor(model.unet)
    latents, tokens = torch.randn(2, 12, 28, 48), torch.randint(2, 400, (2, 77))
    times = torch.tensor([0.3, 0.8])
    losses = []
    for _ in range(12):
        torch.manual_seed(7)
        loss = model.loss(predict, latents, tokens, times)
        loss.backward()  # type: ignore[no-untyped-call]
        model.update(2e-3, 0.99)
        losses.append(loss.item())
    assert losses[-1] < losses[0] - 0.01
    model.save_state(tmp_path / "state.pt")
    other = a_small_model()
    other.load_state(tmp_path / "state.pt")
    assert other.steps == 12
    for mine, its in zip(model.unet.parameters(), other.unet.parameters(), strict=True):
        assert torch.equal(mine, its)


def test_a_denoiser_that_cannot_be_compiled_is_run_eagerly(capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(*_: object, **__: object) -> torch.Tensor:
        raise RuntimeError("no compiler here")

    model = a_small_model()
    predict = diffusion.Predictor(model.unet, lambda: True)
    inputs = torch.randn(1, 12, 28, 48), torch.tensor([500.0]), torch.randn(1, 77, 256)
    with pytest.MonkeyPatch.context() as patch, torch.no_grad():
        patch.setattr(torch, "compile", lambda *_, **__: refuse)
        assert predict(*inputs).shape == (1, 12, 28, 48)
    assert not predict.compiled
    assert "no compiler here" in capsys.readouterr().out


def test_a_training_can_go_on_from_the_pipeline_that_ships() -> None:
    denoiser = architecture.denoiser()
    denoiser.load_state_dict(shards.load(Path("models/starter/images"), "unet"))
    assert all(p.dtype == torch.float32 for p in denoiser.parameters())
