"""Durations as operators write and read them: `90s`, `24h..48h`, `19 h 50 m`."""

from __future__ import annotations

import re

SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
LONGEST = 100 * 365 * SECONDS["d"]

_PART = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)\s?(ms|s|m|h|d|w)(?![A-Za-z])")
_UNIT_MISSING = re.compile(r"\d+(\.\d+)?")


class DurationError(ValueError):
    """A text that is no duration; the message says what to write instead."""


def parse_duration(text: str) -> float:
    """The seconds of `1h30m`, `24h`, `0.5s`, `800ms`. Raises DurationError, also for a bare number."""
    stripped = text.strip()
    if _UNIT_MISSING.fullmatch(stripped):
        raise DurationError(f"{stripped} has no unit: write {stripped}s, {stripped}m or {stripped}h")
    seconds, position = 0.0, 0
    while position < len(stripped):
        part = _PART.match(stripped, position)
        if part is None:
            break
        seconds += _seconds(part.group(1), part.group(2))
        position = part.end() + (stripped[part.end() : part.end() + 1] == " ")
    if not stripped or position < len(stripped):
        raise DurationError(f"{_short(text)!r} is no duration: write it like 90s, 5m, 24h, 7d or 1h30m")
    if seconds > LONGEST:
        raise DurationError(f"{_short(text)!r} is longer than a hundred years")
    return seconds


def parse_range(text: str) -> tuple[float, float | None]:
    """The ends of `24h..48h`; a single duration has no second end. Raises DurationError, also where the ends fall."""
    first, dots, second = text.partition("..")
    if not dots:
        return parse_duration(first), None
    low, high = parse_duration(first), parse_duration(second)
    if high < low:
        raise DurationError(f"{_short(text)!r} ends before it begins: write {second.strip()}..{first.strip()}")
    return low, high


def show_duration(seconds: float) -> str:
    """A duration in at most two units: `350 ms`, `2.4 s`, `42 s`, `8 m 5 s`, `19 h 50 m`, `9 d 4 h`.

    Rounded to the smaller unit shown; hours are kept up to three days, because a bake is spoken of in hours.
    """
    if seconds < 0:
        return f"-{show_duration(-seconds)}"
    if round(seconds * 1000) < 1000:
        return f"{round(seconds * 1000)} ms" if seconds else "0 s"
    if round(seconds, 1) < 10:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    if round(seconds) < 60:
        return f"{round(seconds)} s"
    if round(seconds) < 3600:
        return _two(round(seconds), 60, "m", "s")
    if round(seconds / 60) < 72 * 60:
        return _two(round(seconds / 60), 60, "h", "m")
    return _two(round(seconds / 3600), 24, "d", "h")


def _seconds(number: str, unit: str) -> float:
    # Milliseconds are divided, not multiplied by 0.001, so that 800ms is the float nearest to 0.8.
    return float(number) / 1000 if unit == "ms" else float(number) * SECONDS[unit]


def _two(total: int, size: int, large: str, small: str) -> str:
    whole, rest = divmod(total, size)
    return f"{whole} {large} {rest} {small}" if rest else f"{whole} {large}"


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}..."
