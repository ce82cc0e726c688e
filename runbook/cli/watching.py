"""Staying for a bake: the live view, and what a watch ends with."""

from __future__ import annotations

import shutil
import sys

from runbook.cli.options import Format, Shared
from runbook.cli.talk import Telling, say
from runbook.judge.rules import Rule
from runbook.judge.verdicts import Status, Verdict
from runbook.language.durations import show_duration
from runbook.rollout.bake_rows import bake_of
from runbook.rollout.countdowns import countdowns
from runbook.rollout.glance import against_now
from runbook.rollout.notices import await_notices
from runbook.rollout.planning import flags_are_safe
from runbook.rollout.robot import Acted
from runbook.rollout.site import Site
from runbook.rollout.watch import Tick, Watched, verdict_of_watch, watch
from runbook.show.answer import Answer
from runbook.show.decisions import WORDS, rule_lines
from runbook.show.outcomes import emergency_page, ended_page
from runbook.show.page import MARKS, Line, Page, Span, Table
from runbook.show.printing import is_terminal
from runbook.show.rows import rule_rows
from runbook.system.refusals import Exit, exit_of

STAYS = "runbook watch --act --for 8h  keeps the triggers armed"


class Live:
    """Tells of each look in one line: on a terminal over the line before, elsewhere when something changed."""

    def __init__(self, shared: Shared, site: Site) -> None:
        self._shared, self._site = shared, site
        self._terminal = is_terminal(sys.stderr) and shared.format is Format.TABLE
        self._said = ""
        self._counted: tuple[str, float, int] | None = None

    def __call__(self, tick: Tick) -> None:
        if self._shared.quiet:
            return
        line, state = self._line(tick)
        if state != self._said:
            self._said = state
            say(self._shared, fitted(line))
        self._count_down()

    def _line(self, tick: Tick) -> tuple[str, str]:
        bake = bake_of(self._site, tick.standing)
        gates = [row for row in tick.decision.rows if row.kind == "gate"]
        triggers = [row for row in tick.decision.rows if row.kind == "trigger"]
        against = [row for row in gates if row.status in (Status.FAIL, Status.UNKNOWN)]
        told = "  ".join(f"{MARKS[row.status]} {row.title}: {row.observed or row.message}" for row in against)
        told = told or f"{len(gates)} gate{'' if len(gates) == 1 else 's'} ok"
        firing = [row for row in triggers if row.message.startswith(("firing", "pending"))]
        told += "".join(f"  {row.message.split(':')[0]}: {row.title}" for row in firing)
        left = "no bake" if bake is None else f"{show_duration(bake.left)} left" if bake.left else "bake over"
        state = f"{[(row.id, row.status) for row in gates]}{[(row.id, row.message[:7]) for row in firing]}"
        state += "" if not bake else f"{int(bake.share * 4)}"
        where = tick.standing.position.name if tick.standing.position else ""
        return f"  ..  {where:<12}  {left:<11}  {told}", state

    def _count_down(self) -> None:
        """The row of the matrix that decides: when it becomes true, at each quarter of the time, when it is over."""
        now = self._site.clock.wall()
        for one in countdowns(self._site.playbook, self._site.state(), safe=flags_are_safe(self._site))[:1]:
            left = one.left(now)
            part = 4 if not one.within or left is None else max(-1, int(4 * left / one.within))
            if (one.when, one.since, part) != self._counted:
                self._counted = (one.when, one.since, part)
                say(self._shared, Span(f"  {MARKS[Status.FAIL]}  {one.line(now)}", "bold red"))


def fitted(line: str) -> str:
    """A line that fits into one of the terminal (80 columns where there is none)."""
    columns = max(40, shutil.get_terminal_size().columns)
    return line if len(line) <= columns else f"{line[: columns - 4]} ..."


def stay(shared: Shared, site: Site, *, act: bool, seconds: float | None = None) -> Answer:
    """Watch until the bake is over (or for so many seconds), and say how it came out."""
    listener = Telling(shared)
    watched = watch(site, listener, act=act, seconds=seconds, to_the_end=seconds is None, shown=Live(shared, site))
    if watched.acted is not None:
        await_notices(site, watched.acted.ended.operation, listener, within=0.0)
    return watch_answer(site, watched, armed=act)


def watch_answer(site: Site, watched: Watched, *, armed: bool) -> Answer:
    """What a watch ends with."""
    rows = watched.tick.decision.rows if watched.tick else ()
    if watched.acted is not None:
        exit_, message, page = _acted(site, watched.acted)
    else:
        exit_, message, page = _looked(site, watched, armed=armed)
    return Answer(
        exit_, message, page, site.playbook.service, site.environment.name,
        lists={
            "gates": rule_rows(rows, "gate", "sign", "bake", "sampled"),
            "triggers": rule_rows(rows, "trigger"),
            "rules": rule_rows(rows),
            "incident": watched.acted.ended.incident if watched.acted else None,
        },
    )  # fmt: skip


