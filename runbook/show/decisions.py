"""Screens of decisions: checks, gates, triggers and other rules, one row each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from runbook.checks.base import CheckResult
from runbook.judge.verdicts import Status, Verdict
from runbook.language.durations import show_duration
from runbook.rollout.rows import Decision, Row
from runbook.show.page import MARKS, Page, columns

WORDS = {Verdict.GO: "GO", Verdict.NO_GO: "NO-GO", Verdict.UNKNOWN: "UNKNOWN", Verdict.FAILED: "FAILED"}


def check_lines(page: Page, results: Sequence[CheckResult], *, indent: str = "") -> None:
    """One row a check; under one that does not hold what it saw and what to do."""
    width = columns(indent + result.check.title for result in results)
    for result in results:
        warns = " (warning)" if result.check.level == "warn" and result.status is Status.FAIL else ""
        page.mark(
            MARKS[result.status], f"{indent}{result.check.title}{warns}", result.observed, result.expected, width=width
        )
        if result.status in (Status.FAIL, Status.UNKNOWN) and result.message and result.message != result.observed:
            page.under(result.message)
        if result.status is not Status.PASS:
            for entry in list(result.listed)[:20]:
                page.under(f"- {entry}")
        if result.status in (Status.FAIL, Status.UNKNOWN) and result.check.advice:
            page.remedy(result.check.advice)
        if result.nested:
            check_lines(page, result.nested, indent=indent + "  ")


def rule_lines(page: Page, rows: Sequence[Row]) -> None:
    """One row a rule, with its value, its limit, what it rests on, and how old that is."""
    width = columns(row.title for row in rows)
    for row in rows:
        apart = "" if row.counts or row.kind in ("trigger", "sampled") else "(not counted)"
        observed = row.observed or ("" if row.status is Status.PASS else row.message)
        expected = row.expected if row.expected and row.expected not in row.title else ""
        page.mark(MARKS[row.status], row.title, observed, expected, rests_on(row), apart, width=width)
        if row.message and row.message not in (observed, "quiet"):
            page.under(row.message)
        if row.remedy and row.status in (Status.FAIL, Status.UNKNOWN):
            page.remedy(row.remedy)


def rests_on(row: Row) -> str:
    """`n 12   age 3 s`, as far as it is known."""
    parts = []
    if row.n is not None:
        parts.append(f"n {row.n:,}")
    if row.age is not None:
        parts.append(f"age {show_duration(row.age)}")
    return "  ".join(parts)


def counts_of(statuses: Iterable[Status]) -> str:
    """`4 ok · 1 no · 1 unknown`."""
    words = {
        Status.PASS: "ok",
        Status.FAIL: "no",
        Status.UNKNOWN: "unknown",
        Status.WAIVED: "waived",
        Status.SKIPPED: "skipped",
    }
    listed = list(statuses)
    return " · ".join(f"{listed.count(status)} {word}" for status, word in words.items() if status in listed)


def decision_page(decision: Decision, about: str, seconds: float | None = None) -> Page:
    """A decision as a screen: the verdict first."""
    page = Page()
    page.verdict(WORDS[decision.verdict], about, f"{seconds:.1f} s" if seconds is not None else "")
    rule_lines(page, decision.rows)
    check_lines(page, decision.checks)
    return page
