"""The whole playbook: every section, what may stand in it, and what comes later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runbook import __version__
from runbook.language.versions import VersionError, version_fits
from runbook.playbook.calendar import CALENDAR
from runbook.playbook.environments import ENVIRONMENTS, FLAGS, SECRETS
from runbook.playbook.items import CheckShape
from runbook.playbook.metrics import METRICS, POLICY
from runbook.playbook.nodes import Node, ScalarNode, described
from runbook.playbook.notices import CHANNELS, NOTICES, Contacts
from runbook.playbook.reading import Reading
from runbook.playbook.records import Key, ListOf, MapOf
from runbook.playbook.rollback import ROLLBACK
from runbook.playbook.severities import Severities
from runbook.playbook.shapes import NAME, NAME_HINT, Anything, Schema, Text, scalar
from runbook.playbook.stages import Stages
from runbook.playbook.tests_section import TESTS
from runbook.playbook.ways_down import MATRIX

LANGUAGE = 1


@dataclass(frozen=True)
class LanguageVersion:
    """The version of the language: 1."""

    def read(self, node: Node, reading: Reading) -> int:
        value = node.value if isinstance(node, ScalarNode) else None
        if isinstance(value, int) and not isinstance(value, bool) and value > LANGUAGE:
            hint = f"this is runbook {__version__}, which reads runbook: {LANGUAGE}"
            raise reading.wrong(node.place, f"runbook: {value} asks for a newer tool", hint)
        if value != LANGUAGE or isinstance(value, bool):
            raise reading.wrong(
                node.place, f"{described(node)} is no version of the language", f"write runbook: {LANGUAGE}"
            )
        return LANGUAGE

    def schema(self) -> Schema:
        return {"const": LANGUAGE}


@dataclass(frozen=True)
class NeededVersion:
    """Which versions of the tool can read this: `>= 0.1`, or several, joined by commas."""

    def read(self, node: Node, reading: Reading) -> str:
        text = scalar(node, reading, 'a version such as ">= 0.1"').text
        try:
            fits = version_fits(__version__, text)
        except VersionError as error:
            raise reading.wrong(node.place, f"'{error}' names no version", 'write it like ">= 0.1"') from None
        if not fits:
            hint = f"this is runbook {__version__}: install one that fits"
            raise reading.wrong(node.place, f"this playbook needs runbook {text.strip()}", hint)
        return text

    def schema(self) -> Schema:
        return {"type": "string"}


SECTIONS: Mapping[str, Key[Any]] = {
    "runbook": Key(LanguageVersion(), "the version of this language: 1", required=True),
    "service": Key(Text("the name of a service", NAME, NAME_HINT), "the name of the service", required=True),
    "title": Key(Text("a title"), "what it is about, in a line"),
    "needs": Key(NeededVersion(), 'the versions of this tool that can read it: ">= 0.1"'),
    "extends": Key(Anything(), "a file beside this one whose sections are shared; what stands here wins"),
    "flags": Key(FLAGS, "the keys that are ours, and their safe values"),
    "environments": Key(ENVIRONMENTS, "where the service runs"),
    "secrets": Key(SECRETS, "names of secrets and where each comes from"),
    "verify": Key(ListOf(CheckShape()), "what must hold after every redeploy"),
    "metrics": Key(METRICS, "the numbers that are watched"),
    "checklists": Key(
        MapOf(ListOf(CheckShape()), "the name of a checklist", remember=True), "lists of checks, by name"
    ),
    "stages": Key(Stages(), "the ladder: stages in the order in which they are entered"),
    "rollback": Key(ROLLBACK, "the way back"),
    "calendar": Key(CALENDAR, "when a step up may be made; a way back always may"),
    "matrix": Key(MATRIX, "the decision matrix: the first row that is true decides"),
    "notices": Key(NOTICES, "texts that go out on occasions, or by runbook notify NAME"),
    "channels": Key(CHANNELS, "where notices go"),
    "contacts": Key(Contacts(), "who to call, by role"),
    "severities": Key(Severities(), "how fast each severity demands an answer"),
    "tests": Key(TESTS, "recorded answers and the verdicts they must give: runbook test"),
    "on_nodata": Key(POLICY, "what no data means, where nothing nearer says it (hold)"),
    "on_error": Key(POLICY, "what an unanswered question means, where nothing nearer says it (hold)"),
}
NOT_YET = (
    "alerts", "changelog", "dashboard", "drills", "experiments", "incident", "links", "maintenance", "review",
    "routines", "slos", "troubleshooting",
)  # fmt: skip
GATEKEEPERS = ("runbook", "needs")  # where these say no, nothing else in the file can be trusted to mean what it says
ESSENTIAL = (*GATEKEEPERS, "service", "flags", "environments", "rollback", "verify")  # what an emergency reads
