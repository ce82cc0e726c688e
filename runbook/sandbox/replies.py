"""Replies as data: a JSON value in which a text that begins with `$` stands for a value of the moment."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from runbook.sandbox.definition import CONTEXT, Definition

_REFERENCE = re.compile(r"\$([a-z_]+)(?:\.([A-Za-z0-9_.-]+))?")


def fill(reply: Any, values: Mapping[str, Any]) -> Any:
    """`reply` with its references replaced; `values` has the groups `flag`, `metric`, `body` and the context.

    A key of the request's body that is missing becomes null.
    """
    if isinstance(reply, dict):
        return {key: fill(value, values) for key, value in reply.items()}
    if isinstance(reply, list):
        return [fill(value, values) for value in reply]
    if not isinstance(reply, str) or not reply.startswith("$"):
        return reply
    if reply.startswith("$$"):
        return reply[1:]
    found = _REFERENCE.fullmatch(reply)
    if found is None:
        return reply
    group = values[found[1]]
    return group.get(found[2]) if found[2] else group


def reference_problems(reply: Any, definition: Definition) -> list[str]:
    """What is wrong with the references in `reply`, so that filling it in cannot fail."""
    return [f"unknown reference {text!r}" for text in _references(reply) if not _is_known(text, definition)]


def metrics_named(reply: Any) -> set[str]:
    """The metrics that a reply shows."""
    return {text.removeprefix("$metric.") for text in _references(reply) if text.startswith("$metric.")}


def _references(reply: Any) -> Iterator[str]:
    if isinstance(reply, dict):
        for value in reply.values():
            yield from _references(value)
    elif isinstance(reply, list):
        for value in reply:
            yield from _references(value)
    elif isinstance(reply, str) and reply.startswith("$") and not reply.startswith("$$"):
        yield reply


def _is_known(text: str, definition: Definition) -> bool:
    found = _REFERENCE.fullmatch(text)
    if found is None:
        return False
    if found[2] is None:
        return found[1] in CONTEXT
    groups: dict[str, Mapping[str, Any] | None] = {"flag": definition.flags, "metric": definition.metrics, "body": None}
    if found[1] not in groups:
        return False
    names = groups[found[1]]
    return names is None or found[2] in names
