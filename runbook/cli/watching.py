"""Staying for a bake: the live view, and what a watch ends with."""

from __future__ import annotations

import sys

from runbook.cli.options import Format, Shared
from runbook.cli.talk import Telling, say
from runbook.judge.verdicts import Status
from runbook.language.durations import show_duration
from runbook.rollout.decide import bake_of
from runbook.rollout.site import Site
from runbook.rollout.watch import Tick, Watched, verdict_of_watch, watch
from runbook.show.answer import Answer
from runbook.show.decisions import WORDS, rule_lines
from runbook.show.outcomes import emergency_page
from runbook.show.page import MARKS, Page
from runbook.show.printing import is_terminal
from runbook.show.rows import rule_rows
from runbook.system.refusals import Exit, exit_of


class Live:
    """Tells of each look in one line: on a terminal over the line before, elsewhere when something changed."""

    def __init__(self, shared: Shared, site: Site) -> None:
        self._shared, self._site = shared, site
        self._terminal = is_terminal(sys.stderr) and shared.format is Format.TABLE
        self._said = ""

    def __call__(self, tick: Tick) -> None:
        if self._shared.quiet:
            return
        line, state = self._line(tick)
        if state != self._said:
            self._said = state
            say(self._shared, line)

    def _line(self, tick: Tick) -> tuple[str, str]:
        bake = bake_of(self._site, tick.standing)
        gates = [row for row in tick.decision.rows if row.kind == "gate"]
        triggers = [row for row in tick.decision.rows if row.kind == "trigger"]
        against = [row for row in gates if row.status is not Status.PASS]
        told = "  ".join(f"{MARKS[row.status]} {row.title}: {row.observed or row.message}" for row in against)
        told = told or f"{len(gates)} gates ok"
        firing = [row for row in triggers if row.status is Status.FAIL or row.message.startswith("pending")]
        told += "".join(
            f"  {row.message.split(':')[0]}: {row.title}" for row in firing if row.status is not Status.FAIL
        )
        left = f"{show_duration(bake.left)} left" if bake and bake.left else "bake over"
        state = f"{[(row.id, row.status) for row in gates]}{[(row.id, row.message[:7]) for row in firing]}"
        state += "" if not bake else f"{int(bake.share * 4)}"
        where = tick.standing.position.name if tick.standing.position else ""
        return f"  ..  {where:<12}  {left:<11}  {told}", state


def stay(shared: Shared, site: Site, *, act: bool, seconds: float | None = None) -> Answer:
    """Watch until the bake is over (or for so many seconds), and say how it came out."""
    watched = watch(
        site, Telling(shared), act=act, seconds=seconds, to_the_end=seconds is None, shown=Live(shared, site)
    )
    return watch_answer(site, watched, armed=act)


def watch_answer(site: Site, watched: Watched, *, armed: bool) -> Answer:
    """What a watch ends with."""
    verdict = verdict_of_watch(watched)
    exit_ = exit_of(verdict)
    tick = watched.tick
    rows = tick.decision.rows if tick else ()
    if watched.ended is not None:
        objective = site.playbook.rollback.objective if site.playbook.rollback else None
        page = emergency_page(watched.ended, site, objective)
        exit_ = Exit.NO_GO if watched.ended.exit is Exit.GO else watched.ended.exit
        message = f"a trigger fired and the service was brought back: {watched.ended.message}"
    else:
        where = tick.standing.position.name if tick and tick.standing.position else "no position"
        page = Page()
        page.verdict(WORDS[verdict], site.name, where, watched.why)
        rule_lines(page, rows)
        if watched.why == "asked to stop":
            page.line("Nothing is lost: what was seen is kept." + ("" if not armed else " Nobody is watching now."))
        following = tick.standing.next if tick else None
        going_on = f"runbook ramp {following.percent:g}" if following and exit_ is Exit.GO else "runbook gate"
        page.next(going_on)
        message = f"{where}: {watched.why}"
        if watched.why == "asked to stop":
            exit_ = Exit.TERMINATED if site.interruptions.signal == 15 else Exit.INTERRUPTED
    return Answer(
        exit_, message, page, site.playbook.service, site.environment.name,
        lists={
            "gates": rule_rows(rows, "gate", "sign", "bake", "sampled"),
            "triggers": rule_rows(rows, "trigger"),
            "rules": rule_rows(rows),
            "incident": watched.ended.incident if watched.ended else None,
        },
    )  # fmt: skip
