"""espeak-ng in a process of its own: requests come in as JSON lines on stdin, WAV and word times go out on stdout.

espeak-ng is GPL-3, so it is loaded here and nowhere else: this program is started by its path, shares no code and no
memory with the stage, and knows nothing of the project. `--voices` prints the voices as JSON and ends.

Request, one line:    {"text", "voice", "variant", "words_per_minute", "pitch", "pitch_range", "seed"}
Answer, one line:     {"wav_bytes": N, "words": [[first_character, characters, seconds], ...]} and then N bytes of WAV
                      (mono, 16 bit), or {"error": "..."} alone.
"""

from __future__ import annotations

import ctypes
import io
import json
import os
import signal
import sys
import wave
from typing import Any

AUDIO_OUTPUT_SYNCHRONOUS = 2
DONT_EXIT_ON_ERROR = 0x8000
CHARACTERS_UTF8 = 1  # neither SSML (0x10) nor [[phonemes]] (0x100): whatever the text holds, it is only text
POSITION_CHARACTER = 1
EVENT_LIST_TERMINATED, EVENT_WORD = 0, 1
RATE, PITCH, PITCH_RANGE = 1, 3, 4


class Event(ctypes.Structure):
    """`espeak_EVENT` of speak_lib.h."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position_milliseconds", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    )


class Voice(ctypes.Structure):
    """`espeak_VOICE` of speak_lib.h."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_void_p),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("xx1", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    )


def main() -> int:
    """List the voices, or answer requests until stdin ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the stage's: it finishes the scene and then closes stdin
    try:
        library, sampling_rate = load()
    except (ImportError, OSError, RuntimeError) as error:
        sys.stderr.write(f"{error}\n")
        return 69
    if sys.argv[1:] == ["--voices"]:
        sys.stdout.write(json.dumps(voices(library)))
        return 0
    for line in sys.stdin.buffer:
        answer = apart(lambda line=line: speak(library, sampling_rate, json.loads(line)))
        sys.stdout.buffer.write(answer)
        sys.stdout.buffer.flush()
    return 0


def load() -> tuple[Any, int]:
    """The library, ready, and its sampling rate in hertz."""
    import espeakng_loader

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(Voice))
    path = espeakng_loader.get_data_path().encode()
    sampling_rate = library.espeak_Initialize(AUDIO_OUTPUT_SYNCHRONOUS, 0, path, DONT_EXIT_ON_ERROR)
    if sampling_rate <= 0:
        raise RuntimeError(f"espeak-ng cannot read its data in {path.decode()}")
    return library, sampling_rate


def apart(work: Any) -> bytes:
    """The bytes that `work` gives in a forked copy of this process, or an error answer when the copy dies.

    Synthesis leaves state behind in the library, even across espeak_Terminate (measured: the same sentence spoken twice
    differs). A fork starts every sentence from the same state, so its bytes never depend on what was said before.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            with os.fdopen(writing, "wb") as pipe:
                pipe.write(work())
            os._exit(0)
        except BaseException as error:  # noqa: BLE001 - a forked child must never return into its parent's code
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    _, status = os.waitpid(child, 0)
    if status != 0:
        return json.dumps({"error": f"espeak-ng broke off (status {status})"}).encode() + b"\n"
    return answer


def speak(library: Any, sampling_rate: int, request: dict[str, Any]) -> bytes:
    """One answer: header line and WAV."""
    samples = bytearray()
    words: list[tuple[int, int, float]] = []

    def collect(wav: int | None, count: int, events: Any) -> int:
        if wav and count > 0:
            samples.extend(ctypes.string_at(wav, count * 2))
        number = 0
        while events[number].type != EVENT_LIST_TERMINATED:
            event = events[number]
            if event.type == EVENT_WORD:
                words.append((event.text_position - 1, event.length, event.audio_position_milliseconds / 1000))
            number += 1
        return 0

    callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(Event))(collect)
    library.espeak_SetSynthCallback(callback)
    name = request["voice"] + (f"+{request['variant']}" if request["variant"] else "")
    if library.espeak_SetVoiceByName(name.encode()) != 0:
        return json.dumps({"error": f"espeak-ng has no voice {name}"}).encode() + b"\n"
    if hasattr(library, "espeak_ng_SetRandSeed"):
        library.espeak_ng_SetRandSeed(ctypes.c_long(request["seed"] % 2**31))
    library.espeak_SetParameter(RATE, request["words_per_minute"], 0)
    library.espeak_SetParameter(PITCH, request["pitch"], 0)
    library.espeak_SetParameter(PITCH_RANGE, request["pitch_range"], 0)
    text = request["text"].encode()
    library.espeak_Synth(text, ctypes.c_size_t(len(text) + 1), 0, POSITION_CHARACTER, 0, CHARACTERS_UTF8, None, None)
    library.espeak_Synchronize()
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(sampling_rate)
        sound.writeframes(bytes(samples))
    wav = file.getvalue()
    return json.dumps({"wav_bytes": len(wav), "words": words}).encode() + b"\n" + wav


def voices(library: Any) -> dict[str, list[dict[str, Any]]]:
    """The voices, each with the languages it speaks and how well (the lower the better); and the variants of any voice."""
    return {"voices": _listed(library, None), "variants": _listed(library, Voice(languages=_pointer(b"variant")))}


def _listed(library: Any, wanted: Voice | None) -> list[dict[str, Any]]:
    found = []
    listed = library.espeak_ListVoices(ctypes.byref(wanted) if wanted else None)
    number = 0
    while listed[number]:
        voice = listed[number].contents
        found.append(
            {
                "name": voice.name.decode(),
                "identifier": voice.identifier.decode(),
                "languages": _languages(voice.languages),
            }
        )
        number += 1
    return found


def _languages(address: int) -> list[tuple[str, int]]:
    """A sequence of (priority byte, name, NUL) that ends with a zero byte."""
    found = []
    while priority := ctypes.c_ubyte.from_address(address).value:
        name = ctypes.string_at(address + 1)
        found.append((name.decode(), priority))
        address += len(name) + 2
    return found


def _pointer(text: bytes) -> int | None:
    _kept.append(ctypes.create_string_buffer(text))
    return ctypes.addressof(_kept[-1])


_kept: list[ctypes.Array[ctypes.c_char]] = []  # buffers the library reads must outlive the call

if __name__ == "__main__":
    sys.exit(main())
