"""Screens of decisions: checks, gates, triggers and other rules, one row each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from runbook.judge.verdicts import Status, Verdict
from runbook.language.durations import show_duration
from runbook.rollout.rows import Decision, Row
from runbook.show.checked import NOTHING, Aside, check_lines, in_warnings, warnings_in
from runbook.show.page import MARKS, Page, columns

MOST_LINES = 3
ONE_SCREEN = 20  # lines; the end of a longer one is what a small terminal still shows
# Kinds of row of which nobody expects that they count while they hold.
SHOWN_BESIDE = ("trigger", "matrix", "sampled", "build")
RULES, MOST_QUIET, QUIET = ("trigger", "matrix"), 3, "quiet"
# The kinds of row that a step waits for.
GATES = ("gate", "baseline", "sign", "bake", "sampled", "calendar", "clock")
EXPLAINS = "runbook explain  shows what it was judged on"
WORDS = {Verdict.GO: "GO", Verdict.NO_GO: "NO-GO", Verdict.UNKNOWN: "UNKNOWN", Verdict.FAILED: "FAILED"}


def rule_lines(page: Page, rows: Sequence[Row], *, said: Collection[str] = ()) -> None:
    """One row a rule, with its value, its limit, what it rests on, and how old that is.

    Under one that does not hold stands what to do, unless it is `said` at the end of the screen. Many triggers and rows
    of the matrix that are quiet share a line, so that what matters does not scroll away.
    """
    quiet = [row for row in rows if row.kind in RULES and row.status is Status.PASS and _is_quiet(row)]
    quiet = quiet if len(quiet) > MOST_QUIET else []
    width = columns(row.title for row in rows if row not in quiet)
    for row in rows:
        if quiet and row is quiet[0]:
            page.mark(MARKS[Status.PASS], f"{len(quiet)} rules are quiet", "--format json shows them all", width=width)
        if row in quiet:
            continue
        apart = "" if row.counts or row.kind in SHOWN_BESIDE else "(not counted)"
        observed, expected = seen_of(row)
        page.mark(MARKS[row.status], row.title, observed, expected, rests_on(row), apart, width=width)
        if row.message and row.message not in (observed, QUIET):
            page.under(row.message)
        if row.remedy and row.status in (Status.FAIL, Status.UNKNOWN) and row.remedy not in said:
            page.remedy(row.remedy)


def _is_quiet(row: Row) -> bool:
    return row.message.partition(":")[0] in ("", QUIET)


def seen_of(row: Row) -> tuple[str, str]:
    """What was seen, and the limit it is held against. Of a rule that is quiet the limit would read as if it were true:
    `quiet: 0.39 %`.
    """
    if row.kind in RULES and row.status is Status.PASS:
        return (f"{QUIET}: {row.observed}" if row.observed else QUIET), ""
    observed = row.observed or ("" if row.status is Status.PASS else row.message)
    return observed, row.expected if row.kind == "gate" or row.expected not in row.title else ""


def rests_on(row: Row) -> str:
    """`n 12   age 3 s`, as far as it is known."""
    parts = []
    if row.n is not None:
        parts.append(f"n {row.n:,}")
    if row.age is not None:
        parts.append(f"age {show_duration(row.age)}")
    return "  ".join(parts)


def decision_page(
    decision: Decision,
    about: str,
    seconds: float | None = None,
    *,
    said: Collection[str] = (),
    aside: Aside = NOTHING,
    goes_on: bool = False,
) -> Page:
    """A decision as a screen: the verdict first, what holds, then what is unknown, and last what says no.

    So what matters stands beside what is to be typed; the verdict is said again there where the screen is a long one,
    unless it `goes_on` with something else. `said` are the lines that its end tells to type; `aside` is what is known
    beside the checks.
    """
    page = Page()
    warned = in_warnings(warnings_in(decision.checks))
    told = (WORDS[decision.verdict], about, warned, f"{seconds:.1f} s" if seconds is not None else "")
    page.verdict(*told)
    well = [row for row in decision.checks if row.status not in (Status.FAIL, Status.UNKNOWN)]
    check_lines(page, well, aside)
    rule_lines(page, sorted(decision.rows, key=_gravity), said=said)
    check_lines(page, [row for row in decision.checks if row not in well], aside)
    if not goes_on and page.height() > ONE_SCREEN:
        page.verdict(*told)
    return page


def _gravity(row: Row) -> int:
    """What holds comes first; what counts and says no last."""
    if row.status is Status.FAIL:
        return 3 if row.counts else 1
    return 2 if row.status is Status.UNKNOWN and row.counts else 0


def next_lines(
    decision: Decision, *, onwards: Sequence[str] = (), first: str = "", explains: str = EXPLAINS
) -> list[str]:
    """What to type: `first` against what is bad now, then against the rows that do not let us go on, in their order;
    where none does not, `onwards`. At most three lines beside `first`, of which the release of a hold is the last.

    A gate that nothing can be typed against is explained. Where it is too much, one of the sign-offs stays among them;
    what is left out stands under its row.
    """
    against = decision.against()
    # What is bad now is answered by the first line, and by that alone.
    rows = [row for row in against if not (first and row.kind in RULES)]
    ends = [*_remedies(rows, "incident")[:1], *_remedies(rows, "hold")]
    signs = _remedies(rows, "sign")
    others = [row.remedy or explains for row in rows if row.kind not in ("incident", "hold", "sign")]
    if first and len(rows) < len(against):
        others.append(explains)
    room = MOST_LINES - len(ends) - bool(signs)
    lines = [*list(dict.fromkeys(others))[: max(1, room)], *signs][: max(1, MOST_LINES - len(ends))]
    lines = [*lines, *ends] if against else list(onwards)
    return list(dict.fromkeys([first, *lines] if first else lines))


def _remedies(rows: Iterable[Row], kind: str) -> list[str]:
    return list(dict.fromkeys(row.remedy for row in rows if row.kind == kind and row.remedy))


def said_against(decision: Decision) -> str:
    """Everything that speaks against a step, in one sentence."""
    return "; ".join(f"{row.title}: {row.observed or row.message}" for row in decision.against())
