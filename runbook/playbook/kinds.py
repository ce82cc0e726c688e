"""One key says the kind: finding it among the keys of an item, and reading the kind's own options."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

import msgspec

from runbook.checks.packages.plugins import Plugin, plugin, plugin_keys, plugins
from runbook.language.places import Place, did_you_mean
from runbook.language.substitution import TemplateError, parse_template
from runbook.playbook.nodes import ListNode, MapNode, Node, ScalarNode, described, plain_of
from runbook.playbook.reading import Broken, Reading
from runbook.playbook.records import refuse_keys


@dataclass(frozen=True)
class Kinds:
    """The kinds that may stand somewhere. `noun` is `check` or `action`; `kinds` maps key to class of options.

    With `from_packages` installed packages may bring more. They are asked only for what no built-in kind answers.
    """

    noun: str
    kinds: Mapping[str, type[msgspec.Struct]]
    not_yet: Collection[str]
    from_packages: bool = False

    def names(self) -> tuple[str, ...]:
        return (*self.kinds, *sorted(self.not_yet), *(plugin_keys() if self.from_packages else ()))

    def brought(self, key: str) -> Plugin | None:
        """What a package offers under a key that is none of ours."""
        return plugin(key) if self.from_packages else None

    def options(self, key: str) -> type[msgspec.Struct] | None:
        """The class of a kind's options, built in or brought; None for what is no kind, or none that can be used."""
        if key in self.kinds:
            return self.kinds[key]
        brought = self.brought(key)
        return brought.kind if brought else None

    def every(self) -> dict[str, type[msgspec.Struct]]:
        """Every kind that can be used here and now, those of packages last."""
        brought = {each.key: each.kind for each in plugins() if each.kind} if self.from_packages else {}
        return {**self.kinds, **brought}


def choose_kind(node: MapNode, kinds: Kinds, common: Collection[str], reading: Reading, place: Place) -> str:
    """The one key of an item that names its kind. Raises Broken, with the reason noted, when there is not just one."""
    named = [key for key in node.entries if key in kinds.kinds or key in kinds.not_yet]
    if strays := stray_keys(node, kinds, common, named):
        named += [key for key in strays if kinds.brought(key)]
    if len(named) > 1:
        named = [key for key in named if set(named) - {key} <= own_keys(kinds, key)] or named
    if len(named) == 1:
        if kinds.options(named[0]):
            return named[0]
        raise cannot_be_used(named[0], node.entries[named[0]].place, kinds, reading)
    if named:
        both = " and ".join(f"'{key}'" for key in named)
        raise reading.wrong(
            node.entries[named[1]].place, f"two kinds in one {kinds.noun}: {both}", "make two items of it"
        )
    for key in strays:
        if guess := did_you_mean(key, kinds.names()):
            raise reading.wrong(node.entries[key].place, f"unknown kind of {kinds.noun} '{key}'", guess)
    for key in strays if kinds.from_packages else ():
        if not did_you_mean(key, common):
            raise reading.wrong(node.entries[key].place, f"unknown kind of {kinds.noun} '{key}'", one_of(kinds))
    raise reading.wrong(place, f"the {kinds.noun} has no kind: one key has to say it", one_of(kinds))


def kind_named(node: MapNode, kinds: Kinds) -> str | None:
    """The kind of an item as `choose_kind` finds it, nothing noted; None where there is not just one."""
    named = [key for key in node.entries if key in kinds.kinds]
    if len(named) > 1:
        named = [key for key in named if set(named) - {key} <= own_keys(kinds, key)]
    return named[0] if len(named) == 1 else None


def stray_keys(node: MapNode, kinds: Kinds, common: Collection[str], named: Collection[str]) -> list[str]:
    """The keys of an item that are neither common to all kinds, nor a built-in kind, nor an option of the one named."""
    known = {*common, *named}
    if len(named) == 1:
        known |= own_keys(kinds, next(iter(named)))
    return [key for key in node.entries if key not in known]


