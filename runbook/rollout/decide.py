"""May the next step up be made? Every rule is evaluated and shown, and none is hidden by another.

The order: holds; a clock that is wrong, by which nothing else can be judged; triggers and the matrix, which stop in any
case; the bake and its watched share, gates and the baseline, which are the evidence; the calendar; incidents; and last
the sign-offs, so that nobody approves before there is evidence. Then what entering the stage requires. Pure, given
the look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from runbook.checks.base import CheckResult
from runbook.judge.dilution import dilution_sentence, lets_through
from runbook.judge.facts import Facts
from runbook.judge.gates import judge_gate
from runbook.judge.rules import Ruled
from runbook.judge.verdicts import Judged, Reason, Status, Truth
from runbook.language.conditions import Condition, parse_condition
from runbook.playbook.model import Gate
from runbook.rollout.answers import KeptAnswers, beside_waivers
from runbook.rollout.bake_rows import bake_of, bake_rows
from runbook.rollout.baseline import baseline_rows
from runbook.rollout.calendar_rows import calendar_rows
from runbook.rollout.clock_rows import clock_rows
from runbook.rollout.flag_rows import flag_rows
from runbook.rollout.ladder import Rung
from runbook.rollout.matrix import matrix_rows
from runbook.rollout.rows import Decision, Row, judged_row
from runbook.rollout.rules import trigger_rows
from runbook.rollout.sign_rows import sign_rows
from runbook.rollout.site import Site
from runbook.rollout.standing import TAKES_IT, Standing, ways_out_of_drift
from runbook.system.clock import local_day_and_clock
from runbook.system.refusals import Exit, Refusal


@dataclass(frozen=True)
class Evidence:
    """What a decision rests on: facts, rules, and the rows of the checks that entering requires."""

    facts: Facts
    ruled: Sequence[Ruled] = ()
    checks: Sequence[CheckResult] = ()


def decide(site: Site, standing: Standing, to: Rung | None, evidence: Evidence) -> Decision:
    """Every rule of the step from where we stand to `to` (None: leaving the top, only the rung's own rules)."""
    rows = [
        *hold_rows(site),
        *clock_rows(site),
        *position_rows(standing),
        *drift_rows(standing),
        *flag_rows(site, to),
        *(trigger_rows(evidence.ruled, site) if standing.entered else []),
        *matrix_rows(evidence.ruled, site),
        *rung_rows(site, standing, evidence.facts),
        *baseline_rows(site, standing, evidence.facts),
        *(calendar_rows(site) if to is not None else ()),
        *incident_rows(site),
        *sign_rows(site, standing),
    ]
    position = standing.position
    return Decision(
        came_from=position.name if position else "",
        to=to.name if to else "",
        rows=tuple(rows),
        checks=tuple(beside_waivers(evidence.checks, KeptAnswers(site.state(), site.clock.wall()))),
    )


def refuse_what_came_up(site: Site, standing: Standing, decision: Decision) -> None:
    """Raises `Refusal` (no-go) for what people did since the decision, which is long ago where it was confirmed late.

    What it rests on is asked of nobody again; what spoke against it already was overridden.
    """
    known = {row.id for row in decision.against()}
    rows = [*hold_rows(site), *incident_rows(site), *sign_rows(site, standing)]
    new = [row for row in rows if row.status in (Status.FAIL, Status.UNKNOWN) and row.id not in known]
    if new:
        told = "; ".join(f"{row.title}: {row.observed}" for row in new)
        raise Refusal(f"since the look: {told}. Nothing was changed", exit_=Exit.NO_GO, next_steps=["runbook gate"])


def hold_rows(site: Site) -> list[Row]:
    hold = site.state().hold_at(site.clock.wall())
    if hold is None:
        return []
    until = f" until {local_day_and_clock(hold.until, site.clock.wall())}" if hold.until else ""
    return [
        Row(
            id="hold",
            title="no hold",
            kind="hold",
            status=Status.FAIL,
            observed=f"held by {'a trigger' if hold.automatic else hold.by}{until}",
            message=hold.reason,
            remedy="runbook release",
        )
    ]


def position_rows(standing: Standing) -> list[Row]:
    """A no where the playbook has no longer the stage we stand in: nothing else can be judged then."""
    if not standing.gone or standing.position is None:
        return []
    return [
        Row(
            id="position",
            title="the playbook has the stage we are in",
            kind="position",
            status=Status.FAIL,
            observed=f"no stage {standing.position.stage}",
            remedy=TAKES_IT,
        )
    ]


def drift_rows(standing: Standing) -> list[Row]:
    return [
        Row(
            id=f"drift/{drift.key}",
            title="the flag file is as it was left",
            kind="drift",
            status=Status.FAIL,
            observed=f"{drift.key}={drift.present}",
            expected=drift.expected,
            remedy=", or ".join(line.partition("  ")[0] for line in ways_out_of_drift(standing)),
        )
        for drift in standing.drift
    ]


def incident_rows(site: Site) -> list[Row]:
    return [
        Row(
            id=f"incident/{incident.id}",
            title="no open incident",
            kind="incident",
            status=Status.FAIL,
            observed=f"incident {incident.id} ({incident.severity})",
            message=incident.title,
            remedy=f"runbook incident resolve --incident {incident.id}",
        )
        for incident in site.state().open_incidents()
    ]


def rung_rows(site: Site, standing: Standing, facts: Facts) -> list[Row]:
    """Bake, watched share and gates of the rung we stand on; nothing where no step was entered yet."""
    bake = bake_of(site, standing)
    if bake is None:
        return []
    rows = bake_rows(site, bake, facts)
    for number, gate in enumerate(standing.stage.gates if standing.stage else ()):
        if gate.sign is None:
            rows.append(gate_row(site, gate, number, facts))
    return rows


def gate_row(site: Site, gate: Gate, number: int, facts: Facts) -> Row:
    """One gate with a condition, judged, and what it lets through among the treated."""
    place = site.environment.name
    if not gate.counts_in(place):
        message = f"not judged in {place}"
        return Row(f"gate/{number}", gate.condition, "gate", Status.SKIPPED, message=message)
    try:
        condition = parse_condition(gate.condition)
        diluted = _dilution(condition, facts)
        judged = judge_gate(
            condition,
            facts,
            on_nodata=gate.on_nodata or site.playbook.on_nodata,
            on_error=gate.on_error or site.playbook.on_error,
            minimum=gate.min_samples,
        )
    except Exception as error:  # a broken rule is isolated and never lets anything through
        judged, diluted = Judged(Truth.UNKNOWN, Reason.ERROR, message=f"it could not be judged: {error}"), ""
    row = judged_row(
        f"gate/{number}",
        gate.condition,
        "gate",
        judged,
        counts=not gate.dry_run,
        can_override=gate.override,
    )
    return replace(row, message="; ".join(said for said in (row.message, diluted) if said))


def _dilution(condition: Condition, facts: Facts) -> str:
    """What a gate on the whole traffic cannot see of the treated part; empty where there is nothing to say."""
    found = lets_through(condition, facts)
    return "" if found is None or facts.percent is None else dilution_sentence(found[1], facts.percent)
