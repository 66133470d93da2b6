"""Bytes as people read and write them: binary units, one decimal."""

from __future__ import annotations

import re

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB


def format_bytes(count_bytes: int | None) -> str:
    """`4.0 GiB`, `512 MiB`, or `unknown` where the driver does not say."""
    if count_bytes is None:
        return "unknown"
    if abs(count_bytes) >= GIB:
        return f"{count_bytes / GIB:.1f} GiB"
    return f"{count_bytes / MIB:.0f} MiB"


def parse_bytes(text: str) -> int:
    """Bytes of `6GiB`, `512 MiB`, `1.5g` or a bare number of bytes. Raises ValueError with one line.

    A decimal prefix (GB) is refused: on GPUs people mean GiB by it, and the two differ by 7%.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(?:([kmg])(?:ib)?)?\s*", text, re.IGNORECASE)
    if match is None:
        raise ValueError(f"{text!r} is no size of memory: write it as 6GiB, 512MiB or a number of bytes")
    factor = {"": 1, "k": KIB, "m": MIB, "g": GIB}[(match[2] or "").lower()]
    return int(float(match[1]) * factor)
