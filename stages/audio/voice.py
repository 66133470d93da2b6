"""What every voice gives: sound for one piece of text, and the times of its words where the voice knows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Samples = NDArray[np.float32]

ESPEAK = "espeak-ng"


@dataclass(frozen=True)
class Word:
    """A word of the spoken text: where it stands (`first_character`, `characters`) and when it begins."""

    first_character: int
    characters: int
    start_seconds: float


@dataclass(frozen=True)
class Speech:
    """Samples between -1 and 1, mono, of shape (samples,); `words` is empty where the voice does not tell."""

    samples: Samples
    words: tuple[Word, ...] = ()


class Voice(Protocol):
    """A loaded voice. `max_characters` is the longest text it speaks well in one piece."""

    name: str
    sampling_rate: int
    max_characters: int

    def speak(self, text: str, seed: int) -> Speech:
        """Speak `text`; equal text and seed give equal samples. Raises SceneFailure when the voice breaks off."""
        ...

    def close(self) -> None:
        """Give back what the voice holds."""
        ...
