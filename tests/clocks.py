"""The clock of a test: it stands where it is set."""

from __future__ import annotations

START = 1_790_000_000.0  # September 2026, a Monday


class SetClock:
    """A clock that stands where it is set: the wall, the time since boot, and which boot it is."""

    def __init__(self, wall: float = START, up: float = 50_000.0, boot: str = "boot-a") -> None:
        self.now, self.up, self.boot = wall, up, boot

    def wall(self) -> float:
        return self.now

    def boot_time(self) -> float:
        return self.up

    def boot_id(self) -> str:
        return self.boot

    def pass_time(self, seconds: float) -> None:
        """Time passes as it does: on every clock alike."""
        self.now += seconds
        self.up += seconds

    def reboot(self, boot: str = "boot-b") -> None:
        self.up, self.boot = 20.0, boot
