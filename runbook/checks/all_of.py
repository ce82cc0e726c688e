"""`all`: nested checks, as on paper. No over yes, unknown between; over nothing that counts it is not a pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec

from runbook.checks.base import CheckResult, Finding, Kind, Surroundings
from runbook.checks.findings import AroundCheck, Nested, unknown
from runbook.judge.verdicts import Reason, Status


class All(Kind, frozen=True, kw_only=True):
    """The nested checks stand in `Check.checks`; here they are only as they were read."""

    KEY: ClassVar[str] = "all"
    LOOKS_AT: ClassVar[str] = "nested checks: passes when every one does"
    EXAMPLE: ClassVar[str] = "{check: Ready, all: [{check: Health, http: /health}, {check: Team agrees, sign: true}]}"

    all_: tuple[Any, ...] = msgspec.field(name="all", default=())

    def takes_value(self) -> bool:
        return False

    def asserts(self) -> bool:
        return True

    async def look(self, around: Surroundings) -> Finding:
        if not isinstance(around, AroundCheck) or not around.check.checks:
            return unknown("there is no check in it", Reason.NODATA)
        results = await around.look_all(around.check.checks)
        return folded(results)


def folded(results: Sequence[CheckResult]) -> Finding:
    """What nested rows say together."""
    counted = [result for result in results if result.check.level != "warn"]
    statuses = {result.status for result in counted}
    held = sum(result.status in (Status.PASS, Status.WAIVED) for result in results)
    observed = f"{held} of {len(results)}"
    not_held = tuple(f"{result.check.title}: {result.status}" for result in results if _says_no(result))
    if Status.FAIL in statuses:
        return Nested(Status.FAIL, observed, "all", listed=not_held, results=results)
    if Status.UNKNOWN in statuses:
        return Nested(Status.UNKNOWN, observed, "all", reason=_reason(counted), listed=not_held, results=results)
    if all(result.status is Status.SKIPPED for result in results):
        return Nested(Status.SKIPPED, observed, "all", message="nothing in it was looked at", results=results)
    if not_held and statuses <= {Status.SKIPPED}:  # warnings are all there is, and they would make it a pass
        message = "nothing in it that counts was looked at"
        return Nested(Status.SKIPPED, observed, "all", message=message, listed=not_held, results=results)
    return Nested(Status.PASS, observed, "all", results=results)


def _says_no(result: CheckResult) -> bool:
    return result.status in (Status.FAIL, Status.UNKNOWN)


def _reason(results: Sequence[CheckResult]) -> Reason:
    reasons = {result.reason for result in results if result.status is Status.UNKNOWN}
    return Reason.ERROR if Reason.ERROR in reasons else Reason.NODATA
