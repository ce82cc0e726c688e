"""Checks and actions: the items of every list that looks or does."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from runbook.actions import registry as actions
from runbook.actions.base import Action
from runbook.checks import registry as checks
from runbook.checks.base import Check
from runbook.checks.packages.absent import Absent
from runbook.checks.packages.plugins import plugin
from runbook.language.places import Place, did_you_mean
from runbook.playbook.given import refuse_names_not_given
from runbook.playbook.kinds import Kinds, choose_kind, own_keys, read_options, stray_keys
from runbook.playbook.nodes import Entry, MapNode, Node, ScalarNode, described
from runbook.playbook.reading import Broken, NamedCheck, Reading
from runbook.playbook.records import Key, ListOf, fields_of
from runbook.playbook.shapes import Duration, Number, OneOf, Schema, Text, Truth
from runbook.playbook.written import ConditionText

CHECK_KINDS = Kinds("check", checks.KINDS, (), from_packages=True)
ACTION_KINDS = Kinds("action", actions.KINDS, actions.NOT_YET)
TITLE = Text("a title")


@dataclass(frozen=True)
class EnvironmentNames:
    """Names of environments; whether there are such is looked up when all is read."""

    def read(self, node: Node, reading: Reading) -> tuple[str, ...]:
        names = ListOf(Text("the name of an environment"), single=True).read(node, reading)
        reading.environments_named.append(node)
        return names

    def schema(self) -> Schema:
        return ListOf(Text(), single=True).schema()


CHECK_KEYS: Mapping[str, Key[Any]] = {
    "check": Key(TITLE, "what is checked, in the operator's words"),
    "id": Key(
        Text("an id", r"\w[\w.-]*", "letters, digits, '_', '-' and '.'"), "a short name; else it comes from the title"
    ),
    "timeout": Key(Duration(zero=False), "how long one attempt may take (10s; of a load 10m)"),
    "attempts": Key(Number(least=1, most=100, whole=True), "how often it is tried before it fails (1)"),
    "expect": Key(ConditionText("expect"), "a condition on what was taken out"),
    "level": Key(OneOf(("error", "warn")), "`warn` counts only under --strict"),
    "advice": Key(Text("advice"), "what to do when it fails"),
    "only": Key(EnvironmentNames(), "the environments it is looked at in"),
    "unless": Key(EnvironmentNames(), "the environments it is left out in"),
    "reads": Key(Truth(), "it changes nothing, so it may run in a dry run"),
}


@dataclass(frozen=True)
class CheckShape:
    """A check."""

    def read(self, node: Node, reading: Reading) -> Check:
        return going_on_without(node, reading, lambda: self.read_strictly(node, reading))

    def read_strictly(self, node: Node, reading: Reading) -> Check:
        if not isinstance(node, MapNode):
            raise reading.wrong(
                node.place, f"{described(node)} stands where a check belongs", "write {check: TITLE, ...}"
            )
        entry = node.entries.get("check")
        if "do" in node.entries:
            at = node.entries["do"].place
            raise reading.wrong(at, "an action stands where only checks may stand", "'check:' looks, 'do:' changes")
        place = entry.place if entry else node.place
        kind = choose_kind(node, CHECK_KINDS, CHECK_KEYS, reading, place)
        if entry is None:
            raise reading.wrong(node.entries[kind].place, "a check without a title", "begin with 'check: TITLE'")
        return read_check(node, kind, reading, entry.node.place)

    def schema(self) -> Schema:
        return {"$ref": "#/$defs/check"}


def read_check(
    node: MapNode, kind: str, reading: Reading, place: Place, title: str = "", *, asserts: bool = True
) -> Check:
    """One check of a known kind. Raises Broken, with all that is wrong noted.

    `asserts` tells that it has to say something by itself; without it only its value is wanted, as for a version.
    """
    common = fields_of(picked(node, CHECK_KEYS), CHECK_KEYS, reading, "a check")
    title = title or common.pop("check", "")
    nested: tuple[Check, ...] = ()
    if kind == "all":
        nested = ListOf(CheckShape(), filled=True).read(node.entries[kind].node, reading)
    known = CHECK_KINDS.options(kind)
    assert known is not None  # the kind was chosen among those that can be used
    options = read_options(node, known, kind, CHECK_KEYS, reading, "check")
    id_ = common.pop("id", "") or id_of(title)
    if not title:
        raise Broken
    if not id_:
        raise reading.wrong(place, f"no id can be made of the title '{title}'", "give one: id: NAME")
    check = Check(title=title, id=id_, kind=kind, options=options, checklist=reading.within, checks=nested, **common)
    refuse_pointless(check, node, reading, asserts)
    refuse_names_not_given(check, node, reading)
    reading.checks.append(NamedCheck(check.full_id, place))
    return check


def going_on_without(node: Node, reading: Reading, strictly: Callable[[], Check], title: str = "") -> Check:
    """The check as it is read; in an emergency one that a missing package leaves unreadable becomes an unknown row.

    What was noted about it is a warning then: the kit would name the same kind.
    """
    noted = len(reading.problems)
    try:
        check = strictly()
    except Broken:
        check = None
    wrong = [problem for problem in reading.problems[noted:] if problem.level == "error"]
    why = wrong[0].message if wrong else ""
    missing = absent_check(node, why, reading, title) if why and reading.emergency else None
    if missing is not None:
        reading.problems[noted:] = [replace(problem, level="warning") for problem in reading.problems[noted:]]
        return missing
    if check is None:
        raise Broken
    return check


def absent_check(node: Node, why: str, reading: Reading, title: str) -> Check | None:
    """A check that is unknown for this reason; None where its kind is one of ours, or it has no title."""
    kind = brought_kind(node) if isinstance(node, MapNode) else None
    if kind is None or not isinstance(node, MapNode):
        return None
    named, given = (node.entries[key].node if key in node.entries else None for key in ("check", "id"))
    title = title or (named.text.strip() if isinstance(named, ScalarNode) else "")
    id_ = given.text if isinstance(given, ScalarNode) else id_of(title)
    if not id_:
        return None
    return Check(title=title, id=id_, kind=kind, options=Absent(absent=why), checklist=reading.within)


def brought_kind(node: MapNode) -> str | None:
    """The key that can only be a kind which a package brings, or brought; None where ours, or a slip, explain all."""
    named = [key for key in node.entries if key in checks.KINDS]
    strays = stray_keys(node, CHECK_KINDS, CHECK_KEYS, named)
    if not named:
        return strays[0] if strays else None
    meant = {*CHECK_KEYS, *(own_keys(CHECK_KINDS, named[0]))}
    return next((key for key in strays if plugin(key) or not did_you_mean(key, meant)), None)


def picked(node: MapNode, keys: Mapping[str, Any]) -> MapNode:
    """The part of an item that is common to all kinds."""
    return MapNode(node.place, {key: entry for key, entry in node.entries.items() if key in keys})


def id_of(title: str) -> str:
    """The title in lower case with underscores: `Backup is fresh` is `backup_is_fresh`."""
    return re.sub(r"\W+", "_", title.lower()).strip("_")


def refuse_pointless(check: Check, node: MapNode, reading: Reading, asserts: bool) -> None:
    """Note a check that says nothing, and an `expect` where there is nothing to judge."""
    place = node.entries[check.kind].place
    if check.expect is not None and not check.options.takes_value():
        reading.wrong(node.entries["expect"].place, f"this '{check.kind}' takes nothing out that 'expect' could judge")
    elif asserts and "expect" not in node.entries and not check.options.asserts():
        reading.wrong(place, "the check asserts nothing", 'say what must hold: expect: "== 2"')


@dataclass(frozen=True)
class SignShape:
    """A manual item among gates: `{sign: TITLE}`, or a whole check of the kind `sign`."""

    def read(self, node: Node, reading: Reading) -> Check:
        if not isinstance(node, MapNode) or "sign" not in node.entries or "check" in node.entries:
            return CheckShape().read(node, reading)
        entry = node.entries["sign"]
        title = TITLE.read(entry.node, reading)
        asked = Entry("sign", entry.place, ScalarNode(entry.node.place, True, "true"))
        whole = MapNode(node.place, {**node.entries, "sign": asked})
        return read_check(whole, "sign", reading, entry.node.place, title)

    def schema(self) -> Schema:
        return {"$ref": "#/$defs/manual"}


ACTION_KEYS: Mapping[str, Key[Any]] = {
    "do": Key(TITLE, "what is done, in the operator's words"),
    "timeout": Key(Duration(zero=False), "how long one attempt may take (60s)"),
    "attempts": Key(Number(least=1, most=100, whole=True), "how often it is tried before it fails (1)"),
    "critical": Key(Truth(), "false: its failure does not stop the list"),
    "when": Key(ConditionText("when"), "it is skipped unless this holds"),
}


@dataclass(frozen=True)
class ActionShape:
    """An action. Where just one can stand (`redeploy`, `undo`) it has a `title` of its own and needs no `do:`.

    `kinds` and `common` narrow what may stand there; `extra` are keys that its place adds, `not_yet` those to come.
    """

    title: str = ""
    kinds: Kinds = ACTION_KINDS
    common: Mapping[str, Key[Any]] = field(default_factory=lambda: {**ACTION_KEYS, "undo": UNDO})
    extra: Mapping[str, Key[Any]] = field(default_factory=dict)
    not_yet: tuple[str, ...] = ()

    def read(self, node: Node, reading: Reading) -> Action:
        return self.read_with_extra(node, reading)[0]

    def read_with_extra(self, node: Node, reading: Reading) -> tuple[Action, dict[str, Any]]:
        """The action, and the values of the extra keys."""
        if not isinstance(node, MapNode):
            raise reading.wrong(
                node.place, f"{described(node)} stands where an action belongs", "write {do: TITLE, ...}"
            )
        entry = node.entries.get("do")
        if "check" in node.entries:
            at = node.entries["check"].place
            raise reading.wrong(at, "a check stands where an action belongs", "'check:' looks, 'do:' changes")
        keys = {**self.common, **self.extra}
        kind = choose_kind(node, self.kinds, keys, reading, entry.place if entry else node.place)
        if entry is None and not self.title:
            raise reading.wrong(node.entries[kind].place, "an action without a title", "begin with 'do: TITLE'")
        node = without(node, self.not_yet, reading)
        values = fields_of(picked(node, keys), keys, reading, "an action")
        options = read_options(node, self.kinds.kinds[kind], kind, keys, reading, "action")
        extra = {key: values.pop(key) for key in self.extra if key in values}
        return Action(title=values.pop("do", self.title), kind=kind, options=options, **values), extra

    def schema(self) -> Schema:
        return {"$ref": "#/$defs/action"}


def without(node: MapNode, not_yet: tuple[str, ...], reading: Reading) -> MapNode:
    """The item without the keys that come later, each of them noted."""
    for key in not_yet:
        if key in node.entries:
            reading.wrong(node.entries[key].place, f"'{key}' is not supported yet", "leave it out until then")
    return MapNode(node.place, {key: entry for key, entry in node.entries.items() if key not in not_yet})


@dataclass(frozen=True)
class Undo:
    """The action that restores what another one did; its title may be left out."""

    def read(self, node: Node, reading: Reading) -> Action:
        return ActionShape("Undo").read(node, reading)

    def schema(self) -> Schema:
        return {"$ref": "#/$defs/undo"}


UNDO: Key[Action] = Key(Undo(), "an action that restores what this one does")


@dataclass(frozen=True)
class StepShape:
    """An item of a list in which checks and actions are mixed."""

    def read(self, node: Node, reading: Reading) -> Check | Action:
        if isinstance(node, MapNode) and "do" not in node.entries:
            if "check" not in node.entries:
                raise reading.wrong(node.place, "a step without a title", "'check: TITLE' looks, 'do: TITLE' changes")
            return CheckShape().read(node, reading)
        return ActionShape().read(node, reading)

    def schema(self) -> Schema:
        return {"anyOf": [{"$ref": "#/$defs/check"}, {"$ref": "#/$defs/action"}]}
