"""`runbook preflight`: the boxes of the next stage, checked against the live service."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from shutil import get_terminal_size
from typing import Annotated

import typer

from runbook.checks.all_of import folded
from runbook.checks.base import Check, CheckResult
from runbook.cli import completing
from runbook.cli.boundary import command
from runbook.cli.by_hand import Curl, lines_by_hand
from runbook.cli.check_places import with_places
from runbook.cli.flag_row import flags_row, is_elsewhere
from runbook.cli.options import JUDGED, Deadline, Shared, Strict, deadline_of
from runbook.cli.preflight_next import against_it, preflight_of, where_it_is_looked_at
from runbook.cli.talk import looking
from runbook.cli.wiring import open_bench, open_site
from runbook.judge.rules import ACTIONS
from runbook.judge.verdicts import Verdict
from runbook.language.durations import show_duration
from runbook.playbook.trial import conditions_tried
from runbook.rollout.answers import KeptAnswers, beside_waivers
from runbook.rollout.clock_rows import clock_rows
from runbook.rollout.ladder import Rung, named_rungs
from runbook.rollout.last_good import keep_last_good
from runbook.rollout.looking import look
from runbook.rollout.manual_items import BY_PEOPLE, few_of, flat, is_named
from runbook.rollout.ramp import stage_is_gone
from runbook.rollout.rows import passed_all_over, verdict_of_checks
from runbook.rollout.site import Site
from runbook.rollout.standing import Standing, standing_of
from runbook.show.answer import Answer
from runbook.show.checked import (
    AGAINST,
    Aside,
    aside_of,
    check_lines,
    counts_of_checks,
    in_warnings,
    is_warning,
    warnings_in,
)
from runbook.show.decisions import WORDS
from runbook.show.page import Page, pasteable
from runbook.show.rows import check_rows
from runbook.system.refusals import Refusal, exit_of

app = typer.Typer()

LINES = 24  # of a terminal that does not tell

Stage = Annotated[
    str | None,
    typer.Argument(metavar="[STAGE|PERCENT]", help="The stage to enter.", autocompletion=completing.positions),
]
Automatic = Annotated[
    bool, typer.Option("--automatic", help="Leave manual items out of the verdict and list them (for CI).")
]
Only = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="ID", help="Only this check (may be repeated).", autocompletion=completing.checks),
]


@command(app, formats=JUDGED)
def preflight(
    shared: Shared,
    stage: Stage = None,
    automatic: Automatic = False,
    only: Only = None,
    strict: Strict = False,
    deadline: Deadline = "30s",
    curl: Curl = False,
) -> Answer:
    """Run the checklists that the next (or the named) stage requires, all at once, within one deadline.

    Also the safe-default check, or the drift check once a later stage was entered. Manual items: the kept answer
    counts, else it is asked on a terminal, else unknown.

    Example: runbook preflight canary --automatic --format json
    """
    site = open_site(shared, bench=open_bench(shared, looks=True))
    shown, trouble = site.flags_or_trouble()
    standing = standing_of(site.playbook, site.state(), shown)
    to = _meant(standing, stage)
    checks = _only(site, _required(site, standing, to), only or (), stage)
    if curl:
        return lines_by_hand(shared, site, "preflight", checks)
    if not automatic:
        from runbook.cli.signing import ask_manual_items

        ask_manual_items(shared, site, checks)
    began = time.monotonic()
    with looking(shared, f"{len(checks)} checks"):
        results = _looked(site, checks, to, deadline_of(deadline))
    if not only:
        results.append(flags_row(site, standing, trouble))
    keep_last_good(site, results)
    aside = aside_of(site, results, strict=strict, verbose=shared.verbose)
    elsewhere = automatic and site.store is not None and is_elsewhere(site, standing, trouble)
    seconds = time.monotonic() - began
    looked = Looked(results, aside, automatic, tuple(only or ()), seconds, shared.quiet, elsewhere)
    answer = _answer(site, standing, to, looked)
    with_places(shared, site, answer.lists["checks"])
    return answer


def _looked(site: Site, checks: list[Check], to: Rung | None, deadline: float) -> list[CheckResult]:
    """The checks as they came out, each that does not hold with the waiver of it that has ended."""
    percent, stage = (to.percent, to.stage.name) if to else (None, None)
    seen = look(site, checks, metrics=False, deadline=deadline, percent=percent, stage=stage)
    return beside_waivers(seen.checks, KeptAnswers(site.state(), site.clock.wall()))


def _meant(standing: Standing, stage: str | None) -> Rung | None:
    return named_rungs(standing.rungs, stage)[0] if stage is not None else standing.next


def _required(site: Site, standing: Standing, to: Rung | None) -> list[Check]:
    if not site.playbook.stages:
        return [check for listed in site.playbook.checklists.values() for check in listed]
    if to is None and standing.gone:
        raise stage_is_gone(site, standing)
    if to is None:
        raise Refusal("we are at the top of the ladder: there is no next stage", next_steps=["runbook preflight STAGE"])
    return [check for name in to.stage.requires for check in site.playbook.checklists.get(name, ())]


def _only(site: Site, checks: list[Check], wanted: Sequence[str], stage: str | None) -> list[Check]:
    """The checks of these names, nested ones too; all where none is named. Raises `Refusal` for one that none has."""
    if not wanted:
        return checks
    listed = list(flat(checks))
    unknown = [name for name in wanted if not any(is_named(check, name) for check in listed)]
    if unknown:
        few, more = few_of(site, unknown[0], [check.full_id for check in listed])
        steps = [*(preflight_of(stage, [name]) for name in few), *([more] if more else [])]
        raise Refusal(f"no check {', '.join(unknown)} here", next_steps=steps or ["runbook preflight"])
    return [check for check in listed if any(is_named(check, name) for name in wanted)]


def _without(row: CheckResult, kinds: Collection[str], left_out: list[CheckResult]) -> CheckResult | None:
    """The row without what of these kinds does not hold, which goes to `left_out`; None where nothing is left."""
    if row.check.kind in kinds and row.status in AGAINST:
        left_out.append(row)
        return None
    if not row.nested:
        return row
    before = len(left_out)
    nested = tuple(left for left in (_without(one, kinds, left_out) for one in row.nested) if left)
    if len(left_out) == before or not nested:
        return row if len(left_out) == before else None
    left = folded(nested)
    people = all(one.check.kind in BY_PEOPLE for one in left_out[before:])
    observed = f"{left.observed}, without {'the manual items' if people else 'what is left out'}"
    return replace(row, status=left.status, reason=left.reason, observed=observed, nested=nested, listed=())


def _beside(page: Page, site: Site, to: Rung | None) -> None:
    """What is shown without counting: when the way back was last taken, and which triggers never fired."""
    state, now = site.state(), site.clock.wall()
    for row in clock_rows(site):
        page.line(f"{row.observed}: {row.message}", indent=2)
    if state.way_back is not None:
        ago, took = show_duration(max(0.0, now - state.way_back.at)), show_duration(state.way_back.seconds)
        page.line(f"last way back: {ago} ago, {took}")
    else:
        page.line("last way back: never taken here")
    told = [(trigger.when, trigger.then) for trigger in (to.stage.triggers if to else ())]
    told += [(row.when, row.then) for row in site.playbook.matrix]
    rolling = dict.fromkeys(when for when, then in told if ACTIONS.get(then) == "rollback")
    tried = conditions_tried(site.playbook.tests)
    never = [
        f"{when} (runbook test tries it)" if when in tried else when for when in rolling if when not in state.fired
    ]
    if never:
        page.line(f"never seen to fire: {'; '.join(never)}", indent=20)


Rows = Sequence[CheckResult]


@dataclass(frozen=True)
class Looked:
    """What was looked at, what is known beside it, which part of it makes the verdict, and how long looking took.

    `elsewhere`: the flag file lies elsewhere, and is left out of the verdict.
    """

    results: Sequence[CheckResult]
    aside: Aside
    automatic: bool
    only: tuple[str, ...]
    seconds: float
    quiet: bool = False
    elsewhere: bool = False

    @property
    def left_out(self) -> tuple[str, ...]:
        """The kinds of check that do not count where they do not hold."""
        return (*(BY_PEOPLE if self.automatic else ()), *(("flags",) if self.elsewhere else ()))


def _answer(site: Site, standing: Standing, to: Rung | None, looked: Looked) -> Answer:
    left: list[CheckResult] = []
    counting = [row for row in (_without(one, looked.left_out, left) for one in looked.results) if row]
    strict = looked.aside.strict
    verdict = verdict_of_checks(counting, strict=strict)
    against = list(_not_held(counting))
    decisive = [row for row in against if not is_warning(row, strict=strict)]
    steps = [_next_step(site, standing, to, looked, counting, decisive if verdict is not Verdict.GO else [])]
    about = f"to enter {to.name}" if to else "all checklists"
    told = "; ".join(f"{row.check.title}: {row.observed or row.message}" for row in decisive or against)
    message = _nothing(site, counting) or told
    if verdict is Verdict.GO:
        message = f"ready {about}" + (f", with {in_warnings(len(against))}: {message}" if message else "")
        message += "; the flag file cannot be seen from here" if looked.elsewhere else ""
    page = _page(site, to, looked, (counting, left), (WORDS[verdict], f"{site.name} · {about}"))
    page.next(*steps)
    return Answer(
        exit_of(verdict), message, page, site.playbook.service, site.environment.name, judged=True,
        lists={
            "checks": check_rows(looked.results, looked.aside, left_out=looked.left_out),
            "stage": to.stage.name if to else None,
            "percent": to.percent if to else None,
            "next": [pasteable(one) for one in steps],
        },
    )  # fmt: skip


Divided = tuple[Rows, Rows]  # what makes the verdict, and what was left out of it


def _page(site: Site, to: Rung | None, looked: Looked, divided: Divided, head: tuple[str, str]) -> Page:
    """The screen without its end: all of it, or under `-q` what does not hold. The verdict is said once more at the end
    of one that is longer than the terminal."""
    page, strict, (counting, left) = Page(), looked.aside.strict, divided
    told = (*head, in_warnings(warnings_in(counting, strict=strict)), f"{looked.seconds:.1f} s")
    page.verdict(*told)
    if looked.quiet:
        check_lines(page, list(_against_alone(counting)), looked.aside)
    else:
        check_lines(page, counting, looked.aside)
        for lead, by_people in (("Left to people:", True), ("Cannot be seen from here, not counted:", False)):
            rows = [row for row in left if (row.check.kind in BY_PEOPLE) is by_people]
            if rows:
                page.line(lead)
                check_lines(page, rows)
        page.line(" · ".join(filter(None, (counts_of_checks(counting, strict=strict), _nothing(site, counting)))))
        _beside(page, site, to)
    if page.height() >= get_terminal_size((80, LINES)).lines:
        page.verdict(*told)
    return page


def _nothing(site: Site, rows: Sequence[CheckResult]) -> str:
    """What there is to say where every check was passed over: a go would rest on nothing."""
    return f"nothing was looked at: every check is skipped in {site.environment.name}" if passed_all_over(rows) else ""


def _against_alone(rows: Iterable[CheckResult]) -> Iterator[CheckResult]:
    """The rows that do not hold, without those nested in them that do; of a list that holds the warnings in it."""
    for row in _not_held(rows):
        yield replace(row, nested=tuple(_against_alone(row.nested)))


def _not_held(rows: Iterable[CheckResult]) -> Iterator[CheckResult]:
    """The rows that do not hold; of a list that holds all the same the warnings in it."""
    for row in rows:
        if row.status in AGAINST:
            yield row
        else:
            yield from _not_held(row.nested)


def _next_step(site: Site, standing: Standing, to: Rung | None, looked: Looked, counting: Rows, against: Rows) -> str:
    """What to type: against what does not hold, else on."""
    stage = to.stage.name if to else None
    if against:
        return against_it(site, against, preflight_of(stage, looked.only))
    again = preflight_of(stage)
    if passed_all_over(counting):
        return where_it_is_looked_at(site, counting[0], again)
    if looked.only:  # the other checks were not asked
        return again
    return f"runbook ramp {standing.next.percent:g}" if standing.next and not looked.elsewhere else "runbook status"
