"""The JSON Schema of the language, for editors: made from the same tables and kinds that read a playbook."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from runbook.playbook.environments import REDEPLOY_COMMON, REDEPLOY_KEYS, REDEPLOY_KINDS
from runbook.playbook.items import ACTION_KEYS, ACTION_KINDS, CHECK_KEYS, CHECK_KINDS, UNDO
from runbook.playbook.kinds import Kinds
from runbook.playbook.metrics import ASKED_KEYS, FED_KEYS, METRIC_KEYS
from runbook.playbook.records import Key, record_schema
from runbook.playbook.sections import SECTIONS
from runbook.playbook.shapes import Schema, Text

Keys = Mapping[str, Key[Any]]
LIST_OF_CHECKS: Schema = {"type": "array", "items": {"$ref": "#/$defs/check"}, "minItems": 1}


def playbook_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a playbook. What it cannot say (names that must exist, units) `lint` says."""
    made = record_schema(SECTIONS)
    made["properties"]["extends"] = {"type": "string", "description": SECTIONS["extends"].meaning}
    made["required"] = ["runbook"]  # all else may come from what it extends
    made["anyOf"] = [{"required": ["service"]}, {"required": ["extends"]}]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "runbook playbook",
        "description": "One playbook, for one service.",
        **made,
        "$defs": definitions(),
    }


def definitions() -> dict[str, Schema]:
    """The parts that stand in many places."""
    way_out = {"undo": {**UNDO.shape.schema(), "description": UNDO.meaning}}
    return {
        "check": any_kind(CHECK_KINDS, CHECK_KEYS, ("check",)),
        "manual": manual_item(),
        "action": any_kind(ACTION_KINDS, ACTION_KEYS, ("do",), way_out),
        "undo": any_kind(ACTION_KINDS, ACTION_KEYS, (), way_out),
        "redeploy": any_kind(REDEPLOY_KINDS, {**REDEPLOY_COMMON, **REDEPLOY_KEYS}, ()),
        "version": any_kind(CHECK_KINDS, CHECK_KEYS, ()),
        "metric": {"anyOf": [*metric_schemas()]},
    }


def any_kind(kinds: Kinds, common: Keys, required: Collection[str], more: Schema | None = None) -> Schema:
    """An item of any of the kinds."""
    return {"anyOf": [item_schema(kinds, kind, common, required, more) for kind in kinds.every()]}


def item_schema(kinds: Kinds, kind: str, common: Keys, required: Collection[str], more: Schema | None = None) -> Schema:
    """An item of one kind: the common keys and the kind's own."""
    known = kinds.every()[kind]
    own = options_schema(known)
    if kind == "all":
        own["properties"]["all"] = LIST_OF_CHECKS
    made = record_schema(common)
    made["title"] = f"{kinds.noun}: {kind}"
    made["description"] = described_kind(known)
    made["properties"] = {**own["properties"], **made["properties"], **(more or {})}
    made["required"] = sorted({*required, kind, *own.get("required", ())})
    return made


def described_kind(cls: type[msgspec.Struct]) -> str:
    """What a kind of check looks at, or a kind of action does."""
    return str(getattr(cls, "LOOKS_AT", None) or getattr(cls, "DOES", ""))


def options_schema(cls: type[msgspec.Struct]) -> Schema:
    """The kind's own options; what they refer to is put in its place, so that every kind stands alone."""
    whole = msgspec.json.schema(cls)
    defs = whole.get("$defs", {})
    inlined: Schema = inline(whole, defs)
    return inlined


def inline(part: Any, defs: Mapping[str, Any]) -> Any:
    """A schema with its references replaced, and with numbers and truth values allowed where text is wanted."""
    if isinstance(part, list):
        return [inline(item, defs) for item in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return inline(defs[part["$ref"].rpartition("/")[2]], defs)
    made = {key: inline(value, defs) for key, value in part.items() if key not in ("$defs", "default", "title")}
    if made.get("type") == "string" and "enum" not in made:
        made["type"] = Text().schema()["type"]
    return made


def manual_item() -> Schema:
    """The short form among gates: `{sign: TITLE}`."""
    common = {key: known for key, known in CHECK_KEYS.items() if key != "check"}
    made = item_schema(CHECK_KINDS, "sign", common, ())
    made["properties"]["sign"] = {"type": ["string", "boolean"], "description": "the title of what a person confirms"}
    return made


def metric_schemas() -> list[Schema]:
    """A metric that is asked for, by kind; one that people feed; a constant."""
    asked = [item_schema(CHECK_KINDS, kind, {**METRIC_KEYS, **ASKED_KEYS}, ()) for kind in CHECK_KINDS.every()]
    fed = [{**record_schema({**METRIC_KEYS, key: known}), "required": [key]} for key, known in FED_KEYS.items()]
    return [*asked, *fed]