def cannot_be_used(key: str, at: Place, kinds: Kinds, reading: Reading) -> Broken:
    """Note why a kind that is named cannot be had."""
    if key in kinds.not_yet:
        return reading.wrong(at, f"'{key}' is not supported yet as a kind of {kinds.noun}", one_of(kinds))
    brought = kinds.brought(key)
    why = brought.trouble if brought else "nothing offers it"
    return reading.wrong(at, f"the kind '{key}' cannot be used: {why}", "runbook doctor lists what packages bring")


def one_of(kinds: Kinds) -> str:
    more = ", or a kind that an installed package brings (runbook doctor)" if kinds.from_packages else ""
    return f"one of {', '.join(kinds.kinds)}{more}"


def own_keys(kinds: Kinds, kind: str) -> set[str]:
    """The keys of a kind's own options."""
    known = kinds.options(kind)
    return set(options_of(known)) if known else set()


@dataclass(frozen=True)
class Option:
    """One option of a kind: its name in the class, its type, and the same type taken apart."""

    name: str
    type: Any
    info: Any
    required: bool


@cache
def options_of(cls: type[msgspec.Struct]) -> dict[str, Option]:
    """The options of a kind by the key that is written."""
    from msgspec.inspect import type_info

    fields = msgspec.structs.fields(cls)
    return {each.encode_name: Option(each.name, each.type, type_info(each.type), each.required) for each in fields}


def read_options(
    node: MapNode, cls: type[msgspec.Struct], kind: str, common: Collection[str], reading: Reading, noun: str
) -> Any:
    """An instance of the kind's class from the keys of an item that are not common to all kinds.

    Raises Broken when there is none; what is wrong with each option is noted at that option.
    """
    fields = options_of(cls)
    refuse_keys(node, [*common, *fields], reading, f"a {noun} of the kind '{kind}'", NOT_YET_IN_ITEMS)
    values: dict[str, Any] = {}
    broken = False
    for key, known in fields.items():
        found = node.get(key)
        if key == NESTED == kind:
            continue  # read as checks of their own
        if found is None:
            if known.required:
                reading.wrong(node.entries[kind].place, f"a {noun} of the kind '{kind}' needs '{key}'")
                broken = True
            continue
        try:
            if key not in PROGRAMS:
                refuse_templates(found, reading)
            values[known.name] = read_option(found, known, key, reading)
        except Broken:
            broken = True
    if broken:
        raise Broken
    return made(cls, values, node, kind, reading)


FIRST_WORD = re.compile(r"\w+")
NESTED = "all"  # the kind whose main value is more checks
NOT_YET_IN_ITEMS = frozenset({"each", "save", "append"})
# Options in languages of their own, in which a brace is a brace.
PROGRAMS = frozenset({"jq", "map", "list", "matches", "count", "share", "of"})
CONTEXT = frozenset({"percent", "stage", "environment", "service", "today", "month"})


def refuse_templates(node: Node, reading: Reading) -> None:
    """Note each `${...}` in an option that cannot be read or names what the tool does not give. Raises Broken then."""
    noted = len(reading.problems)
    for text in texts_in(node):
        try:
            references = parse_template(text.text).references
        except TemplateError as error:
            reading.wrong(text.part(error.start, error.width), error.message, error.hint)
            continue
        for each in references:
            if each.is_context and each.name not in CONTEXT:
                hint = did_you_mean(each.name, CONTEXT) or f"what the tool gives: {', '.join(sorted(CONTEXT))}"
                reading.wrong(text.part(each.start, each.width), f"there is no ${{{each.name}}}", hint)
    if len(reading.problems) > noted:
        raise Broken


def texts_in(node: Node) -> Iterator[ScalarNode]:
    if isinstance(node, ListNode):
        for item in node.items:
            yield from texts_in(item)
    elif isinstance(node, MapNode):
        for entry in node.entries.values():
            yield from texts_in(entry.node)
    else:
        yield node


