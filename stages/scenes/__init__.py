"""Scenes: a language model writes the outline, then each scene of it."""
