"""When a check that does not hold was last good, in words for a reader of another day."""

from __future__ import annotations

from datetime import datetime

from msgspec import UnsetType

from runbook.show.document_rows import CheckRow, LastGood

Ended = tuple[str, float]  # when a command began (RFC 3339), and how many milliseconds it took


def since_lines(row: CheckRow, ended: Ended) -> list[str]:
    """When a check that does not hold was last good, and what happened since, for a reader of another day."""
    if isinstance(row.last_good, UnsetType) or row.status not in ("fail", "unknown"):
        return []
    if not isinstance(row.last_good, LastGood):
        return ["never seen to pass"]
    lines = [f"last good {row.last_good.at}: {row.last_good.observed}".rstrip(": ")]
    lines += [f"since then {one.at} {one.text}, by {one.who}" for one in row.since_then]
    if row.since_then_more:
        from runbook.rollout.last_good import since_option

        now = seconds_of(ended[0]) + ended[1] / 1000
        option = since_option(seconds_of(row.last_good.at), now)
        lines.append(f"{row.since_then_more} more: runbook history --since {option}")
    return lines


def seconds_of(moment: str) -> float:
    """RFC 3339 in seconds since the epoch."""
    return datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp()
