"""Answers of a known shape, read without trust: JSON into a typed structure, and the times that stand in it."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

import msgspec

from runbook.checks.answers import parse_json
from runbook.checks.findings import NotTaken

Shape = TypeVar("Shape")


def read_as(body: bytes, shape: type[Shape]) -> Shape:
    """The JSON in `body` as a structure; what the structure does not name is passed over.

    Raises NotTaken for what is no JSON, and where something is missing or of another type.
    """
    try:
        return msgspec.convert(parse_json(body), shape)
    except msgspec.ValidationError as trouble:
        raise NotTaken(f"the answer has another shape: {trouble}") from None
    except (OverflowError, ValueError, RecursionError) as trouble:
        raise NotTaken(f"the answer cannot be read: {type(trouble).__name__}") from None


def moment_of(text: str | None) -> float | None:
    """A time as RFC 3339 writes it, in seconds since the epoch; None for what is none, has no zone, or means never."""
    try:
        moment = datetime.fromisoformat(text or "")
        return moment.timestamp() if moment.tzinfo is not None and moment.year > 1 else None
    except (ValueError, OverflowError):
        return None
