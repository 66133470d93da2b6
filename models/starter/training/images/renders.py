"""Pictures with their captions, drawn by worker processes beside the training and handed over as files.

A chunk is one `.npz` of one aspect: `images` (n, height, width, 3) uint8, `tokens` (n, captions, 77) int16 and
`labels` (n, 3) int16 (setting, time, weather). It appears under its final name only when it is complete, and whoever
reads it deletes it; one that is gone or broken is skipped. Workers wait while too many chunks lie unread, and end when
their parent does.
"""

import contextlib
import multiprocessing
import os
import queue
import random
import shutil
import threading
import time
import zipfile
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.starter.training.illustrator.captions import caption
from models.starter.training.illustrator.compose import render
from models.starter.training.illustrator.scene import SIZES_BY_ASPECT, Scene, sample_scene
from models.starter.training.images import tokenizer as tokens_of
from models.starter.training.images.architecture import MAX_TOKENS
from models.starter.training.vocabulary import SETTINGS, TIMES, WEATHERS

CAPTIONS_PER_PICTURE = 4
ASPECT_SHARES = {"wide": 0.7, "square": 0.15, "tall": 0.15}
_SETTING_INDEX = {key: index for index, key in enumerate(SETTINGS)}
_TIME_INDEX = {key: index for index, key in enumerate(TIMES)}
_WEATHER_INDEX = {key: index for index, key in enumerate(WEATHERS)}
_MAX_UNREAD = 48


@dataclass(frozen=True)
class Chunk:
    """Pictures of one aspect with their captions and labels."""

    aspect: str
    images: npt.NDArray[np.uint8]
    tokens: npt.NDArray[np.int16]
    labels: npt.NDArray[np.int16]


def labels_of(scene: Scene) -> tuple[int, int, int]:
    """Indices of setting, time and weather; -1 where the setting does not show it."""
    setting = SETTINGS[scene.setting]
    return (
        _SETTING_INDEX[scene.setting],
        _TIME_INDEX[scene.time] if setting.shows_time else -1,
        _WEATHER_INDEX[scene.weather] if setting.shows_weather else -1,
    )


def draw_chunk(rng: random.Random, aspect: str, count: int, tokenizer_dir: Path) -> Chunk:
    """Draw `count` pictures of an aspect by lot."""
    width, height = SIZES_BY_ASPECT[aspect]
    images = np.empty((count, height, width, 3), np.uint8)
    labels = np.empty((count, 3), np.int16)
    texts: list[str] = []
    for index in range(count):
        scene = sample_scene(rng, aspect)
        images[index] = render(scene)
        labels[index] = labels_of(scene)
        texts += [caption(scene, rng) for _ in range(CAPTIONS_PER_PICTURE)]
    encoded = tokens_of.load(tokenizer_dir).encode_batch(texts)
    ids = np.array([encoding.ids for encoding in encoded], np.int16)
    return Chunk(aspect, images, ids.reshape(count, CAPTIONS_PER_PICTURE, MAX_TOKENS), labels)


def _work(
    directory: Path, tokenizer_dir: Path, seed: str, count: int, parent_pid: int, shares: dict[str, float]
) -> None:
    """Draw chunks until the parent is gone, each of an aspect drawn by lot."""
    os.nice(5)
    rng = random.Random(seed)
    number = 0
    while os.getppid() == parent_pid:
        if sum(1 for _ in directory.glob("*.npz")) >= _MAX_UNREAD:
            time.sleep(0.2)
            continue
        aspect = rng.choices(tuple(shares), tuple(shares.values()))[0]
        chunk = draw_chunk(rng, aspect, count, tokenizer_dir)
        unfinished = directory / f"{seed}-{number:05d}.{aspect}.part"
        with unfinished.open("wb") as file:
            np.savez(file, images=chunk.images, tokens=chunk.tokens, labels=chunk.labels)
        unfinished.rename(unfinished.with_suffix(".npz"))
        number += 1


class Renderers:
    """The worker processes of one part and the thread that reads what they drew.

    `directory` is this part's alone: it is emptied here and removed by `close`.
    """

    def __init__(
        self,
        directory: Path,
        tokenizer_dir: Path,
        *,
        workers: int,
        seed: str,
        chunk_size: int,
        shares: dict[str, float] | None = None,
    ) -> None:
        self._directory = directory
        self._directory.mkdir(parents=True, exist_ok=True)
        for stale in self._directory.iterdir():
            stale.unlink()
        self._chunks: queue.Queue[Chunk] = queue.Queue(8)
        self._stop = threading.Event()
        context = multiprocessing.get_context("spawn")
        self._processes: list[BaseProcess] = [
            context.Process(
                target=_work,
                args=(
                    self._directory,
                    tokenizer_dir,
                    f"{seed}-{index}",
                    chunk_size,
                    os.getpid(),
                    shares or ASPECT_SHARES,
                ),
                daemon=True,
            )
            for index in range(workers)
        ]
        for process in self._processes:
            process.start()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while not self._stop.is_set():
            paths = sorted(self._directory.glob("*.npz"))
            if not paths:
                time.sleep(0.1)
            for path in paths:
                aspect = path.name.split(".")[-2]
                try:
                    with np.load(path) as arrays:
                        chunk = Chunk(aspect, arrays["images"], arrays["tokens"], arrays["labels"])
                except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
                    print(f"renders: {path} cannot be read and is skipped: {error}", flush=True)
                    path.unlink(missing_ok=True)
                    continue
                path.unlink(missing_ok=True)
                while not self._stop.is_set():
                    with contextlib.suppress(queue.Full):
                        self._chunks.put(chunk, timeout=0.5)
                        break

    def take(self, *, wait_seconds: float = 0.0) -> Chunk | None:
        """The next chunk, or None when there is none within `wait_seconds`. Raises when every worker has died."""
        try:
            return self._chunks.get(timeout=wait_seconds) if wait_seconds else self._chunks.get_nowait()
        except queue.Empty:
            if not any(process.is_alive() for process in self._processes):
                raise RuntimeError("every rendering process has ended; its error is above") from None
            return None

    def close(self) -> None:
        """End the workers and the reader, and remove what was not read."""
        self._stop.set()
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.join(5)
        self._reader.join(5)
        shutil.rmtree(self._directory, ignore_errors=True)
