"""The stage's side of espeak-ng: chooses a voice for the language, and talks to the process that has the library.

Loads no GPL code: text goes out through a pipe, WAV comes back. A process that dies or hangs is started again.
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import select
import subprocess
import sys
import time
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stages.audio.voice import ESPEAK, Speech, Word
from stages.pipeline.definition import Placement
from stages.pipeline.errors import ConfigError, SceneFailure, WeightsMissing, one_line
from stages.pipeline.settings import Settings

PROCESS = Path(__file__).with_name("espeak_process.py")
START_SECONDS = 30.0
# espeak-ng makes about 1000 seconds of speech per second; these bounds only tell a hanging process from a busy machine.
SECONDS_PER_CHARACTER = 0.05
STARTS_PER_SENTENCE = 3

# English: the American voice is the evenest of 34 measured (peak -3 dBFS, no clipping, 0.5% of its power above 4 kHz).
# Its melody is narrow (6 semitones at a range of 50); 85 widens it to 7, and the lower pitch keeps its middle at 107 Hz.
BEST_VOICES = {"en": "en-us"}
PITCH, PITCH_RANGE = 44, 85


@dataclass(frozen=True)
class ChosenVoice:
    """A voice of espeak-ng by its identifier, with a variant of its timbre or none."""

    identifier: str
    variant: str = ""


@dataclass(frozen=True)
class PreparedEspeak:
    """espeak-ng before its process is started."""

    chosen: ChosenVoice
    words_per_minute: int

    def load(self, placement: Placement) -> EspeakVoice:
        """The voice; its process starts with the first sentence."""
        return EspeakVoice(self.chosen, self.words_per_minute)


def prepare_espeak(settings: Settings) -> PreparedEspeak:
    """Choose the voice. Raises ConfigError, WeightsMissing."""
    speaking = settings.audio
    return PreparedEspeak(choose_voice(settings.story.language, speaking.voice), speaking.words_per_minute)


def choose_voice(language: str, voice: str) -> ChosenVoice:
    """The voice to use: the one asked for (`en-gb`, `gmw/en`, `en-us+max`, ...), else the best for the language.

    Raises ConfigError, naming some that exist, WeightsMissing when espeak-ng is not on this machine.
    """
    known = _known_voices()
    wanted, plus, variant = (voice or BEST_VOICES.get(language, language)).partition("+")
    chosen = _find(known["voices"], wanted or BEST_VOICES.get(language, language))
    if chosen is None:
        tags = sorted({tag for listed in known["voices"] for tag, _ in listed["languages"]})
        sorry = f"voice {voice!r}" if voice else f"voice for the language {language!r}"
        raise ConfigError(
            f"espeak-ng has no {sorry}; it has {_some(tags, language)}: correct audio.voice or story.language"
        )
    if not plus:
        return ChosenVoice(chosen)
    variants = {listed["identifier"].removeprefix("!v/") for listed in known["variants"]}
    match = next((name for name in variants if name.casefold() == variant.casefold()), None)
    if match is None:
        raise ConfigError(f"espeak-ng has no variant {variant!r}; it has {_some(sorted(variants), variant)}")
    return ChosenVoice(chosen, match)


class EspeakVoice:
    """espeak-ng, spoken to through pipes; one process for the whole stage, started again when it dies."""

    max_characters = 5000

    def __init__(self, chosen: ChosenVoice, words_per_minute: int) -> None:
        self.name = chosen.identifier + (f"+{chosen.variant}" if chosen.variant else "")
        self.sampling_rate = 22050
        self._chosen = chosen
        self._words_per_minute = words_per_minute
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process that has the library, or None before the first sentence."""
        return self._process.pid if self._process else None

    def speak(self, text: str, seed: int) -> Speech:
        """Speak `text`. Raises SceneFailure when espeak-ng breaks off again and again, or refuses."""
        request = {
            "text": text,
            "voice": self._chosen.identifier,
            "variant": self._chosen.variant,
            "words_per_minute": self._words_per_minute,
            "pitch": PITCH,
            "pitch_range": PITCH_RANGE,
            "seed": seed,
        }
        line = json.dumps(request).encode() + b"\n"
        for _ in range(STARTS_PER_SENTENCE):
            try:
                header, wav = self._ask(line, START_SECONDS + SECONDS_PER_CHARACTER * len(text))
            except (OSError, EOFError, ValueError, wave.Error) as error:
                broken = one_line(str(error)) or type(error).__name__
                self.close()
                continue
            if "error" in header:
                raise SceneFailure(str(header["error"]))
            return self._speech(header, wav)
        raise SceneFailure(f"the espeak-ng process ended {STARTS_PER_SENTENCE} times on one sentence ({broken})")

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                with contextlib.suppress(BrokenPipeError):  # what was not sent yet cannot be sent any more
                    pipe.close()
        process.wait()

    def _ask(self, line: bytes, seconds: float) -> tuple[dict[str, Any], bytes]:
        process = self._process = self._process or _start()
        assert process.stdin and process.stdout
        process.stdin.write(line)
        process.stdin.flush()
        deadline = time.monotonic() + seconds
        received = bytearray()
        while b"\n" not in received:
            received += _read(process.stdout.fileno(), deadline)
        head, _, rest = bytes(received).partition(b"\n")
        header = json.loads(head)
        wav = bytearray(rest)
        while len(wav) < header.get("wav_bytes", 0):
            wav += _read(process.stdout.fileno(), deadline)
        return header, bytes(wav)

    def _speech(self, header: dict[str, Any], wav: bytes) -> Speech:
        with wave.open(io.BytesIO(wav)) as sound:
            self.sampling_rate = sound.getframerate()
            data = np.frombuffer(sound.readframes(sound.getnframes()), dtype="<i2")
        words = tuple(Word(first, characters, seconds) for first, characters, seconds in header["words"])
        return Speech(data.astype(np.float32) / np.float32(32768), words)


