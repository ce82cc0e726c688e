"""What is allowed and yet most likely not meant: the warnings of `lint`."""

from __future__ import annotations

import stat
from pathlib import Path

from runbook.judge.rules import ACTIONS
from runbook.language.conditions import names_in, parse_condition
from runbook.language.places import Place
from runbook.language.substitution import TemplateError, parse_template
from runbook.playbook.agreement import stage_nodes
from runbook.playbook.items import CHECK_KINDS
from runbook.playbook.kinds import kind_named
from runbook.playbook.model import Playbook
from runbook.playbook.nodes import ListNode, MapNode, ScalarNode, mappings_in
from runbook.playbook.reading import Reading
from runbook.playbook.suspicious_gates import warn_of_blind_gates
from runbook.system.secrets import looks_secret


def warn_of_suspicious(playbook: Playbook, root: MapNode, reading: Reading) -> None:
    """Note a warning for each suspicious part of a playbook that is otherwise right."""
    warn_unverified(playbook, root, reading)
    warn_hasty_triggers(root, reading)
    warn_unlisted_percentage(playbook, root, reading)
    warn_unitless(playbook, root, reading)
    warn_undeclared_reads(root, reading)
    warn_without_url(playbook, root, reading)
    warn_of_blind_gates(playbook, reading)


def warn_unverified(playbook: Playbook, root: MapNode, reading: Reading) -> None:
    if playbook.stages and not playbook.verify:
        hint = "add verify: with a check that asks the service for its flags"
        reading.warn(root.entries["stages"].place, "nothing is verified after a redeploy", hint)


def warn_hasty_triggers(root: MapNode, reading: Reading) -> None:
    """A rollback on one sample: it waits for a second evaluation, which the author may not expect."""
    for stage in stage_nodes(root):
        triggers = stage.get("triggers")
        for trigger in triggers.items if isinstance(triggers, ListNode) else ():
            when = trigger.get("when") if isinstance(trigger, MapNode) else None
            then = trigger.get("then") if isinstance(trigger, MapNode) else None
            if not isinstance(when, ScalarNode) or not isinstance(then, ScalarNode):
                continue
            way_back = ACTIONS.get(then.text) == "rollback"
            if way_back and not parse_condition(when.text).smoothed:
                message = "without for, M of N or a window this needs two evaluations in a row"
                reading.warn(when.place, message, f'say how long: "{when.text} for 5m"')


def warn_unlisted_percentage(playbook: Playbook, root: MapNode, reading: Reading) -> None:
    key = playbook.flags.percent if playbook.flags else None
    if key and playbook.rollback and key not in playbook.rollback.set:
        section = root.entries["rollback"]
        at = section.node.entries["set"].place if isinstance(section.node, MapNode) else section.place
        reading.warn(at, f"the way back leaves {key} as it is", f"add {key}: 0, or write set: safe")


def warn_unitless(playbook: Playbook, root: MapNode, reading: Reading) -> None:
    """Metrics whose numbers are compared though nothing says what they count; each is told where it is declared."""
    used: set[str] = set()
    for written in reading.conditions:
        if written.purpose != "expect":
            condition = parse_condition(written.text, written.subject)
            used |= {use.name for use in names_in(condition) if use.role == "metric"}
            used |= {written.subject} if written.subject else set()
    metrics = root.get("metrics")
    for name in sorted(used & set(playbook.metrics)):
        metric = playbook.metrics[name]
        if metric.check is not None and metric.unit is None and isinstance(metrics, MapNode):
            hint = "add unit: ratio, ms, s, usd, bytes, count or another"
            reading.warn(metrics.entries[name].place, f"{name} is compared but has no unit", hint)


def warn_undeclared_reads(root: MapNode, reading: Reading) -> None:
    """Shell lines and commands that look: whether they are harmless is for their author to say."""
    metrics = root.get("metrics")
    asked = [entry.node for entry in metrics.entries.values()] if isinstance(metrics, MapNode) else []
    looking = [item for item in mappings_in(root) if "check" in item.entries]
    for item in [*looking, *(node for node in asked if isinstance(node, MapNode))]:
        kind = kind_named(item, CHECK_KINDS)
        if kind in ("run", "command") and "reads" not in item.entries:
            hint = "add reads: true when it changes nothing; else a dry run leaves it out"
            reading.warn(item.entries[kind].place, f"this '{kind}' does not say whether it only reads", hint)


def warn_without_url(playbook: Playbook, root: MapNode, reading: Reading) -> None:
    """Relative URLs start at the environment's; where it has none they cannot be asked."""
    asked = [item.get("http") for item in mappings_in(root)]
    if not any(isinstance(node, ScalarNode) and node.text.startswith("/") for node in asked):
        return
    environments = root.get("environments")
    for name, environment in playbook.environments.items():
        if environment.url is None and not environment.sandbox and isinstance(environments, MapNode):
            message = f"{name} has no url, and there are checks of relative URLs"
            reading.warn(environments.entries[name].place, message, "add url: https://...")


def refuse_shown_secrets(playbook: Playbook, root: MapNode, reading: Reading) -> None:
    """Note as an error each secret among the arguments of a command: every process on the machine can read those."""
    for item in mappings_in(root):
        entry = item.entries.get("command")
        if entry is None or kind_named(item, CHECK_KINDS) not in (None, "command"):
            continue  # the `command` of another kind (redis) is no program of this machine
        for node in entry.node.items if isinstance(entry.node, ListNode) else (entry.node,):
            if isinstance(node, ScalarNode):
                refuse_secrets_in(node, playbook, reading)


def refuse_secrets_in(node: ScalarNode, playbook: Playbook, reading: Reading) -> None:
    try:
        references = parse_template(node.text).references
    except TemplateError:
        return
    for reference in references:
        if reference.name in playbook.secrets or looks_secret(reference.name):
            at = node.part(reference.start, reference.width)
            hint = f"every process can read it there; use run: with ${{{reference.name}}}"
            reading.wrong(at, f"the secret {reference.name} stands among the arguments of a command", hint)


def warn_open_file(path: Path, reading: Reading) -> None:
    """A playbook that others may write says what is run in this operator's name."""
    try:
        mode = path.stat().st_mode
        folder = path.parent.stat().st_mode
    except OSError:
        return
    start = Place(reading.file, 1, 1)
    who = "everybody" if mode & stat.S_IWOTH else "its group" if mode & stat.S_IWGRP else ""
    if who:
        reading.warn(start, f"{who} may write this file", f"chmod go-w {path}")
    if folder & stat.S_IWOTH and not folder & stat.S_ISVTX:
        reading.warn(start, "everybody may replace this file: its folder is open", f"chmod o-w {path.parent}")
