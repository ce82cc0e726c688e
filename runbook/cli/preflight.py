"""`runbook preflight`: the boxes of the next stage, checked against the live service."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import typer

from runbook.checks.all_of import folded
from runbook.checks.base import Check, CheckResult
from runbook.cli import completing
from runbook.cli.boundary import command
from runbook.cli.by_hand import Curl, lines_by_hand
from runbook.cli.check_places import with_places
from runbook.cli.options import JUDGED, Deadline, Shared, Strict, deadline_of
from runbook.cli.talk import looking
from runbook.cli.wiring import open_bench, open_site
from runbook.judge.rules import ACTIONS
from runbook.judge.verdicts import Status, Verdict, verdict_of
from runbook.language.durations import parse_duration, show_duration
from runbook.playbook.trial import conditions_tried
from runbook.rollout.answers import KeptAnswers, beside_waivers
from runbook.rollout.clock_rows import clock_rows
from runbook.rollout.ladder import Rung, named_rungs
from runbook.rollout.last_good import keep_last_good
from runbook.rollout.looking import look
from runbook.rollout.manual_items import BY_PEOPLE, few_of, flat, is_named
from runbook.rollout.ramp import stage_is_gone
from runbook.rollout.rows import counted_checks
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

_MORE_TIME = re.compile(r"runbook preflight --deadline (\d+[smh])\b")  # as a check says it that had no time

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
    checks = _required(site, standing, to)
    if only:
        checks = _only(site, checks, only)
    if curl:
        return lines_by_hand(shared, site, "preflight", checks)
    if not automatic:
        from runbook.cli.signing import ask_manual_items

        ask_manual_items(shared, site, checks)
    began = time.monotonic()
    with looking(shared, f"{len(checks)} checks"):
        results = _looked(site, checks, to, deadline_of(deadline))
    if not only:
        results.append(_flags_row(site, standing, trouble.reason if trouble else ""))
    keep_last_good(site, results)
    aside = aside_of(site, results, strict=strict, verbose=shared.verbose)
    answer = _answer(site, standing, to, Rows(results, aside, automatic, tuple(only or ()), time.monotonic() - began))
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


def _only(site: Site, checks: list[Check], wanted: list[str]) -> list[Check]:
    """The checks of these names, nested ones too. Raises `Refusal` for a name that none has."""
    listed = list(flat(checks))
    unknown = [name for name in wanted if not any(is_named(check, name) for check in listed)]
    if unknown:
        few, more = few_of(site, unknown[0], [check.full_id for check in listed])
        steps = [*(f"--only {name}" for name in few), *([more] if more else [])]
        raise Refusal(f"no check {', '.join(unknown)} here", next_steps=steps or ["runbook preflight"])
    return [check for check in listed if any(is_named(check, name) for name in wanted)]


def _flags_row(site: Site, standing: Standing, trouble: str) -> CheckResult:
    """The safe-default check before a later stage was entered, the drift check after it."""
    later = standing.entered and standing.position is not None and standing.rungs[:1] != (standing.rung,)
    title = "The flag file is as it was left" if later else "The flag file shows the safe defaults"
    from runbook.checks.here.flags import Flags

    check = Check(title=title, id="drift" if later else "safe_defaults", kind="flags", options=Flags(flags="safe"))
    if trouble:
        return CheckResult(check, Status.FAIL, message=trouble, observed="cannot be read")
    if site.playbook.flags is None:
        return CheckResult(check, Status.SKIPPED, message="the playbook has no flags")
    if not standing.rungs:  # no first stage to hold the file against
        return look(site, [check], metrics=False, deadline=check.timeout).checks[0]
    wrong = [str(drift) for drift in standing.drift]
    observed = "; ".join(wrong) or (f"{len(standing.missing)} not set" if standing.missing else "yes")
    return CheckResult(check, Status.FAIL if wrong else Status.PASS, observed=observed, listed=wrong[1:])


def _without_people(row: CheckResult, manual: list[CheckResult]) -> CheckResult | None:
    """The row without what only people can answer, which goes to `manual`; None where nothing is left."""
    if row.check.kind in BY_PEOPLE and row.status in (Status.FAIL, Status.UNKNOWN):
        manual.append(row)
        return None
    if not row.nested:
        return row
    before = len(manual)
    nested = tuple(left for left in (_without_people(one, manual) for one in row.nested) if left)
    if len(manual) == before:
        return row
    left = folded(nested)
    observed = f"{left.observed}, without the manual items"
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


@dataclass(frozen=True)
class Rows:
    """What was looked at, what is known beside it, which part of it makes the verdict, and how long looking took."""

    results: Sequence[CheckResult]
    aside: Aside
    automatic: bool
    only: tuple[str, ...]
    seconds: float


def _answer(site: Site, standing: Standing, to: Rung | None, rows: Rows) -> Answer:
    manual: list[CheckResult] = []
    counting = list(rows.results)
    if rows.automatic:
        counting = [row for row in (_without_people(one, manual) for one in rows.results) if row]
    strict = rows.aside.strict
    verdict = verdict_of(counted_checks(counting, strict=strict))
    page = Page()
    about = f"to enter {to.name}" if to else "all checklists"
    warned = in_warnings(warnings_in(counting, strict=strict))
    page.verdict(WORDS[verdict], f"{site.name} · {about}", warned, f"{rows.seconds:.1f} s")
    check_lines(page, counting, rows.aside)
    if manual:
        page.line("Left to people:")
        check_lines(page, manual)
    page.line(counts_of_checks(counting, strict=strict))
    _beside(page, site, to)
    against = list(_not_held(counting))
    decisive = [row for row in against if not is_warning(row, strict=strict)]
    steps = [_next_step(site, standing, to, rows, decisive if verdict is not Verdict.GO else [])]
    page.next(*steps)
    told = decisive or against
    message = "; ".join(f"{row.check.title}: {row.observed or row.message}" for row in told)
    if verdict is Verdict.GO:
        message = f"ready {about}" + (f", with {in_warnings(len(against))}: {message}" if message else "")
    return Answer(
        exit_of(verdict), message, page, site.playbook.service, site.environment.name, judged=True,
        lists={
            "checks": check_rows(rows.results, rows.aside, left_out=BY_PEOPLE if rows.automatic else ()),
            "stage": to.stage.name if to else None,
            "percent": to.percent if to else None,
            "next": [pasteable(one) for one in steps],
        },
    )  # fmt: skip


def _not_held(rows: Iterable[CheckResult]) -> Iterator[CheckResult]:
    """The rows that do not hold; of a list that holds all the same the warnings in it."""
    for row in rows:
        if row.status in AGAINST:
            yield row
        else:
            yield from _not_held(row.nested)


def _next_step(site: Site, standing: Standing, to: Rung | None, rows: Rows, against: Sequence[CheckResult]) -> str:
    """What to type: against what does not hold, else on."""
    again = "runbook preflight" + (f" {to.stage.name}" if to else "")
    if against:
        return _against_it(site, against, " ".join([again, *(f"--only {one}" for one in rows.only)]))
    if rows.only:  # the other checks were not asked
        return again
    return f"runbook ramp {standing.next.percent:g}" if standing.next else "runbook status"


def _against_it(site: Site, against: Sequence[CheckResult], again: str) -> str:
    """What to type when checks do not hold, and then `again`."""
    advice = [row.check.advice for row in against if row.check.advice]
    unanswered = [f"runbook sign {row.check.full_id}" for row in against if row.check.kind in BY_PEOPLE]
    for first in (*advice, *unanswered):
        return f"{first}, then  {again}"
    if site.environment.protected and any(_is_barred(row.check) for row in against):
        elsewhere = [name for name, one in site.playbook.environments.items() if not (one.protected or one.sandbox)]
        return f"{again} -e {elsewhere[0]}" if elsewhere else f"allow: true at the load in the playbook, then  {again}"
    more = [found[1] for row in against if (found := _MORE_TIME.search(row.message))]
    return f"{again} --deadline {max(more, key=parse_duration)}" if more else again


def _is_barred(check: Check) -> bool:
    """Whether it is a load that the playbook does not allow where it may do harm."""
    return check.kind == "load" and not check.options.allow
