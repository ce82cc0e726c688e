"""The JSON Schema agrees with the reader: what it takes is valid, what it refuses by shape is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from runbook.actions import registry as actions
from runbook.checks import registry as checks
from runbook.playbook.load import load_playbook
from runbook.playbook.nodes import plain_of
from runbook.playbook.schema import playbook_schema
from runbook.playbook.sections import NOT_YET, SECTIONS
from tests.places import PROJECT
from tests.playbook.reads import SMALL, load_text, tree_of

SCHEMA = playbook_schema()


def complaints(text: str) -> list[str]:
    tree, reading = tree_of(text)
    assert tree is not None and not reading.problems
    validator = jsonschema.Draft202012Validator(SCHEMA)
    return [error.message for error in validator.iter_errors(plain_of(tree))]


def test_it_is_a_schema_and_plain_json() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


def test_it_names_every_section_and_kind_with_a_description() -> None:
    assert set(SCHEMA["properties"]) == set(SECTIONS)
    assert not set(NOT_YET) & set(SCHEMA["properties"])
    assert all(section["description"] for section in SCHEMA["properties"].values())
    titles = {kind["title"] for kind in SCHEMA["$defs"]["check"]["anyOf"]}
    assert titles == {f"check: {kind}" for kind in checks.KINDS}
    titles = {kind["title"] for kind in SCHEMA["$defs"]["action"]["anyOf"]}
    assert titles == {f"action: {kind}" for kind in actions.KINDS}
    assert all(kind["description"] for kind in SCHEMA["$defs"]["check"]["anyOf"])


@pytest.mark.parametrize("path", sorted((PROJECT / "playbooks").glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_playbooks_are_valid(path: Path) -> None:
    text = path.read_text()
    assert complaints(text if "runbook:" in text else "runbook: 1\nservice: shared\n" + text) == []


RIGHT = [
    "flags: {percent: {name: A, as: fraction}, safe: {A: 0.0, B: '', C: null}}",
    "environments: {a: {flags_in: {env: a}}, b: {flags_in: [{env: b, write: in_place}], redeploy: {systemd: x}}}",
    "verify: [{check: A, http: /, status: [200, 204], headers: {a: 1}, timeout: 5s, level: warn, only: a}]",
    "checklists: {a: [{check: A, all: [{check: B, sign: true}, {check: C, file: x, newer_than: 24h}]}]}",
    "metrics: {a: {http: /, jq: .a, target: '< 2%', interval: 10s}, b: {counter: x}, c: {value: 5, unit: usd}}",
    "rollback: {set: safe, objective: 5m, steps: [{do: A, run: x, undo: {command: [a, 5]}}, {check: B, http: /}]}",
    "severities: {critical: {respond: 0m}, P2: {respond: 1h, when: percent > 1}}",
    "stages: [{stage: a, percent: [{to: 5, bake: 1h}, 7.5], gates: [percent < 1, {gate: percent < 2, as: guardrail},"
    " {sign: A, valid: 1d}, {check: B, sign: true}], bake: {for: 1d..2d, sampled: 90%}}]",
    "secrets: {A: {env: B}, C: {command: [pass, show, c]}}",
    "matrix: [{when: percent > 1, then: halve, severity: P2, within: 1h}, {when: percent > 2, then: reduce}]",
    "calendar: {timezone: Europe/Berlin, ramp: [Mon-Thu 09:00-16:00], freeze: [{from: 2025-12-20, to: 2026-01-03,"
    " why: holidays}]}",
    "channels: {a: {webhook: 'https://h/x', secret: '${HOOK_SECRET}'}, b: {grafana: '${GRAFANA}', tags: x}}",
    "notices: {a: {to: [a, b], on: [ramp, enter half], text: '${service}', auto: true}}",
    "contacts: {On-call: '+49 1', Manager: {name: A, phone: 5, timezone: Europe/Berlin}}",
    "stages: [{stage: a, percent: 10, fallback: 5, sign: [x_by, {y_by: not x_by}], cadence: {every: 4h}, again: true,"
    " baseline: capture, optional: true, one_way: true}, {stage: b, fallback: {run: make back}}, {stage: c,"
    " fallback: {do: Back, command: [make, back]}}]",
    "rollback: {recovered: 'percent < 1', partial: {ladder: [50, 10], bake: 2h}, checklist: [root-cause]}",
    "environments: {a: {flags_in: {env: a}, version: {http: /health, jq: .version}}}",
    "extends: base.yaml",
]
WRONG = [
    "nonsense: 1",
    "alerts: []",
    "matrix: [{then: hold}]",
    "channels: {a: {token: x}}",
    "notices: {a: {to: b}}",
    "calendar: {freeze: [{from: 2025-12-20}]}",
    "stages: [{stage: a, fallback: half}]",
    "flags: {percent: A}",
    "environments: {a: {flags_in: {yaml: a}}}",
    "environments: {a: {bake_scale: 0}}",
    "environments: {a: {redeploy: {command: [a], passes: 0}}}",
    "verify: [{http: /}]",
    "verify: [{check: A}]",
    "verify: [{check: A, http: /, hedaers: {}}]",
    "verify: [{check: A, http: /, timeout: 5}]",
    "verify: [{check: A, http: /, level: fatal}]",
    "checklists: {a: [{check: A, all: []}]}",
    "metrics: {a: {http: /, jq: .a, unit: apples}}",
    "metrics: {a-b: {value: 1}}",
    "stages: [{percent: 5}]",
    "stages: [{stage: a, percent: 101}]",
    "stages: [{stage: a, triggers: [{when: percent > 1}]}]",
    "stages: [{stage: a, cadence: 1h}]",
    "rollback: {set: all}",
    "rollback: {incident: P9}",
    "severities: {P9: {}}",
    "on_error: ignore",
]


@pytest.mark.parametrize("text", RIGHT)
def test_what_is_right_by_shape_is_valid(text: str) -> None:
    assert complaints(f"runbook: 1\nservice: soup\n{text}\n") == []


@pytest.mark.parametrize("text", WRONG)
def test_what_the_reader_refuses_by_shape_is_not_valid(tmp_path: Path, text: str) -> None:
    whole = f"runbook: 1\nservice: soup\n{text}\n"
    assert complaints(whole)
    assert load_text(tmp_path, whole).errors


def test_what_the_reader_takes_is_valid(tmp_path: Path) -> None:
    path = tmp_path / "soup.yaml"
    path.write_text(SMALL)
    loaded = load_playbook(path, tmp_path)
    assert loaded.playbook is not None
    plain: dict[str, Any] = loaded.playbook.plain
    assert list(jsonschema.Draft202012Validator(SCHEMA).iter_errors(plain)) == []
