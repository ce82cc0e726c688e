"""The sections `channels`, `notices` and `contacts`: who is told, what, and who is called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runbook.language.places import did_you_mean
from runbook.language.substitution import TemplateError, parse_template
from runbook.playbook.calendar import Zone
from runbook.playbook.model import Channel, Contact, Notice
from runbook.playbook.nodes import MapNode, Node, ScalarNode, described
from runbook.playbook.reading import Broken, Reading
from runbook.playbook.records import Key, ListOf, MapOf, Record, fields_of, record_schema
from runbook.playbook.shapes import Duration, Schema, Text, Truth, scalar

OCCASIONS = ("ramp", "rollback", "gate", "recovered", "incident", "stable")
ENTER = "enter "
LATER = ("daily", "weekly")
# What a notice's text may name, beside what every `${...}` may.
TOLD = frozenset(
    {"percent", "stage", "environment", "service", "title", "today", "month", "from", "to", "who", "why", "outcome",
     "occasion", "time", "incident", "severity"}
)  # fmt: skip


@dataclass(frozen=True)
class NoticeText:
    """The text of a notice; `${...}` names what the occasion gives."""

    def read(self, node: Node, reading: Reading) -> str:
        written = scalar(node, reading, "a text")
        try:
            references = parse_template(written.text).references
        except TemplateError as error:
            raise reading.wrong(written.part(error.start, error.width), error.message, error.hint) from None
        for each in references:
            if each.is_context and each.name not in TOLD and not each.name.startswith("ask:"):
                hint = did_you_mean(each.name, TOLD) or f"what an occasion gives: {', '.join(sorted(TOLD))}"
                reading.wrong(written.part(each.start, each.width), f"there is no ${{{each.name}}}", hint)
        return written.text

    def schema(self) -> Schema:
        return {"type": "string"}


@dataclass(frozen=True)
class Occasion:
    """When a notice goes out: ramp, rollback, enter STAGE, gate, recovered, incident, stable."""

    def read(self, node: Node, reading: Reading) -> str:
        text = scalar(node, reading, "an occasion").text
        if text in OCCASIONS or (text.startswith(ENTER) and text.removeprefix(ENTER).strip()):
            return text
        if text in LATER:
            raise reading.wrong(node.place, f"'{text}' is not supported yet", f"one of {', '.join(OCCASIONS)}")
        hint = did_you_mean(text, OCCASIONS) or f"one of {', '.join(OCCASIONS)}, enter STAGE"
        raise reading.wrong(node.place, f"'{text}' is no occasion", hint)

    def schema(self) -> Schema:
        return {"anyOf": [{"enum": list(OCCASIONS)}, {"type": "string", "pattern": "^enter .+$"}]}


NOTICE_KEYS: Mapping[str, Key[Any]] = {
    "to": Key(
        ListOf(Text("the name of a channel"), single=True, filled=True), "the channels it goes to", required=True
    ),
    "text": Key(NoticeText(), "what it says", required=True),
    "on": Key(ListOf(Occasion(), single=True), "the occasions on which it goes out"),
    "auto": Key(Truth(), "it goes out by itself; without it, it is drafted for a person to send (false)"),
}


def make_notice(values: dict[str, Any], node: MapNode, reading: Reading) -> Notice:
    return Notice(**values)


NOTICES = MapOf(Record("a notice", NOTICE_KEYS, make_notice), "the name of a notice")

URL = Text(
    "an http or https URL", r"(https?://\S+|\$\{[A-Z_][A-Z0-9_]*\}\S*)", "write it like https://hooks.example.com/x"
)
CHANNEL_KINDS = ("webhook", "grafana")
CHANNELS_LATER = frozenset({"slack", "pagerduty", "mail", "apprise"})
CHANNEL_KEYS: Mapping[str, Key[Any]] = {
    "webhook": Key(URL, "POSTs the notice as JSON to this URL"),
    "grafana": Key(URL, "marks the moment as an annotation of this Grafana"),
    "token": Key(Text("a token"), "the bearer token: ${NAME} of a secret"),
    "secret": Key(Text("a secret"), "signs the body: X-Runbook-Signature is its HMAC-SHA256"),
    "headers": Key(MapOf(Text("a header's value"), "a header's name"), "more headers"),
    "tags": Key(ListOf(Text("a tag"), single=True), "tags of a Grafana annotation, beside service and environment"),
    "timeout": Key(Duration(zero=False), "how long one attempt may take (5s)"),
}


@dataclass(frozen=True)
class ChannelShape:
    """One channel; one key says its kind."""

    def read(self, node: Node, reading: Reading) -> Channel:
        values = fields_of(node, CHANNEL_KEYS, reading, "a channel", CHANNELS_LATER)
        assert isinstance(node, MapNode)  # fields_of looked
        kinds = [kind for kind in CHANNEL_KINDS if kind in node.entries]
        if CHANNELS_LATER & set(node.entries) or (len(kinds) == 1 and kinds[0] not in values):
            raise Broken  # it is noted already
        if len(kinds) != 1:
            raise reading.wrong(node.place, "a channel has just one kind", f"one of {', '.join(CHANNEL_KINDS)}")
        return Channel(kind=kinds[0], url=values.pop(kinds[0]), **values)

    def schema(self) -> Schema:
        made = record_schema(CHANNEL_KEYS)
        return {**made, "anyOf": [{"required": [kind]} for kind in CHANNEL_KINDS]}


CHANNELS = MapOf(ChannelShape(), "the name of a channel")

CONTACT_KEYS: Mapping[str, Key[Any]] = {
    "name": Key(Text("a name"), "who it is"),
    "phone": Key(Text("a phone number"), "the number to call"),
    "mail": Key(Text("a mail address"), "where to write to"),
    "chat": Key(Text("a name in a chat"), "where to reach them in the chat"),
    "timezone": Key(Zone(), "where they are; tells what time it is there"),
    "note": Key(Text("a note"), "when to call them, and what for"),
}


@dataclass(frozen=True)
class Contacts:
    """Who to call, by role: `Engineering manager: {name: ..., phone: ...}`, or a text."""

    def read(self, node: Node, reading: Reading) -> tuple[Contact, ...]:
        if not isinstance(node, MapNode):
            hint = "write 'On-call engineer: {name: ..., phone: ...}' lines"
            raise reading.wrong(node.place, f"{described(node)} stands where contacts belong", hint)
        found = []
        for role, entry in node.entries.items():
            if isinstance(entry.node, ScalarNode):
                found.append(Contact(role=role, name=Text("a contact").read(entry.node, reading)))
                continue
            try:
                found.append(Contact(role=role, **fields_of(entry.node, CONTACT_KEYS, reading, "a contact")))
            except Broken:
                continue
        return tuple(found)

    def schema(self) -> Schema:
        one = {"anyOf": [{"type": "string"}, record_schema(CONTACT_KEYS)]}
        return {"type": "object", "additionalProperties": one}
