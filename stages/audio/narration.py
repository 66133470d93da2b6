"""One narration, spoken sentence by sentence: text in, samples and sentence times out. Knows no model and no file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stages.audio import waveform
from stages.audio.sentences import split_long, split_sentences
from stages.audio.spoken_form import spoken_form
from stages.audio.voice import Speech, Voice, Word
from stages.pipeline.errors import SceneFailure, one_line
from stages.pipeline.manifests import MAX_SEED, Sentence

if TYPE_CHECKING:
    from stages.audio.voice import Samples

# A question or an unfinished thought is left standing a little longer; a short call is followed sooner.
_LONGER, _SHORTER, _SHORT_WORDS = 1.35, 0.75, 3
_LEFT_STANDING = ("?", "？", "؟", "…", "...", "\u037e")


@dataclass(frozen=True)
class SpokenWord:
    """A word as it was said, and when it begins, from the start of the narration."""

    text: str
    start_seconds: float


@dataclass(frozen=True)
class Narration:
    """`samples` float32 mono; every time is a count of samples divided by the sampling rate.

    `words` are those of the spoken form ("nineteen eighty-four", not "1984"), where the voice tells; else empty.
    """

    samples: Samples
    sampling_rate: int
    sentences: tuple[Sentence, ...]
    words: tuple[SpokenWord, ...] = ()

    @property
    def seconds(self) -> float:
        """Length as measured from the samples."""
        return len(self.samples) / self.sampling_rate


def narrate(voice: Voice, text: str, language: str, pause_seconds: float, seed: int) -> Narration:
    """Speak `text`. Raises SceneFailure when there is nothing to say, or a sentence comes out silent or clipped."""
    sentences = split_sentences(text, language)
    if not sentences:
        raise SceneFailure("the narration has nothing that can be spoken: no letters and no digits")
    pieces: list[Samples] = []
    timed: list[Sentence] = []
    words: list[SpokenWord] = []
    position = 0
    for number, sentence in enumerate(sentences):
        start = position
        for part in split_long(spoken_form(sentence, language), voice.max_characters):
            speech = _speak(voice, part, (seed + number) % (MAX_SEED + 1), sentence)
            samples, cut = waveform.trimmed(speech.samples, voice.sampling_rate)
            words.extend(_placed(speech.words, part, position - cut, voice.sampling_rate))
            pieces.append(samples)
            position += len(samples)
        rate = voice.sampling_rate
        timed.append(Sentence(text=sentence, start_seconds=start / rate, end_seconds=position / rate))
        if number < len(sentences) - 1:
            pieces.append(waveform.silence(_pause(sentence, pause_seconds), rate))
            position += len(pieces[-1])
    samples = waveform.levelled(pieces, voice.sampling_rate)
    return Narration(samples, voice.sampling_rate, tuple(timed), tuple(words))


def _speak(voice: Voice, part: str, seed: int, sentence: str) -> Speech:
    speech = voice.speak(part, seed)
    problem = waveform.fault(speech.samples)
    if problem:
        raise SceneFailure(f"{problem}, in the sentence {one_line(sentence, 80)!r}")
    return speech


def _placed(words: tuple[Word, ...], part: str, offset: int, sampling_rate: int) -> list[SpokenWord]:
    """The words with their times moved to where their sentence lies in the narration; `offset` is in samples."""
    return [
        SpokenWord(
            part[word.first_character : word.first_character + word.characters],
            max(0.0, word.start_seconds + offset / sampling_rate),
        )
        for word in words
    ]


def _pause(sentence: str, pause_seconds: float) -> float:
    """Silence after a sentence."""
    ending = sentence.rstrip("\"'”’\u00bb)\u300d ")
    if ending.endswith(_LEFT_STANDING):
        return pause_seconds * _LONGER
    return pause_seconds * (_SHORTER if len(sentence.split()) <= _SHORT_WORDS and " " in sentence else 1.0)
