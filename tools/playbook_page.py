"""docs/reference/playbook.md: every section and key of the language, from the tables that read a playbook."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runbook.judge.policies import POLICIES
from runbook.language.units import UNITS
from runbook.playbook import (
    bakes,
    calendar,
    environments,
    metrics,
    notices,
    rollback,
    sections,
    severities,
    stages,
    tests_section,
    ways_down,
)
from runbook.playbook.records import Key
from tools.markdown import GENERATED, allowed, code, listed, table
from tools.playbook_words import CONDITIONS, INTRODUCTION, PLACES, TESTS, VALUES

Keys = Mapping[str, Key[Any]]

# Every mapping with fixed keys, in the order in which a playbook has them: its heading, its keys, what comes later.
PARTS: tuple[tuple[str, Keys, tuple[str, ...]], ...] = (
    ("The whole playbook", sections.SECTIONS, tuple(sections.NOT_YET)),
    ("`flags`", environments.FLAG_KEYS, ()),
    ("`environments`: one of them", environments.ENVIRONMENT_KEYS, environments.ENVIRONMENT_NOT_YET),
    ("`flags_in`", environments.PLACE_KEYS, environments.PLACES_NOT_YET),
    (
        "`redeploy`, beside its kind",
        {**environments.REDEPLOY_COMMON, **environments.REDEPLOY_KEYS},
        tuple(sorted(environments.OTHER_REDEPLOYS)),
    ),
    ("`secrets`: one of them", environments.SECRET_KEYS, ()),
    ("`metrics`: one of them", {**metrics.METRIC_KEYS, **metrics.FED_KEYS}, metrics.METRICS_NOT_YET),
    ("`stages`: one of them", stages.STAGE_KEYS, ()),
    ("`percent`: one of several", stages.RUNG_KEYS, ()),
    ("`bake`", bakes.BAKE_KEYS, ()),
    ("`cadence`: one of several", calendar.PACE_KEYS, ()),
    ("`gates`: one of them, written out", stages.GATE_KEYS, ()),
    ("`triggers`: one of them", stages.TRIGGER_KEYS, ()),
    ("`rollback`", rollback.ROLLBACK_KEYS, ()),
    ("`rollback.partial`", ways_down.PARTIAL_KEYS, ()),
    ("`matrix`: one of its rows", ways_down.MATRIX_KEYS, ()),
    ("`severities`: one of them", severities.SEVERITY_KEYS, ()),
    ("`calendar`", calendar.CALENDAR_KEYS, ()),
    ("`calendar.freeze`: one of them", calendar.FREEZE_KEYS, ()),
    ("`channels`: one of them", notices.CHANNEL_KEYS, tuple(sorted(notices.CHANNELS_LATER))),
    ("`notices`: one of them", notices.NOTICE_KEYS, ()),
    ("`contacts`: one of them", notices.CONTACT_KEYS, ()),
    ("`tests`: one of them", tests_section.TEST_KEYS, ()),
    ("`tests`: its `expect`", tests_section.EXPECT_KEYS, ()),
)


def page() -> str:
    """The whole page."""
    parts = [GENERATED, INTRODUCTION, *(_part(*part) for part in PARTS), CONDITIONS, _units(), VALUES, TESTS, PLACES]
    return "\n".join(parts)


def _part(heading: str, keys: Keys, not_yet: tuple[str, ...]) -> str:
    """One mapping: its keys, and those that are refused by name until they are built."""
    rows = [
        (code(key), allowed(known.shape.schema()), known.meaning + (" (must be there)" if known.required else ""))
        for key, known in keys.items()
    ]
    later = f"\nNot built yet, and refused by name: {listed(not_yet)}.\n" if not_yet else ""
    return f"## {heading}\n\n" + table(("key", "what stands there", "meaning"), rows) + f"\n{later}"


def _units() -> str:
    rows = [(code(unit.name), unit.dimension, unit.example) for unit in UNITS.values()]
    policies = f"`on_nodata` and `on_error` say what an unknown outcome counts as: {listed(POLICIES)}.\n"
    return "## Units\n\n" + table(("unit", "measures", "in a condition"), rows) + f"\n\n{policies}"
