"""What a package gives back is bounded, of plain types, masked and harmless, and never decides what is not its own."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec
import pytest

from runbook.checks.api import Finding, Kind, Past, Reason, Status, Surroundings
from runbook.checks.base import Check, CheckResult
from runbook.checks.packages.apart import kept_apart
from runbook.checks.recorded import Settled
from runbook.checks.trying import look_at
from tests.checks.looking import surroundings

GIVEN: dict[str, Any] = {}


class Gives(Kind, frozen=True, kw_only=True):
    """Gives back what the test put there."""

    KEY: ClassVar[str] = "gives"
    LOOKS_AT: ClassVar[str] = "what a test put there"
    EXAMPLE: ClassVar[str] = "{check: Gives, gives: x}"

    gives: str

    async def look(self, around: Surroundings) -> Finding:
        if secret := GIVEN.get("secret"):
            around.masker.learn(secret)
        found: Finding = GIVEN["now"]
        return found

    async def past(self, around: Surroundings, since: float, until: float, step: float) -> Past:
        found: Past = GIVEN["now"]
        return found


def given(found: Any, *, secret: str = "", **more: Any) -> CheckResult:
    GIVEN.update(now=found, secret=secret)
    return look_at(Gives, {"gives": "x", **more})


class Endless(Mapping[Any, Any]):
    """A mapping without an end."""

    def __getitem__(self, name: Any) -> Any:
        return 1.0

    def __iter__(self) -> Any:
        return map(str, itertools.count())

    def __len__(self) -> int:
        return 5

    def items(self) -> Any:
        return ((str(number), 1.0) for number in itertools.count())


class Untold(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


class Untellable:
    def __str__(self) -> str:
        raise Untold


@pytest.mark.parametrize("status", [Status.WAIVED, Status.SKIPPED])
@pytest.mark.parametrize("expect", [{}, {"expect": "== 1"}])
def test_only_the_playbook_and_its_people_waive_and_pass_over(status: Status, expect: dict[str, str]) -> None:
    row = given(Finding(status, value=1), **expect)
    assert (row.status, row.reason) == (Status.UNKNOWN, Reason.ERROR)
    assert f"gave the status {status}" in row.message


def test_expect_judges_whatever_class_the_finding_is_of() -> None:
    assert given(Settled(Status.PASS, value=1), expect="== 2").status is Status.FAIL


@pytest.mark.parametrize("field", ["at", "sampled"])
@pytest.mark.parametrize("at", [math.inf, -math.inf, math.nan, 10**400, 1e18, -1.0])
def test_what_is_no_time_is_an_unknown_row_of_the_package(field: str, at: float) -> None:
    times: Any = {field: at}
    row = given(Finding(Status.PASS, value=1, **times))
    assert (row.status, row.reason) == (Status.UNKNOWN, Reason.ERROR)
    assert "gave a finding that cannot be read" in row.message
    assert "fault of the tool" not in row.message


@pytest.mark.parametrize("took", [math.inf, math.nan, 10**400])
def test_the_time_of_a_phase_is_a_number(took: float) -> None:
    assert "gave a finding that cannot be read" in given(Finding(Status.PASS, phases={"wait": took})).message


def test_names_and_the_phase_are_masked_and_harmless() -> None:
    found = Finding(
        Status.FAIL, phases={"s3cr3t-canary": 1.0, "\ud800": 2.0, "\x1b[2J": 3.0}, phase="s3cr3t-canary\x1b\udfff"
    )
    row = given(found, secret="s3cr3t-canary")
    told = msgspec.json.encode([dict(row.phases), row.phase]).decode()
    assert "canary" not in told and "\x1b" not in told and "\\u001b" not in told
    assert sorted(row.phases.values()) == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    "found",
    [
        Finding(Status.PASS, listed=itertools.repeat("x")),  # type: ignore[arg-type]
        Finding(Status.PASS, values=Endless()),
        Finding(Status.PASS, units=Endless()),
        Finding(Status.PASS, phases=Endless()),
    ],
    ids=["listed", "values", "units", "phases"],
)
def test_what_never_ends_is_cut(found: Finding) -> None:
    began = time.monotonic()
    row = given(found)
    assert time.monotonic() - began < 5
    assert row.status is Status.PASS
    assert len(row.listed) <= 1000 and len(row.phases) <= 1000


def test_a_history_that_never_ends_is_cut() -> None:
    GIVEN["now"] = Past(itertools.repeat((1.0, 2.0)))  # type: ignore[arg-type]
    import asyncio

    past = asyncio.run(kept_apart(Gives, "runbook-gives 1")(gives="x").past(surroundings(), 0.0, 9.0, 1.0))
    assert 0 < len(past.points) <= 200_000 and not past.trouble


def test_reading_it_counts_to_its_time() -> None:
    def slow() -> Any:
        while True:
            time.sleep(0.05)
            yield "x"

    GIVEN.update(now=Finding(Status.PASS, listed=slow()), secret="")
    options = kept_apart(Gives, "runbook-gives 1")(gives="x")
    check = Check(title="Gives", id="gives", kind="gives", options=options, timeout=0.3)
    from runbook.checks.runner import look_now

    began = time.monotonic()
    [row] = look_now([check], surroundings())
    assert time.monotonic() - began < 5
    assert row.status is Status.UNKNOWN and "did not end within" in row.message


def test_what_breaks_when_it_is_told_is_a_row_of_the_package() -> None:
    row = given(Finding(Status.PASS, observed=Untellable()))  # type: ignore[arg-type]
    assert row.status is Status.UNKNOWN
    assert "fault of the tool" not in row.message and " broke: " in row.message


def test_an_error_without_words_is_told_by_its_class() -> None:
    class Breaks(Gives, frozen=True, kw_only=True):
        async def look(self, around: Surroundings) -> Finding:
            raise Untold

    assert look_at(Breaks, {"gives": "x"}).message.endswith(" broke: Untold")