def made(cls: type[msgspec.Struct], values: Mapping[str, Any], node: MapNode, kind: str, reading: Reading) -> Any:
    """The instance, when the kind itself finds nothing wrong with it.

    What it says is noted at the option with which its sentence begins, else at the kind.
    """
    place = node.entries[kind].place
    try:
        options = cls(**values)
    except (TypeError, ValueError) as error:
        raise reading.wrong(place, str(error)) from None
    own = getattr(options, "problems", None)
    found = list(cast("Iterable[str]", own())) if callable(own) else []
    for message in found:
        begins = FIRST_WORD.match(message)
        option = begins[0] if begins and begins[0] != kind and begins[0] in options_of(cls) else ""
        reading.wrong(node.entries[option].node.place if option in node.entries else place, message)
    if found:
        raise Broken
    return options


def read_option(node: Node, option: Option, key: str, reading: Reading) -> Any:
    """One option, converted to the type that the kind declares for it. Raises Broken, with the mistake noted."""
    if empty(node) and option.type is not Any:
        raise reading.wrong(node.place, f"'{key}' is empty")
    try:
        return msgspec.convert(typed(node, option.info), type=option.type)
    except msgspec.ValidationError as error:
        if words := words_of(option.info):
            written = node.text if isinstance(node, ScalarNode) else described(node)
            hint = did_you_mean(written, words) or f"one of {', '.join(words)}"
            raise reading.wrong(node.place, f"'{key}' cannot be '{written}'", hint) from None
        message, place = explained(str(error), node, key)
        raise reading.wrong(place, message) from None


def words_of(info: Any) -> list[str]:
    """The words that an option takes, where it takes only a few; else none."""
    from msgspec import inspect

    options = info.types if isinstance(info, inspect.UnionType) else (info,)
    return [str(word) for part in options if isinstance(part, inspect.LiteralType) for word in part.values]


def empty(node: Node) -> bool:
    if isinstance(node, ListNode):
        return not node.items
    return isinstance(node, ScalarNode) and (node.value is None or node.text == "")


def typed(node: Node, info: Any) -> Any:
    """Plain data in which a number stands as it was written where text is wanted (`command: [sleep, 5]`)."""
    from msgspec import inspect

    options = info.types if isinstance(info, inspect.UnionType) else (info,)
    if isinstance(node, ListNode):
        inner = next((part.item_type for part in options if hasattr(part, "item_type")), inspect.AnyType())
        return [typed(item, inner) for item in node.items]
    if isinstance(node, MapNode):
        inner = next((part.value_type for part in options if hasattr(part, "value_type")), inspect.AnyType())
        fields = {field.encode_name: field.type for part in options for field in getattr(part, "fields", ())}
        return {key: typed(entry.node, fields.get(key, inner)) for key, entry in node.entries.items()}
    wants_text = any(isinstance(part, inspect.StrType) for part in options)
    takes_more = (inspect.IntType, inspect.FloatType, inspect.AnyType, inspect.BoolType)
    if wants_text and node.value is not None and not any(isinstance(part, takes_more) for part in options):
        return node.text
    return plain_of(node)


WORDS = {
    "str": "text", "int": "a whole number", "float": "a number", "bool": "true or false", "array": "a list",
    "object": "a mapping", "null": "nothing",
}  # fmt: skip
EXPECTED = re.compile(r"Expected `([a-z| ]+)`, got `([a-z]+)`")
INDEX = re.compile(r"\[(\d+)\]|\.(\w+)")


def explained(message: str, node: Node, key: str) -> tuple[str, Place]:
    """The converter's complaint in an operator's words, and the place of the part that it means."""
    said, _, path = message.partition(" - at `$")
    for index, name in INDEX.findall(path):
        if isinstance(node, ListNode) and index and int(index) < len(node.items):
            node = node.items[int(index)]
        elif isinstance(node, MapNode) and name in node.entries:
            node = node.entries[name].node
    found = EXPECTED.match(said)
    if not found:
        return f"'{key}': {said}", node.place
    wanted = " or ".join(
        WORDS.get(word.strip(), word.strip()) for word in found[1].split("|") if word.strip() != "null"
    )
    return f"'{key}' takes {wanted}, not {WORDS.get(found[2], found[2])}", node.place
