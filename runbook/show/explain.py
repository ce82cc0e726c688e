"""The screens of `explain`: a decision with the samples behind it, and an operation from its plan to its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runbook.incidents.words import words_of
from runbook.judge.facts import Sample
from runbook.judge.verdicts import Verdict
from runbook.language.durations import show_duration
from runbook.language.units import show_value
from runbook.rollout.receipts import Behind, Receipt
from runbook.show.decisions import QUIET, SHOWN_BESIDE, WORDS, rests_on, seen_of
from runbook.show.documents import EvidenceRow, SampleDoc
from runbook.show.page import MARKS, Page, columns
from runbook.store.events import Recorded
from runbook.system.clock import local_clock, local_day_and_clock, rfc3339

ENDS = {"done": "GO", "undone": "UNDONE", "half-done": "HALF DONE", "nothing": "NOTHING", "taken-over": "TAKEN OVER"}


@dataclass(frozen=True)
class Told:
    """An operation as its events tell of it: how it began, how it ended (None: not yet), and what else happened."""

    started: Recorded
    ended: Recorded | None
    others: Sequence[Recorded]


def receipt_lines(page: Page, receipt: Receipt, evidence: Mapping[str, Sequence[Behind]], now: float) -> None:
    """Every rule with value, threshold, age and sample size; under a gate the samples behind it."""
    width = columns(row.title for row in receipt.rows)
    for row in receipt.rows:
        observed, expected = seen_of(row)
        apart = "" if row.counts or row.kind in SHOWN_BESIDE else "(not counted)"
        page.mark(MARKS[row.status], row.title, observed, expected, rests_on(row), apart, width=width)
        if row.message and row.message not in (observed, QUIET):
            page.under(row.message)
        for one in evidence.get(row.id, ()):
            page.under(behind_told(one, now))


def behind_told(one: Behind, now: float) -> str:
    """`error_rate: mean 1.1 % of n 212; last 1.2 %, 1 %, 1.1 % (12 s ago)`."""
    if not one.last:
        return f"{one.metric}: no samples are kept since the rung was entered"
    mean = "no numbers" if one.mean is None else f"mean {show_value(one.mean, one.unit)} of n {one.n:,}"
    last = ", ".join(_shown(sample, one.unit) for sample in one.last)
    age = show_duration(max(0, round(now - one.last[-1].t)))
    return f"{one.metric}: {mean}; the last {len(one.last)}: {last} ({age} ago)"


def _shown(sample: Sample, unit: str | None) -> str:
    if sample.good:
        return show_value(sample.value, unit)
    return "error" if sample.error else "no data"


def decision_told(receipt: Receipt, now: float) -> str:
    """What was decided, when and by whom: `leaving canary@10 for half@50, gate by ana 12 s ago`."""
    way = f"leaving {receipt.came_from}" if receipt.came_from else "entering the ladder"
    way += f" for {receipt.to}" if receipt.to else ", the top of the ladder"
    ago = show_duration(max(0, round(now - receipt.at)))
    return f"{way}   {receipt.about} by {receipt.who} at {local_day_and_clock(receipt.at, now)}, {ago} ago"


def explained_page(service: str, receipt: Receipt, evidence: Mapping[str, Sequence[Behind]], now: float) -> Page:
    """The last decision."""
    page = Page()
    page.verdict(WORDS[Verdict(receipt.verdict)], decision_told(receipt, now), service)
    receipt_lines(page, receipt, evidence, now)
    return page


def operation_page(told: Told, receipt: Receipt | None, now: float) -> Page:
    """An operation: what it was to do and why, each step with its time, how it ended, and what was decided before."""
    page = Page()
    event, payload = told.started.event, told.started.event.payload
    ended: dict[str, Any] = told.ended.event.payload if told.ended is not None else {}
    outcome = str(ended.get("outcome", "")) or "not ended"
    way = f"{payload.get('kind')} {payload.get('from') or 'before the first stage'} -> {payload.get('to')}"
    page.verdict(ENDS.get(outcome, "CUT OFF" if told.ended is None else outcome.upper()), way, event.operation or "")
    began = event.at / 1_000_000
    took = f", took {show_duration(float(ended['seconds']))}" if ended.get("seconds") is not None else ""
    page.line(f"  by         {event.who.operator} on {event.who.host}, {local_day_and_clock(began, now)}{took}")
    for name, text in (("reason", payload.get("reason")), ("rule", payload.get("rule"))):
        if text:
            page.line(f"  {name:<9}  {text}", indent=13)
    page.line(f"  result     {ended.get('message') or 'it has not ended: runbook resume'}", indent=13)
    _steps(page, payload, ended)
    for other in told.others:
        page.line(f"  {local_clock(other.event.at / 1_000_000)}   {other.event.kind}  {words_of(other)}", indent=13)
    if receipt is not None:
        page.blank()
        page.line(f"It was begun on this decision: {WORDS[Verdict(receipt.verdict)]}")
        receipt_lines(page, receipt, {}, now)
    return page


def _steps(page: Page, payload: Mapping[str, Any], ended: Mapping[str, Any]) -> None:
    """The plan, and beside each step how it came out and how long it took."""
    ran = list(ended.get("steps") or ())
    for number, planned in enumerate(payload.get("plan") or ()):
        done = ran[number] if number < len(ran) else None
        if done is None:
            page.mark("--", str(planned), "not run" if ended else "")
            continue
        seconds = show_duration(float(done.get("seconds") or 0.0))
        message = str(done.get("message") or "")
        page.mark("ok" if done.get("ok") else "NO", str(planned), "" if message in str(planned) else message, seconds)


def evidence_rows(evidence: Mapping[str, Sequence[Behind]]) -> list[EvidenceRow]:
    """The samples behind the gates, for the document."""
    return [
        EvidenceRow(
            gate=gate,
            metric=one.metric,
            unit=one.unit,
            n=one.n,
            mean=one.mean,
            newest=[_sample(sample) for sample in one.last],
        )
        for gate, several in evidence.items()
        for one in several
    ]


def _sample(sample: Sample) -> SampleDoc:
    value = sample.value if sample.good and not isinstance(sample.value, bool) else None
    return SampleDoc(at=rfc3339(sample.t), value=value, error=sample.error)
