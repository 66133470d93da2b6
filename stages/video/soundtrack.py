"""The sound of the film: each voice at its place, silence elsewhere, at 48 kHz, mono, to the sample."""

from __future__ import annotations

import io
import struct
import wave
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import av
import numpy as np

from stages.pipeline.errors import SceneFailure
from stages.pipeline.manifests import FilmScene

SAMPLING_RATE = 48_000
Samples = np.ndarray[tuple[int, ...], np.dtype[np.int16]]


@dataclass(frozen=True)
class Voice:
    """A narration as it was recorded: int16 of shape (frames, channels)."""

    samples: Samples
    sampling_rate: int

    @property
    def seconds(self) -> float:
        """Its length, counted in samples."""
        return len(self.samples) / self.sampling_rate


def read_voice(data: bytes) -> Voice:
    """A 16-bit WAV. Raises SceneFailure when the bytes are none, or when nothing is in it."""
    try:
        with wave.open(io.BytesIO(data)) as file:
            if file.getsampwidth() != 2:
                raise SceneFailure(f"the voice has {8 * file.getsampwidth()}-bit samples; 16-bit WAV is understood")
            channels, rate, promised = file.getnchannels(), file.getframerate(), file.getnframes()
            samples = np.frombuffer(file.readframes(promised), dtype="<i2").astype(np.int16).reshape(-1, channels)
    except (wave.Error, EOFError, struct.error, ValueError, OverflowError) as error:
        raise SceneFailure(f"the voice cannot be read ({error or 'it ends too early'})") from error
    if len(samples) == 0 or len(samples) < promised:
        raise SceneFailure(f"the voice has {len(samples)} of {promised} samples; it is empty or was cut off")
    return Voice(samples, rate)


def soundtrack(scenes: Sequence[FilmScene], voices: Sequence[Voice]) -> Iterator[Samples]:
    """The sound of each scene in order, int16 of shape (samples,); together they last as long as the film, exactly."""
    for scene, voice in zip(scenes, voices, strict=True):
        first, last = _sample_at(scene.start_seconds), _sample_at(scene.end_seconds)
        sound = np.zeros(last - first, dtype=np.int16)
        start = _sample_at(scene.voice_start_seconds) - first
        spoken = resampled(voice)[: len(sound) - start]
        sound[start : start + len(spoken)] = spoken
        yield sound


def resampled(voice: Voice) -> Samples:
    """The voice at 48 kHz in one channel, int16 of shape (samples,)."""
    channels = voice.samples.shape[1]
    mono = voice.samples if channels == 1 else voice.samples.mean(axis=1).round().astype(np.int16)
    mono = np.ascontiguousarray(mono).reshape(-1)
    if voice.sampling_rate == SAMPLING_RATE:
        return mono
    frame = av.AudioFrame.from_ndarray(mono.reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate = voice.sampling_rate
    resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLING_RATE)
    parts = [part.to_ndarray().reshape(-1) for part in (*resampler.resample(frame), *resampler.resample(None))]
    return np.concatenate(parts).astype(np.int16)


def _sample_at(seconds: float) -> int:
    return round(seconds * SAMPLING_RATE)
