"""One row: a check looked at as often as it asks for, its finding judged, and the result fit to be shown and kept."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from runbook.checks.base import Check, CheckResult, Finding, Surroundings
from runbook.checks.findings import AroundCheck, LookAll, Nested, Rows, Unreachable, unknown, without_value
from runbook.checks.recorded import Settled
from runbook.judge.verdicts import STATUS_OF, Judged, Reason, Status
from runbook.language.durations import show_duration
from runbook.system.harmless import harmless
from runbook.system.http_messages import PHASES
from runbook.system.secrets import VariableTrouble

_BETWEEN_ATTEMPTS = 0.25  # seconds
_SHOWN = 300  # characters of one field
_SKEW_ALLOWED = 30.0  # seconds between the source's clock and ours; beyond that its numbers are of another time
_OFFENDERS = 50
_OURS = {"status", "time", *PHASES}  # of this very request and answer, whoever kept the value in it
_UNITS: dict[str, str | None] = {"age": "s", "size": "bytes", "time": "s"}  # of what kinds give beside their value


async def row(check: Check, around: Surroundings, look_nested: LookAll, judge: bool) -> CheckResult:
    """The result of one check; `judge` applies `expect`, without it the row only carries the value. Never raises."""
    began = time.monotonic()
    try:
        finding = _passed_over(check, around) if judge else None
        if finding is None:
            finding = await _attempts(check, around, look_nested, began)
            finding = _judged(check, finding, around, began) if judge else _measured(finding, around, began)
    except Exception as trouble:  # a kind that breaks is its own row, and the others go on
        finding = unknown(f"this check broke, which is a fault of the tool: {type(trouble).__name__}: {trouble}")
    return _result(check, finding, around, began)


def late_row(check: Check, around: Surroundings, began: float, judge: bool) -> CheckResult:
    """The row of a check that had not ended by the deadline of the whole look."""
    message = f"no answer within {show_duration(max(0.0, around.deadline - began))}, the deadline of this look"
    late = Unreachable(Status.UNKNOWN, observed="timed out", message=message, reason=Reason.ERROR)
    return _result(check, _judged(check, late, around, began) if judge else late, around, began)


def _passed_over(check: Check, around: Surroundings) -> Finding | None:
    """A finding for a check that is not looked at now; None for one that is."""
    if check.only and around.environment not in check.only:
        return Finding(Status.SKIPPED, message=f"only in {', '.join(check.only)}")
    if around.environment in check.unless:
        return Finding(Status.SKIPPED, message=f"not in {around.environment}")
    waiver = around.answers.waiver(check.full_id) if around.answers is not None else None
    if waiver is not None and waiver.until > around.now:
        until = time.strftime("%a %d %b %H:%M", time.localtime(waiver.until))
        return Finding(Status.WAIVED, message=f"waived to {until} by {waiver.who}: {waiver.reason}")
    if around.dry_run and not (check.reads or check.options.only_looks()):
        return Finding(Status.SKIPPED, message="not looked at in a dry run (reads: true says that it changes nothing)")
    return None


async def _attempts(check: Check, around: Surroundings, look_nested: LookAll, began: float) -> Finding:
    finding = unknown("it was not looked at")
    last = check.attempts - 1 if around.recorded is None else 0
    for attempt in range(max(1, last + 1)):
        if attempt:
            await asyncio.sleep(_BETWEEN_ATTEMPTS)
        once = AroundCheck.of(around, check, look_nested)
        if not check.checks:  # nested ones have each their own time
            once.deadline = min(around.deadline, time.monotonic() + check.timeout)
        if attempt:
            once.asker = around.asker.afresh()
        try:
            finding = await (check.options.look(once) if once.recorded is None else once.recorded.look(once))
        except VariableTrouble as trouble:
            return without_value(trouble)
        if attempt < last and _judged(check, finding, around, began).status is Status.PASS:
            break  # nothing is judged here that no other attempt would follow: whoever asked judges it
    return finding


def _judged(check: Check, finding: Finding, around: Surroundings, began: float) -> Finding:
    """The finding with the check's own words applied: presence, and `expect`."""
    if isinstance(finding, Settled):
        return finding
    if isinstance(finding, Unreachable):
        down = check.expect is None and check.options.presence()
        return replace(finding, status=Status.FAIL, reason=None) if down else finding
    has_value = finding.value is not None
    if check.expect is not None and (finding.status is Status.PASS or (finding.status is Status.FAIL and has_value)):
        trouble = _of_another_time(finding, around, began) if _judges_what_was_taken(check) else ""
        if trouble:
            return replace(finding, status=Status.UNKNOWN, expected=check.expect, message=trouble, reason=Reason.ERROR)
        return _expected(check.expect, finding, around)
    if check.expect is None and finding.status is Status.PASS and finding.value is False:
        return replace(finding, status=Status.FAIL, expected=finding.expected or "true")
    return finding


