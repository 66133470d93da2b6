"""How tight a device is: low, medium, high or critical, with hysteresis. Decides nothing and reads nothing itself.

Measured against the reserve, because every admission leaves the reserve free: as long as all programs keep to what they
were admitted with, the level stays below high. High means that somebody has taken of the reserve.
"""

from __future__ import annotations

from enum import IntEnum

# A level is entered when free memory falls below this many reserves, and left when it rises a quarter above that again.
_ENTERED_BELOW_RESERVES = {3: 0.5, 2: 1.0, 1: 2.0}
_LEFT_ABOVE = 1.25


class Pressure(IntEnum):
    """Ordered: `Pressure.HIGH > Pressure.MEDIUM`."""

    LOW = 0
    MEDIUM = 1
    HIGH = 2
    CRITICAL = 3

    @property
    def word(self) -> str:
        """As it stands in logs and events: `high`."""
        return self.name.lower()


class PressureGauge:
    """Follows one device from reading to reading; `level` is the last answer."""

    def __init__(self, reserve_bytes: int) -> None:
        """`reserve_bytes` is what admissions leave free; must be positive."""
        if reserve_bytes <= 0:
            raise ValueError(f"the reserve must be positive to measure against it: {reserve_bytes}")
        self._reserve_bytes = reserve_bytes
        self.level = Pressure.LOW

    def update(self, free_bytes: int | None) -> bool:
        """Take a reading of free memory (None: the driver does not say, nothing changes); True when the level changed."""
        if free_bytes is None:
            return False
        before = self.level
        reserves = free_bytes / self._reserve_bytes
        self.level = next(
            (
                Pressure(level)
                for level, bound in _ENTERED_BELOW_RESERVES.items()
                if reserves < bound * (_LEFT_ABOVE if before >= level else 1.0)
            ),
            Pressure.LOW,
        )
        return self.level is not before
