"""The JSON documents: one head for all, and lists under fixed names. Keys never change meaning within `runbook/1`."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from runbook.show.document_rows import CheckRow, Doc, MetricRow, ProblemRow, RequestRow, RuleRow

SCHEMA: Literal["runbook/1"] = "runbook/1"


class PlanRow(Doc):
    """One step of a plan, with its undo and the same by hand; after it ran, how it came out."""

    kind: str
    title: str
    detail: str = ""
    undo: str = ""
    by_hand: str = ""
    diff: list[str] = []
    ok: bool | None = None
    message: str = ""


class EventRow(Doc):
    """One event of the chain. `at` is RFC 3339, UTC."""

    number: int
    at: str
    kind: str
    who: str
    host: str
    known: str
    operation: str | None
    rollout: int | None
    payload: dict[str, Any]
    hash: str


class EvidenceRow(Doc):
    """The samples behind a gate since the rung was entered: how many numbers, their mean, and the newest ones."""

    gate: str
    metric: str
    unit: str | None
    n: int
    mean: float | None
    newest: list[SampleDoc]


class SampleDoc(Doc):
    """One measurement. `at` is RFC 3339, UTC; without a value `error` says why, or is empty for no data."""

    at: str
    value: float | str | None = None
    error: str = ""


class ContactRow(Doc):
    """Whom to call. `there` is the time of day where they are; `problem` why a value could not be filled in."""

    role: str
    name: str = ""
    phone: str = ""
    mail: str = ""
    chat: str = ""
    timezone: str | None = None
    there: str = ""
    note: str = ""
    problem: str = ""


class NoticeRow(Doc):
    """One notice on one of its channels. `sent` is null in a dry run; `message` is what the channel answered."""

    notice: str
    channel: str
    kind: str | None
    text: str
    sent: bool | None
    message: str = ""


class ChecklistRow(Doc):
    """One line of an incident's checklist. `at` is RFC 3339, UTC."""

    id: str
    text: str
    done: bool
    by: str | None = None
    at: str | None = None
    evidence: str = ""


class IncidentRow(Doc):
    """One incident. Times are RFC 3339, UTC."""

    id: int
    title: str
    severity: str
    state: Literal["open", "resolved"]
    opened_at: str
    resolved_at: str | None = None
    opened_by: str = ""
    respond_by: str | None = None
    answered_at: str | None = None
    checklist: list[ChecklistRow] = []


class BakeDoc(Doc):
    """The bake of the rung we stand on. `sampled` is the share watched, 0..1."""

    ends_at: str
    sampled: float | None
    asked_s: float
    elapsed_s: float
    over: bool


class LockDoc(Doc):
    """Who has the lock."""

    operator: str
    host: str
    since: str
    kind: str
    doing: str
    state: str
    epoch: int


class OperationDoc(Doc):
    """An operation: one under way or cut off (`state`), or the last one that ended."""

    id: str
    kind: str
    state: str
    to: str = ""
    by: str = ""
    began_at: str = ""
    message: str = ""


class HoldDoc(Doc):
    """A hold in force."""

    by: str
    since: str
    reason: str
    until: str | None
    automatic: bool


class Document(Doc, kw_only=True):
    """What every command prints under `--format json`; a list that a command does not have is left out."""

    schema: Literal["runbook/1"] = SCHEMA
    command: str
    service: str | None
    environment: str | None
    verdict: Literal["go", "no-go", "unknown", "failed"]
    exit_reason: Literal["go", "no-go", "usage", "unknown", "failed", "busy", "bug", "interrupted"]
    message: str
    started_at: str
    duration_ms: float
    checks: list[CheckRow] | UnsetType = UNSET
    tests: list[CheckRow] | UnsetType = UNSET  # of `test`: each with what it expects as nested rows
    gates: list[RuleRow] | UnsetType = UNSET
    rules: list[RuleRow] | UnsetType = UNSET
    triggers: list[RuleRow] | UnsetType = UNSET
    plan: list[PlanRow] | UnsetType = UNSET
    events: list[EventRow] | UnsetType = UNSET
    metrics: list[MetricRow] | UnsetType = UNSET
    incidents: list[IncidentRow] | UnsetType = UNSET
    problems: list[ProblemRow] | UnsetType = UNSET
    requests: list[RequestRow] | UnsetType = UNSET
    notices: list[NoticeRow] | UnsetType = UNSET
    samples: list[EvidenceRow] | UnsetType = UNSET
    contacts: list[ContactRow] | UnsetType = UNSET
    state: str | UnsetType = UNSET  # in a word: UNSAFE, SERVICE DOWN, CUT OFF, UNKNOWN, STALE, HELD, BAKING, SAFE...
    since: str | UnsetType | None = UNSET  # since when it is so
    undo: str | UnsetType = UNSET  # what takes the next command back; empty where it changes nothing
    next: list[str] | UnsetType = UNSET
    by_hand: list[str] | UnsetType = UNSET
    stage: str | UnsetType | None = UNSET
    percent: float | UnsetType | None = UNSET
    bake: BakeDoc | UnsetType | None = UNSET
    lock: LockDoc | UnsetType | None = UNSET
    operation: OperationDoc | UnsetType | None = UNSET
    hold: HoldDoc | UnsetType | None = UNSET
    incident: int | UnsetType | None = UNSET
    how: str | UnsetType | None = UNSET  # the way down: rollback, partial, fallback, previous, emergency
    seconds: float | UnsetType = UNSET  # how long the way back took
    objective: float | UnsetType | None = UNSET  # how long it may take, in seconds
    within_objective: bool | UnsetType | None = UNSET
    recovered: bool | UnsetType | None = UNSET  # null: not watched, or nothing could tell
    path: str | UnsetType | None = UNSET
    details: dict[str, Any] | UnsetType = UNSET


def document_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the documents."""
    schema = msgspec.json.schema(Document)
    head = schema["$defs"]["Document"]
    head["required"] = ["schema", *(name for name in head["required"] if name != "schema")]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "runbook/1", **schema}
