"""The audio stage: each scene's narration, sentence by sentence, as a WAV file with measured times."""
