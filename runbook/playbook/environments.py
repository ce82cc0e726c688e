"""The sections `flags`, `environments` and `secrets`: which keys are ours, where they live, how they take effect."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runbook.actions import registry as actions
from runbook.checks.base import Check
from runbook.playbook.items import (
    ACTION_KEYS,
    CHECK_KEYS,
    CHECK_KINDS,
    ActionShape,
    going_on_without,
    read_check,
)
from runbook.playbook.kinds import Kinds, choose_kind
from runbook.playbook.model import Environment, FlagPlace, Flags, Redeploy
from runbook.playbook.nodes import MapNode, Node, ScalarNode, described
from runbook.playbook.reading import Reading
from runbook.playbook.records import Key, ListOf, MapOf, Record, fields_of, record_schema
from runbook.playbook.shapes import NAME_HINT, Duration, FlagValue, Number, OneOf, Schema, Text, Truth

FLAG_KEY = r"[A-Za-z_][A-Za-z0-9_.-]{0,254}"
FLAG_KEY_HINT = "letters, digits, '_', '.' and '-', beginning with a letter or '_'"
VARIABLE = r"[A-Z_][A-Z0-9_]*"
FLAG_VALUES = MapOf(FlagValue(), "the key of a flag", FLAG_KEY, FLAG_KEY_HINT)


@dataclass(frozen=True)
class PercentKey:
    """The key of the percentage: its name, or `{name: ..., as: fraction}`."""

    def read(self, node: Node, reading: Reading) -> tuple[str, bool]:
        name = Text("the key of a flag", FLAG_KEY, FLAG_KEY_HINT)
        if isinstance(node, ScalarNode):
            return name.read(node, reading), False
        keys = {
            "name": Key(name, "the key", required=True),
            "as": Key(OneOf(("percent", "fraction")), "how it is written"),
        }
        values = fields_of(node, keys, reading, "flags.percent")
        return values["name"], values.get("as") == "fraction"

    def schema(self) -> Schema:
        words = {"enum": ["percent", "fraction"]}
        named = {"type": "object", "properties": {"name": {"type": "string"}, "as": words}, "required": ["name"]}
        return {"anyOf": [{"type": "string"}, {**named, "additionalProperties": False}]}


def make_flags(values: dict[str, Any], node: MapNode, reading: Reading) -> Flags:
    percent, fraction = values.get("percent", (None, False))
    safe = values["safe"]
    at = node.entries["safe"].node
    if percent and percent not in safe:
        reading.wrong(at.place, f"the safe values lack {percent}", f"add {percent}: 0")
    elif percent and isinstance(at, MapNode):
        refuse_percentage(safe[percent], at.entries[percent].node, fraction, reading)
    return Flags(percent=percent, fraction=fraction, safe=safe)


def refuse_percentage(text: str, node: Node, fraction: bool, reading: Reading) -> None:
    """Note a safe percentage that is none; as a fraction it lies between 0 and 1."""
    most = 1 if fraction else 100
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", text) or float(text) > most:
        reading.wrong(node.place, f"'{text}' is no percentage", f"a number from 0 to {most}")


FLAG_KEYS: Mapping[str, Key[Any]] = {
    "percent": Key(PercentKey(), "the key that holds the percentage; {name: KEY, as: fraction} writes 0.05 for 5 %"),
    "safe": Key(FLAG_VALUES, "the values at which the feature is off; only these keys are ever touched", required=True),
}
FLAGS = Record("flags", FLAG_KEYS, make_flags)

PLACE_KEYS: Mapping[str, Key[Any]] = {
    "env": Key(Text("the path of an env file"), "an env file, from the project's folder", required=True),
    "write": Key(OneOf(("in_place",)), "`in_place` for a file that cannot be renamed over, a bind mount say"),
}
PLACES_NOT_YET = ("yaml", "json", "flagd", "configmap", "unleash", "push")


@dataclass(frozen=True)
class FlagPlaceShape:
    """One place where flags live."""

    def read(self, node: Node, reading: Reading) -> FlagPlace:
        if isinstance(node, MapNode) and "env" not in node.entries:
            for key, entry in node.entries.items():
                if key in PLACES_NOT_YET:
                    raise reading.wrong(entry.place, f"flags in '{key}' are not supported yet", "{env: FILE} is")
        values = fields_of(node, PLACE_KEYS, reading, "flags_in", PLACES_NOT_YET)
        return FlagPlace(kind="env", path=values["env"], in_place="write" in values)

    def schema(self) -> Schema:
        return record_schema(PLACE_KEYS)


REDEPLOY_KEYS: Mapping[str, Key[Any]] = {
    "verify_within": Key(Duration(), "how long `verify` is asked until it holds (30s)"),
    "settle": Key(Duration(), "a time after which it is verified once more (0s)"),
    "passes": Key(Number(least=1, most=100, whole=True), "how often in a row it has to hold, on fresh connections (1)"),
}
REDEPLOY_COMMON = {key: ACTION_KEYS[key] for key in ("do", "timeout")}
OTHER_REDEPLOYS = frozenset({"compose", "kubernetes", "webhook", "github"})
REDEPLOY_KINDS = Kinds(
    "redeploy", {key: kind for key, kind in actions.KINDS.items() if key in actions.REDEPLOYS}, OTHER_REDEPLOYS
)


@dataclass(frozen=True)
class RedeployShape:
    """How the service is made to read its flags."""

    def read(self, node: Node, reading: Reading) -> Redeploy:
        shape = ActionShape("Redeploy", REDEPLOY_KINDS, REDEPLOY_COMMON, REDEPLOY_KEYS, ("instances",))
        action, extra = shape.read_with_extra(node, reading)
        return Redeploy(action=action, **extra)

    def schema(self) -> Schema:
        return {"$ref": "#/$defs/redeploy"}


@dataclass(frozen=True)
class VersionShape:
    """A check that takes out which build runs; its title is left out."""

    def read(self, node: Node, reading: Reading) -> Check:
        return going_on_without(node, reading, lambda: self.read_strictly(node, reading), "version")

    def read_strictly(self, node: Node, reading: Reading) -> Check:
        if not isinstance(node, MapNode):
            raise reading.wrong(node.place, f"{described(node)} stands where a check belongs", VERSION_HINT)
        kind = choose_kind(node, CHECK_KINDS, CHECK_KEYS, reading, node.place)
        within, reading.within = reading.within, f"version of {reading.within}"
        check = read_check(node, kind, reading, node.entries[kind].place, "version", asserts=False)
        reading.within = within
        if not check.options.takes_value():
            raise reading.wrong(node.entries[kind].place, "this takes no version out", VERSION_HINT)
        return check

    def schema(self) -> Schema:
        return {"$ref": "#/$defs/version"}


VERSION_HINT = "write {http: /health, jq: .version}"
URL = Text("an http or https URL", r"https?://[^\s/]\S*", "write it like https://service.example.com")
ENVIRONMENT_KEYS: Mapping[str, Key[Any]] = {
    "url": Key(URL, "where relative URLs of checks start"),
    "flags_in": Key(ListOf(FlagPlaceShape(), single=True, filled=True), "where the flags live: one place or a list"),
    "redeploy": Key(RedeployShape(), "how the service is made to read its flags"),
    "variables": Key(
        MapOf(FlagValue(), "the name of a variable", VARIABLE, "capital letters, digits and '_'"), "values of ${NAME}"
    ),
    "version": Key(VersionShape(), "which build runs: {http: /health, jq: .version}; a new one begins the bake again"),
    "proxy": Key(
        Text("a proxy", r"environment|https?://[^\s/]\S*", "environment, or a URL such as http://proxy:3128"),
        "through which proxy checks ask: a URL, or `environment` for HTTPS_PROXY, HTTP_PROXY and NO_PROXY (none)",
    ),
    "at_once": Key(Number(least=1, most=256, whole=True), "how many requests at a time one host is asked (32)"),
    "protected": Key(Truth(), "its name has to be typed before something changes; never chosen silently"),
    "sandbox": Key(Truth(), "the practice service: url, flag file and redeploy come from it"),
    "bake_scale": Key(Number(above=0, most=1), "multiplies what a sandbox waits for"),
}
ENVIRONMENT_NOT_YET = ("home", "variables_from")


def make_environment(values: dict[str, Any], node: MapNode, reading: Reading) -> Environment:
    """The environment; MapOf noted its name in `reading.within`."""
    sandbox = values.get("sandbox", False)
    if "bake_scale" in node.entries and not sandbox:
        hint = "a real bake is not shortened; delete it, or add sandbox: true"
        reading.wrong(
            node.entries["bake_scale"].place, "'bake_scale' stands in an environment that is no sandbox", hint
        )
    return Environment(name=reading.within, **values)


ENVIRONMENT = Record("an environment", ENVIRONMENT_KEYS, make_environment, ENVIRONMENT_NOT_YET)
ENVIRONMENTS = MapOf(ENVIRONMENT, "the name of an environment", hint=NAME_HINT, remember=True)

SECRET_KEYS: Mapping[str, Key[Any]] = {
    "env": Key(Text("the name of a variable", r"[A-Za-z_][A-Za-z0-9_]*"), "the environment variable that holds it"),
    "file": Key(Text("a path"), "the file that holds it"),
    "command": Key(ListOf(Text("an argument"), single=True, filled=True), "the command that prints it"),
}


def make_secret(values: dict[str, Any], node: MapNode, reading: Reading) -> dict[str, Any]:
    if len(node.entries) != 1:
        raise reading.wrong(node.place, "a secret comes from one of env, file and command")
    return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}


SECRETS = MapOf(
    Record("a secret", SECRET_KEYS, make_secret), "the name of a secret", VARIABLE, "capital letters, digits and '_'"
)