def _expected(expect: str, finding: Finding, around: Surroundings) -> Finding:
    values = {**around.builtins, **finding.values}
    units = {**_UNITS, **finding.units}
    judged = _evaluate(expect, values, finding.value, units)
    listed = finding.listed
    if isinstance(finding, Rows):
        offenders = [(name, value) for name, value in finding.rows if not _evaluate(expect, values, value, units).holds]
        listed = [f"{name}: {value}" for name, value in offenders[:_OFFENDERS]]
    return Finding(
        STATUS_OF[judged.truth],
        observed=finding.observed if isinstance(finding, Rows) else judged.observed or finding.observed,
        expected=expect,
        message=judged.message or finding.message,
        reason=judged.reason,
        value=finding.value,
        values=finding.values,
        listed=listed,
        at=finding.at,
        sampled=finding.sampled,
        phases=finding.phases,
    )


def _evaluate(expect: str, values: Mapping[str, Any], value: Any, units: Mapping[str, str | None]) -> Judged:
    from runbook.judge.evaluate import evaluate_value
    from runbook.judge.verdicts import Truth
    from runbook.language.conditions import parse_condition

    try:
        return evaluate_value(parse_condition(expect, subject="value"), {**values, "value": value}, units=units)
    except ValueError as trouble:
        return Judged(Truth.UNKNOWN, Reason.ERROR, message=f"expect cannot be read: {trouble}")


def _measured(finding: Finding, around: Surroundings, began: float) -> Finding:
    """The finding as a measurement: a value, or why there is none."""
    if finding.status is Status.UNKNOWN:
        return finding
    if isinstance(finding.value, dict | list) or (finding.value is None and finding.status is Status.FAIL):
        return unknown(finding.message or "there is no single value", observed=finding.observed)
    if finding.value is None:
        return unknown("there is no value in the answer", Reason.NODATA, finding.observed)
    if trouble := _of_another_time(finding, around, began):
        return unknown(trouble)
    return replace(finding, status=Status.PASS, listed=())


def _of_another_time(finding: Finding, around: Surroundings, began: float) -> str:
    """Why the value is not one of now, by the clock of its source; empty where it is, or the source told none."""
    skew = 0.0 if finding.at is None else finding.at - (around.now + time.monotonic() - began)
    if abs(skew) <= _SKEW_ALLOWED:
        return ""
    return f"the source's clock, or a cache before it, is {show_duration(abs(skew))} off"


def _judges_what_was_taken(check: Check) -> bool:
    """Whether `expect` judges what stood in the answer, and not only its status and the time it took."""
    from runbook.language.conditions import ConditionError, parse_condition
    from runbook.language.syntax import Name, walk

    try:
        condition = parse_condition(check.expect or "", subject="value")
    except ConditionError:
        return True  # it is told as such where it is evaluated
    names = {node.name for node in walk(condition.root) if isinstance(node, Name)}
    return not (check.options.presence() and names <= _OURS)


def _result(check: Check, finding: Finding, around: Surroundings, began: float) -> CheckResult:
    duration = time.monotonic() - began

    def fit(text: str) -> str:
        return harmless(around.masker.mask(text), limit=_SHOWN)

    value = finding.value
    return CheckResult(
        check=check,
        status=finding.status,
        reason=finding.reason,
        observed=fit(finding.observed),
        expected=fit(finding.expected),
        message=fit(finding.message),
        duration=duration,
        checked_at=around.now + duration,
        value=around.masker.mask(value) if isinstance(value, str) else value,
        listed=tuple(fit(entry) for entry in finding.listed),
        nested=finding.results if isinstance(finding, Nested) else (),
        measured_at=finding.at if finding.sampled is None else finding.sampled,
        phases={fit(name): took for name, took in finding.phases.items()},
        phase=fit(finding.phase),
    )