def _acted(site: Site, acted: Acted) -> tuple[Exit, str, Page]:
    """A rule brought the service down: to the safe flags, or part of the way."""
    ended = acted.ended
    exit_ = Exit.NO_GO if ended.exit is Exit.GO else ended.exit
    if acted.how == "emergency":
        objective = site.playbook.rollback.objective if site.playbook.rollback else None
        message = f"a {word_of(acted.rule)} fired and the service was brought back: {ended.message}"
        return exit_, message, emergency_page(ended, site, objective)
    message = f"a {word_of(acted.rule)} fired: {ended.message}"
    if ended.outcome == "done":
        page = ended_page(ended, site, next_steps=("look at it, then  runbook release", "runbook gate"), word="DOWN")
        page.blocks[1:1] = _why(acted)
        return exit_, message, page
    half_done = ("runbook resume --finish", "runbook rollback --emergency")
    steps = half_done if ended.outcome == "half-done" else ("runbook status", "runbook rollback --emergency")
    return exit_, message, ended_page(ended, site, next_steps=steps)


def _why(acted: Acted) -> list[Line | Table]:
    """By which rule, and that nothing moves now until a person has looked."""
    page = Page()
    page.line(f"By the rule {acted.rule.shown} -> {acted.rule.then}.", indent=2)
    page.line("It is held: no ramp and no rule changes anything until a person releases it.", indent=2)
    return page.blocks


def word_of(rule: Rule) -> str:
    """What people call a rule of this source."""
    return {"matrix": "row of the matrix", "guardrail": "guardrail"}.get(rule.source, "trigger")


def _looked(site: Site, watched: Watched, *, armed: bool) -> tuple[Exit, str, Page]:
    """Nothing was changed: what the last look saw."""
    verdict, tick = verdict_of_watch(watched), watched.tick
    exit_ = exit_of(verdict)
    where = tick.standing.position.name if tick and tick.standing.position else "no position"
    if watched.why == "moved":
        return _moved(site)
    page = Page()
    page.verdict(WORDS[verdict], site.name, where, watched.why)
    rule_lines(page, tick.decision.rows if tick else ())
    if watched.why == "asked to stop":
        page.line("Nothing is lost: what was seen is kept." + (" Nobody is watching now." if armed else ""))
    if watched.why == "the store is away":
        page.line(f"{site.store_trouble}. Nobody is watching now: where we stand is not known without the store.")
        page.next("runbook doctor", "runbook rollback --emergency  needs no store")
        return exit_, f"{where}: {watched.why}", page
    if armed and watched.why == "bake over" and (signs := _unsigned(tick)):
        page.line(f"Still to sign: {', '.join(signs)}. Nobody is watching now.", indent=2)
        page.next(*_following(site, tick, exit_), STAYS)
        return exit_, f"{where}: {watched.why}", page
    page.next(*_following(site, tick, exit_))
    if watched.why == "asked to stop":
        exit_ = Exit.TERMINATED if site.interruptions.signal == 15 else Exit.INTERRUPTED
    return exit_, f"{where}: {watched.why}", page


def _moved(site: Site) -> tuple[Exit, str, Page]:
    """Somebody else moved the service while we watched: where it is now, and by whom."""
    here = site.state().position
    to = f"{here.name}, by {here.by} ({here.how})" if here is not None else "before the first stage"
    message = f"the service was moved: {site.playbook.service} is at {to}"
    page = Page()
    page.verdict(WORDS[Verdict.UNKNOWN], site.name, message)
    page.line("This watch has ended.", indent=2)
    page.next("runbook status", "runbook watch --act")
    return exit_of(Verdict.UNKNOWN), message, page


def _unsigned(tick: Tick | None) -> list[str]:
    """The sign-offs that are still open."""
    return [row.id for row in tick.decision.against() if row.kind == "sign"] if tick is not None else []


def _following(site: Site, tick: Tick | None, exit_: Exit) -> list[str]:
    """What to type: against what is bad now, then the next step up, or the gate; a hold is released last."""
    rows = tick.decision.rows if tick else ()
    bad = against_now(site)
    following = tick.standing.next if tick else None
    going_on = f"runbook ramp {following.percent:g}" if following and exit_ is Exit.GO else "runbook gate"
    held = [row.remedy for row in rows if row.kind == "hold" and row.remedy]
    asked = [bad.line] if bad else [row.remedy for row in rows if row.kind == "matrix" and row.remedy]
    return list(dict.fromkeys([*asked, going_on, *held]))
