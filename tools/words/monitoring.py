"""Words of the kinds that ask a monitoring system."""

from __future__ import annotations

from tools.words.tried import Tried

OPTIONS: dict[str, dict[str, str]] = {}

TRIED: dict[str, Tried] = {}