def _start() -> subprocess.Popen[bytes]:
    # -P keeps this folder off the process's import path; its stderr is the stage's, and so goes into the stage's log.
    return subprocess.Popen([sys.executable, "-P", str(PROCESS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def _read(descriptor: int, deadline: float) -> bytes:
    ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
    if not ready:
        raise TimeoutError("espeak-ng did not answer in time")
    data = os.read(descriptor, 1 << 20)
    if not data:
        raise EOFError("espeak-ng ended")
    return data


@functools.cache  # the voices of an installed library do not change under a process
def _known_voices() -> dict[str, list[dict[str, Any]]]:
    command = [sys.executable, "-P", str(PROCESS), "--voices"]
    listing = subprocess.run(command, capture_output=True, check=False)
    if listing.returncode < 0:  # ended by a signal, which says nothing about espeak-ng
        listing = subprocess.run(command, capture_output=True, check=False)
    if listing.returncode != 0:
        reason = one_line(listing.stderr.decode(errors="replace"), 300)
        raise WeightsMissing(
            f"{ESPEAK} cannot be used on this machine ({reason}); "
            'install it with `pip install "scene-relay[espeak]"`, or choose a profile with another voice'
        )
    known: dict[str, list[dict[str, Any]]] = json.loads(listing.stdout)
    return known


def _find(voices: list[dict[str, Any]], wanted: str) -> str | None:
    """The identifier of the voice that is called `wanted`, or that speaks the language of that tag best."""
    wanted = wanted.casefold()
    for listed in voices:
        if wanted in (listed["identifier"].casefold(), listed["name"].strip().casefold()):
            return str(listed["identifier"])
    speaking = [
        (priority, number, listed["identifier"])
        for number, listed in enumerate(voices)
        for tag, priority in listed["languages"]
        if tag.casefold() == wanted
    ]
    return str(min(speaking)[2]) if speaking else None


def _some(names: list[str], like: str, count: int = 12) -> str:
    """Up to `count` names, those that begin like the one asked for first."""
    near = [name for name in names if like and name.casefold().startswith(like[:1].casefold())]
    shown = (near + [name for name in names if name not in near])[:count]
    return ", ".join(shown) + (f" and {len(names) - len(shown)} more" if len(names) > len(shown) else "")
