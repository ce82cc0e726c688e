"""`runbook gate`: may the next step up be made?"""

from __future__ import annotations

from typing import Annotated

import typer

from runbook.cli import completing
from runbook.cli.boundary import command
from runbook.cli.options import JUDGED, Deadline, Shared, deadline_of
from runbook.cli.wiring import open_site
from runbook.flags.changes import FlagTrouble
from runbook.language.places import did_you_mean
from runbook.rollout.flag_rows import flag_rows
from runbook.rollout.glance import against_now
from runbook.rollout.health import health_of
from runbook.rollout.journey import at_the_end, stable_since
from runbook.rollout.planning import refuse_flags
from runbook.rollout.receipts import keep_decision
from runbook.rollout.site import Site
from runbook.rollout.standing import Standing, standing_of
from runbook.rollout.underway import refuse_if_underway
from runbook.rollout.watch import Tick, look_once
from runbook.show.answer import Answer
from runbook.show.decisions import GATES, decision_page, next_lines, said_against
from runbook.show.page import pasteable
from runbook.show.rows import metric_row, rule_rows
from runbook.system.refusals import Exit, Refusal, exit_of

app = typer.Typer()


@command(app, formats=JUDGED)
def gate(
    shared: Shared,
    stage: Annotated[
        str | None,
        typer.Argument(metavar="[STAGE]", help="May this stage be left?", autocompletion=completing.stages),
    ] = None,
    deadline: Deadline = "30s",
) -> Answer:
    """May the next step up be made? Every gate, bake, trigger, hold, incident, calendar and sign-off with its value.

    Looks at the service, keeps what it saw, changes nothing. Exit 0 go, 1 no-go, 3 unknown.

    Example: runbook gate --format json
    """
    site = open_site(shared)
    try:
        standing = standing_of(site.playbook, site.state(), site.shown_flags())
    except FlagTrouble as trouble:
        raise _no_flags(site, trouble) from trouble
    refuse_if_underway(site)
    if stage is not None:
        _refuse_other(site, standing, stage)
    tick = look_once(site, deadline_of(deadline))
    keep_decision(site, tick.decision, "gate")
    return _answer(site, standing, tick)


def _no_flags(site: Site, trouble: FlagTrouble) -> Refusal:
    """The refusal for a flag file that cannot be read, as `ramp` gives it, with what makes one that is not there."""
    refusal = refuse_flags(site, trouble)
    steps = [row.remedy for row in flag_rows(site, None)] or refusal.next_steps
    return Refusal(refusal.message, exit_=refusal.exit, next_steps=steps)


def _refuse_other(site: Site, standing: Standing, stage: str) -> None:
    """Raises `Refusal` for a stage that is not ours: no-go, and usage where the playbook has none of this name."""
    here, names = standing.position, [one.name for one in site.playbook.stages]
    if here is not None and here.stage == stage:
        return
    where = f"we are at {here.name}" if here else "no stage was entered yet"
    if stage in names:
        raise Refusal(f"only where we are can be left: {where}", exit_=Exit.NO_GO, next_steps=["runbook gate"])
    meant = did_you_mean(stage, names) or f"it has {', '.join(names) or 'none at all'}"
    raise Refusal(f"the playbook has no stage {stage!r}: {meant}; {where}", next_steps=["runbook gate"])


def _answer(site: Site, standing: Standing, tick: Tick) -> Answer:
    decision, here, following = tick.decision, standing.position, standing.next
    about = f"leaving {here.name}" if here else "entering the ladder"
    if here is not None and standing.gone:
        about = f"at {here.name}, which is no step of the ladder"
    else:
        about += f" for {following.name}" if following else ", the top of the ladder"
    exit_ = exit_of(decision.verdict)
    bad = against_now(site)
    lines = next_lines(decision, onwards=_onwards(site, standing), first=bad.line if bad else "")
    page = decision_page(decision, f"{about}  {site.name}", said=lines)
    for told in tick.told:
        page.line(told)
    if following is not None and following.first_of_stage and following.stage.requires:
        page.line(f"ramp also runs the checklists {', '.join(following.stage.requires)}: runbook preflight", typed=True)
    page.next(*(lines or ["runbook status"]))
    return Answer(
        exit_,
        said_against(decision) or about,
        page,
        site.playbook.service,
        site.environment.name,
        lists={
            "gates": rule_rows(decision.rows, *GATES),
            "triggers": rule_rows(decision.rows, "trigger"),
            "rules": rule_rows(decision.rows),
            "metrics": [metric_row(row, strict=False) for row in health_of(site.playbook, tick.facts)],
            "next": [pasteable(one) for one in lines or ["runbook status"]],
        },
        judged=True,
    )


def _onwards(site: Site, standing: Standing) -> list[str]:
    """What to type when nothing speaks against the next step."""
    lines = [f"runbook ramp {standing.next.percent:g}"] if standing.next else []
    if at_the_end(standing) and stable_since(site.state()) is None:
        lines.append("runbook declare stable" + ("  ends the rollout here" if lines else ""))
    return lines
