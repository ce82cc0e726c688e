"""The names in an `expect`: each has to be one that the kind of check can give."""

from __future__ import annotations

from runbook.checks.base import Check
from runbook.checks.registry import KINDS
from runbook.language.checking import BUILTINS
from runbook.language.conditions import names_in, parse_condition
from runbook.language.places import did_you_mean
from runbook.playbook.nodes import MapNode, ScalarNode
from runbook.playbook.reading import Reading


def refuse_names_not_given(check: Check, node: MapNode, reading: Reading) -> None:
    """Note each name in `expect` that this check can never have, where it stands.

    In an emergency it is a warning: such a check is unknown, and the way back does not wait for it. What kinds from
    packages give is not known here.
    """
    entry = node.entries.get("expect")
    if check.expect is None or entry is None or not isinstance(entry.node, ScalarNode) or check.kind not in KINDS:
        return
    given = check.options.given_names()
    if given is None:
        return
    note = reading.warn if reading.emergency else reading.wrong
    for use in names_in(parse_condition(check.expect, "value")):
        if use.role == "metric" and use.name not in {"value", *given, *BUILTINS}:
            hint = did_you_mean(use.name, given) or f"this '{check.kind}' gives {', '.join(['value', *given])}"
            note(entry.node.part(use.start, use.width), f"unknown value '{use.name}'", hint)
