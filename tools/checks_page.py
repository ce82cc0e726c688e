"""docs/reference/checks.md: every kind of check and action, its options, an example and what it was tried against."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runbook.actions import registry as actions
from runbook.checks import registry as checks
from runbook.checks.libraries import LIBRARIES, PROGRAMS
from runbook.playbook.items import ACTION_KEYS, CHECK_KEYS
from runbook.playbook.records import Key
from runbook.playbook.schema import options_schema
from tools.kind_words import ACTION_OPTIONS, CHECK_OPTIONS, CHECKS_TRIED
from tools.markdown import GENERATED, allowed, code, listed, table

INTRODUCTION = """# Kinds of check and action

A list item that begins with `check: TITLE` looks and changes nothing. One that begins with `do: TITLE` changes
something. Exactly one other key names the kind; the rest are its options.

A check that asks *is it there* (`tcp`, `dns`, `tls`, `ollama`, `systemd`, `docker`, `kubernetes`, a `redis` without a
command, an `http` without a value taken out) **fails** when nothing answers or the status is another one. A check that
takes a **value** out is **unknown** when the value could not be had: refused, timed out, not JSON, missing, not a
number. Unknown is never a pass.

`docker` without an engine and `kubernetes` with an API that refuses the connection are a no, while where nobody can
look (no systemd, no `kubectl`, no cluster configured, no permission to ask) it is unknown.

`http` with GET or HEAD and the kinds that only look run at any time, also in a dry run. `run`, `command` and other
methods run in a dry run only with `reads: true`; without it the plan says "not looked at".
"""


def page() -> str:
    """The whole page. Raises KeyError for a kind or an option without words in `tools/kind_words.py`."""
    parts = [GENERATED, INTRODUCTION, "## Kinds of check\n", _overview(), _common("check", CHECK_KEYS)]
    parts += [_check(key, kind) for key, kind in checks.KINDS.items()]
    parts += ["## Kinds of action\n", _actions(), _common("action", ACTION_KEYS)]
    parts += [_action(key, kind) for key, kind in actions.KINDS.items()]
    parts += [f"Not built yet, and refused by name: {listed(sorted(actions.NOT_YET))}.\n"]
    return "\n".join(parts)


def _overview() -> str:
    rows = [
        (
            f"[{code(key)}](#check-{key})",
            kind.LOOKS_AT,
            listed(name for name in options_schema(kind)["properties"] if name != key) or "none",
            code(kind.EXAMPLE),
            f"[{CHECKS_TRIED[key].tests}](../../{CHECKS_TRIED[key].tests})",
            CHECKS_TRIED[key].peer,
        )
        for key, kind in checks.KINDS.items()
    ]
    return table(("kind", "looks at", "options", "example", "test", "tried against"), rows) + "\n"


def _actions() -> str:
    rows = [
        (
            f"[{code(key)}](#action-{key})",
            kind.DOES,
            "yes" if key in actions.REDEPLOYS else "no",
            code(kind.EXAMPLE),
        )
        for key, kind in actions.KINDS.items()
    ]
    return table(("kind", "what it does", "can be a `redeploy`", "example"), rows) + "\n"


def _common(noun: str, keys: Mapping[str, Key[Any]]) -> str:
    """The keys that every kind takes."""
    rows = [(code(key), allowed(known.shape.schema()), known.meaning) for key, known in keys.items()]
    return f"Common to all {noun}s:\n\n" + table(("key", "what stands there", "meaning"), rows) + "\n"


def _check(key: str, kind: Any) -> str:
    return _kind("check", key, kind.LOOKS_AT, kind.EXAMPLE, _needs(key) + _options(kind, CHECK_OPTIONS[key]))


def _needs(key: str) -> str:
    """The extras and the program that a kind of check needs, as a paragraph; empty where it needs none."""
    asked: dict[str, list[str]] = {}
    for library in LIBRARIES:
        if library.kind == key:
            asked.setdefault(library.extra, []).append(library.asks)
    told = [f"{code(extra)} for {asks[0]}" for extra, asks in asked.items()]
    sentences = [f"[Extras](../../README.md#install-it) that it needs: {', '.join(told)}."] if told else []
    sentences += [f"It asks the program {code(program.name)}." for program in PROGRAMS if program.kind == key]
    return " ".join(sentences) + "\n\n" if sentences else ""


def _action(key: str, kind: Any) -> str:
    return _kind("action", key, kind.DOES, kind.EXAMPLE, _options(kind, ACTION_OPTIONS[key]))


def _kind(noun: str, key: str, meaning: str, example: str, options: str) -> str:
    return f"### {noun}: {key}\n\n{meaning[0].upper()}{meaning[1:]}.\n\n```yaml\n- {example}\n```\n\n{options}\n"


def _options(kind: Any, words: Mapping[str, str]) -> str:
    """The options of a kind. Raises KeyError for one without words."""
    properties = options_schema(kind)["properties"]
    unknown = sorted(set(words) - set(properties))
    if unknown:
        raise KeyError(f"{kind.KEY} has no option {', '.join(unknown)}")
    rows = [(code(name), allowed(schema), words[name]) for name, schema in properties.items()]
    return table(("option", "what stands there", "meaning"), rows)
