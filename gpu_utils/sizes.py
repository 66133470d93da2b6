"""Bytes as people read them: binary units, one decimal."""

from __future__ import annotations

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
