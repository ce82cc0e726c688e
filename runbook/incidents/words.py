"""Events in words: what each kind of event says. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from runbook.incidents.checklist import incident_of
from runbook.language.durations import show_duration
from runbook.store.events import Event, Recorded
from runbook.system.clock import utc

NAMES = {
    "emergency": "emergency rollback",
    "partial": "partial rollback",
    "previous": "way back to the position before",
    "adopt": "restore of the recorded values",
}


def operation_name(told: Mapping[str, Any]) -> str:
    """`ramp disabled@0 -> canary@10`, `emergency rollback canary@10 -> safe`."""
    kind, came_from, to = (str(told.get(name) or "") for name in ("kind", "from", "to"))
    way = f"{came_from} -> {to}" if came_from else to
    return f"{NAMES.get(kind, kind or 'operation')} {way}".strip()


def words_of(record: Recorded) -> str:
    """What an event says, in words."""
    event = record.event
    if record.redacted:
        return f"{event.kind} (what it said was erased)"
    if event.kind == "check.waived":
        return _waived(event.payload, event.at / 1_000_000)
    words = _WORDS.get(event.kind)
    return words(event.payload) if words else _plainly(event)


def _plainly(event: Event) -> str:
    told = ", ".join(f"{name} {value}" for name, value in event.payload.items() if isinstance(value, str | int | float))
    return f"{event.kind}: {told}" if told else event.kind


def _started(told: Mapping[str, Any]) -> str:
    why = str(told.get("rule") or told.get("reason") or "")
    return f"{operation_name(told)} began" + (f": {why}" if why else "")


_OUTCOMES = {
    "done": "done",
    "undone": "failed and was undone",
    "half-done": "stands half done",
    "nothing": "did nothing",
    "taken-over": "was ended by an emergency",
}


def _ended(told: Mapping[str, Any]) -> str:
    outcome = str(told.get("outcome", ""))
    seconds = told.get("seconds")
    after = f" after {show_duration(seconds)}" if isinstance(seconds, int | float) else ""
    message = str(told.get("message") or "")
    return f"{operation_name(told)} {_OUTCOMES.get(outcome, outcome)}{after}" + (f": {message}" if message else "")


def _entered(told: Mapping[str, Any]) -> str:
    verified = {True: "verified", False: "verify does not hold"}.get(told.get("verified", ""), "not verified")
    position = f"{told.get('stage', '')}@{float(told.get('percent') or 0):g}"
    if told.get("how") == "adopt":
        return f"{position} was taken as the start" + (f": {told['reason']}" if told.get("reason") else "")
    return f"at {position}, {verified}"


def _held(told: Mapping[str, Any]) -> str:
    return "held" + (f": {told['reason']}" if told.get("reason") else "")


def _signed(told: Mapping[str, Any]) -> str:
    evidence, check = f" ({told['evidence']})" if told.get("evidence") else "", str(told.get("check", ""))
    if incident_of(check) is not None:
        return f"checklist: {check.rpartition('/')[2]} {'done' if told.get('yes') else 'not done'}{evidence}"
    return f"signed {told.get('check', '')}: {'yes' if told.get('yes') else 'no'}{evidence}"


def _role(told: Mapping[str, Any]) -> str:
    evidence = f" ({told['evidence']})" if told.get("evidence") else ""
    position = f"{told.get('stage', '')}@{float(told.get('percent') or 0):g}"
    return f"signed {told.get('role', '')} of {position}: {'yes' if told.get('yes') else 'no'}{evidence}"


def _waived(told: Mapping[str, Any], at: float) -> str:
    until, why = float(told.get("until") or 0), f": {told['reason']}" if told.get("reason") else ""
    if until <= at:
        return f"the waiver of {told.get('check', '')} was ended{why}"
    return f"waived {told.get('check', '')} until {utc(until):%Y-%m-%d %H:%M} UTC{why}"


def _captured(told: Mapping[str, Any]) -> str:
    position = f"{told.get('stage', '')}@{float(told.get('percent') or 0):g}"
    return f"the numbers of {position} are the baseline (metrics: {', '.join(told.get('numbers') or ())})"


def _rollout_ended(told: Mapping[str, Any]) -> str:
    why, reason = str(told.get("why") or ""), str(told.get("reason") or "")
    said = "declared stable" if why == "stable" else f"the rollout ended: {why}" if why else "the rollout ended"
    return f"{said}: {reason}" if reason else said


def _matrix(told: Mapping[str, Any]) -> str:
    severity = f", {told['severity']}" if told.get("severity") else ""
    return f"matrix: {told.get('when', '')} ({told.get('observed', '')}) -> {told.get('then', '')}{severity}"


def _severity(told: Mapping[str, Any]) -> str:
    before = f"{told['before']} -> " if told.get("before") else ""
    return f"severity {before}{told.get('severity', '')}"


def _text(lead: str, name: str = "text") -> Callable[[Mapping[str, Any]], str]:
    def words(told: Mapping[str, Any]) -> str:
        text = str(told.get(name) or "")
        return f"{lead}: {text}" if lead and text else text or lead

    return words


_WORDS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "operation.started": _started,
    "operation.ended": _ended,
    "position.entered": _entered,
    "bake.passed": lambda told: f"the bake of {told.get('stage', '')}@{float(told.get('percent') or 0):g} passed",
    "rollout.started": lambda told: f"rollout {told.get('number', '')} began",
    "rollout.ended": _rollout_ended,
    "role.signed": _role,
    "baseline.captured": _captured,
    "version.seen": lambda told: f"build {told.get('version', '')} runs there",
    "bake.restarted": lambda told: (
        f"a new build {told.get('version', '')} (it was {told.get('before', '')}): the bake begins again"
    ),
    "matrix.fired": _matrix,
    "matrix.cleared": lambda told: f"matrix: {told.get('when', '')} is not true any more",
    "recovered": lambda told: f"recovered: {told.get('condition', '')} ({told.get('observed', '')})",
    "hold.set": _held,
    "hold.released": _text("released", "reason"),
    "check.signed": _signed,
    "trigger.fired": lambda told: (
        f"trigger fired: {told.get('when', '')} ({told.get('observed', '')}) -> {told.get('then', '')}"
    ),
    "incident.opened": lambda told: (
        f"incident {told.get('id', '')} opened as {told.get('severity', '')}: {told.get('title', '')}"
    ),
    "incident.joined": _text("this incident goes on", "title"),
    "incident.severity": _severity,
    "incident.noted": _text("note"),
    "incident.action": _text("action item"),
    "incident.resolved": _text("resolved"),
    "notice.drafted": lambda told: f"notice {told.get('notice', '')} drafted",
    "notice.sent": lambda told: f"notice {told.get('notice', '')} sent to {told.get('channel', '')}",
    "notice.failed": lambda told: (
        f"notice {told.get('notice', '')} did not reach {told.get('channel', '')}: {told.get('reason', '')}"
    ),
    "noted": lambda told: f"{told.get('kind', 'note')}" + (f": {told['text']}" if told.get("text") else ""),
}
