"""Markdown as the generated pages need it: tables, code, and what a JSON Schema allows in a few words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

GENERATED = "<!-- Made by `python -m tools.reference`; changes made here by hand are lost. -->"
LISTS = {"text": "texts", "a mapping": "mappings", "a check": "checks"}
PLAIN = {"string": "text", "number": "a number", "integer": "a whole number", "boolean": "true or false", "null": ""}


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; pipes and line ends in the cells are made harmless."""
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def code(text: str) -> str:
    """A text as inline code."""
    fence = "``" if "`" in text else "`"
    return f"{fence}{text}{fence}"


def listed(names: Iterable[str]) -> str:
    """Names as inline code, joined by commas."""
    return ", ".join(code(name) for name in names)


def allowed(schema: Any) -> str:
    """What a JSON Schema lets stand there, in words for a person."""
    if "enum" in schema:
        return listed(str(word) for word in schema["enum"])
    if "const" in schema:
        return code(str(schema["const"]))
    if "$ref" in schema:
        return {"check": "a check", "action": "an action", "undo": "an action", "redeploy": "a redeploy",
                "version": "a check",
                "metric": "a metric", "manual": "a manual item"}[schema["$ref"].rpartition("/")[2]]  # fmt: skip
    if "anyOf" in schema:
        return _either(schema["anyOf"])
    return _typed(schema)


def _either(schemas: Sequence[Any]) -> str:
    """One of several; a list of what may also stand alone is told as such."""
    single = [schema for schema in schemas if schema.get("type") != "array"]
    words = " or ".join(dict.fromkeys(filter(None, map(allowed, single))))
    lists = [schema for schema in schemas if schema.get("type") == "array"]
    if any(allowed(schema["items"]) == words for schema in lists):
        return f"{words}, or a list of them"
    return " or ".join(filter(None, (words, *map(allowed, lists))))


def _typed(schema: Any) -> str:
    kind = schema.get("type", "")
    if isinstance(kind, list):  # numbers and truths are taken as they were written, so text is what it is
        return "a value" if "null" in kind else "text"
    if kind == "array":
        of = allowed(schema.get("items", {}))
        return "a list" if of == "anything" else f"a list of {LISTS[of]}" if of in LISTS else f"a list ({of})"
    if kind == "object":
        return "a mapping"
    if kind == "string" and "ms|s|m|h|d|w" in schema.get("pattern", ""):
        return "a time"
    if kind == "string" and "%" in schema.get("pattern", ""):
        return "a share"
    return PLAIN.get(kind, "anything")
