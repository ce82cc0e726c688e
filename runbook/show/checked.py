"""Rows of checks on a screen: what each saw; under one that does not hold why, when it was last good, what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from runbook.checks.base import CheckResult
from runbook.judge.verdicts import Status
from runbook.language.durations import show_duration
from runbook.rollout.last_good import Beside, Happened, beside_failing, every, since_option
from runbook.rollout.site import Site
from runbook.show.advice import advice_on
from runbook.show.page import MARKS, Page, Span, columns
from runbook.system.clock import local_day_and_clock

AGAINST = (Status.FAIL, Status.UNKNOWN)
MOST_LISTED = 20
COUNTED = {
    Status.PASS: "ok",
    Status.FAIL: "no",
    Status.UNKNOWN: "unknown",
    Status.WAIVED: "waived",
    Status.SKIPPED: "skipped",
}


@dataclass(frozen=True)
class Aside:
    """What is known beside the rows: `beside` by `LIST/ID`, `now` in seconds since the epoch.

    Under `strict` warnings count; `verbose` shows the phases of every request.
    """

    beside: Mapping[str, Beside] = field(default_factory=dict)
    now: float = 0.0
    strict: bool = False
    verbose: bool = False


NOTHING = Aside()


def aside_of(site: Site, results: Sequence[CheckResult], *, strict: bool = False, verbose: bool = False) -> Aside:
    """What is known beside these rows."""
    return Aside(beside_failing(site, results), site.clock.wall(), strict, verbose)


def is_warning(result: CheckResult, *, strict: bool = False) -> bool:
    """Whether it does not hold, and the verdict does not rest on it."""
    return result.check.level == "warn" and result.status in AGAINST and not strict


def warnings_in(results: Iterable[CheckResult], *, strict: bool = False) -> int:
    """How many rows, nested ones too, are warnings."""
    return sum(is_warning(row, strict=strict) for row in every(results))


def in_warnings(count: int) -> str:
    """`1 warning`, `2 warnings`; nothing for none."""
    return f"{count} warning{'' if count == 1 else 's'}" if count else ""


def counts_of(statuses: Iterable[Status]) -> str:
    """`4 ok · 1 no · 1 unknown`."""
    listed = list(statuses)
    return " · ".join(f"{listed.count(status)} {word}" for status, word in COUNTED.items() if status in listed)


def counts_of_checks(results: Sequence[CheckResult], *, strict: bool = False) -> str:
    """As `counts_of`, with warnings counted apart."""
    counted = counts_of(row.status for row in results if not is_warning(row, strict=strict))
    return " · ".join(filter(None, (counted, in_warnings(warnings_in(results, strict=strict)))))


def check_lines(
    page: Page, results: Sequence[CheckResult], aside: Aside = NOTHING, *, indent: str = "", width: int = 0
) -> None:
    """One row a check; under one that does not hold what it saw and what to do. Nested rows share the column."""
    width = width or columns(_titles(results, indent))
    said: tuple[Happened, ...] = ()
    for result in results:
        against = result.status in AGAINST
        # What was passed over has seen nothing: why it was is all there is to say.
        passed_over = result.status in (Status.WAIVED, Status.SKIPPED)
        observed = result.observed or (result.message if passed_over else "")
        page.mark(MARKS[result.status], f"{indent}{_titled(result)}", observed, result.expected, width=width)
        if against and result.message and result.message != result.observed:
            page.under(result.message)
        for entry in list(result.listed)[:MOST_LISTED]:
            page.under(f"- {entry}")
        _phases(page, result, aside)
        if against and (beside := aside.beside.get(result.check.full_id)) is not None:
            _last_good(page, beside, aside.now, shown=said)
            said = beside.events or said
        if against and (advice := advice_on(result.status.value, result.check.advice, result.message)):
            page.remedy(advice)
        if result.nested:
            check_lines(page, result.nested, aside, indent=indent + "  ", width=width)


def _titled(result: CheckResult) -> str:
    warns = result.check.level == "warn" and result.status in AGAINST
    return f"{result.check.title} (warn)" if warns else result.check.title


def _titles(results: Iterable[CheckResult], indent: str) -> Iterator[str]:
    """The titles as they are shown, nested ones too."""
    for result in results:
        yield f"{indent}{_titled(result)}"
        yield from _titles(result.nested, indent + "  ")


def _phases(page: Page, result: CheckResult, aside: Aside) -> None:
    """The parts of the request where they are asked for; of one that went wrong always in which part."""
    against = result.status in AGAINST
    if result.phases and (aside.verbose or (against and result.phase)):
        page.under(phases_in_words(result.phases))
    if against and result.phase:
        page.under(f"it ended in the phase {result.phase}")


def phases_in_words(phases: Mapping[str, float]) -> str:
    """`resolve 1 ms · connect 2 ms`, the times given in seconds."""
    return " · ".join(f"{name} {show_duration(seconds)}" for name, seconds in phases.items())


def _last_good(page: Page, beside: Beside, now: float, *, shown: Sequence[Happened]) -> None:
    """When it was last good and what happened since; the same events are not told twice in a row."""
    if beside.last is None:
        page.under("never seen to pass")
        return
    seen = f": {beside.last.observed}" if beside.last.observed else ""
    page.under(f"last good {show_duration(max(0.0, now - beside.last.at))} ago{seen}")
    if beside.events and tuple(shown) == beside.events:
        page.under("since then the same as above")
        return
    for number, event in enumerate(beside.events):
        lead = "since then" if number == 0 else "          "
        page.under(f"{lead} {local_day_and_clock(event.at, now)} {event.text}, by {event.who}")
    if beside.more:
        line = f"{beside.more} more: runbook history --since {since_option(beside.last.at, now)}"
        page.line("      ", Span(line, "dim"), indent=6, typed=True)
