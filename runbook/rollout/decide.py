"""May the next step up be made? Every rule is evaluated and shown, in the order of JUDGE: holds, triggers, the bake and
its watched share, gates, incidents, sign-offs, then what entering the stage requires. Pure, given the look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runbook.checks.base import Check, CheckResult
from runbook.judge.facts import Facts
from runbook.judge.gates import judge_gate, watched_share
from runbook.judge.verdicts import Judged, Reason, Status, Truth
from runbook.language.conditions import parse_condition
from runbook.language.durations import show_duration
from runbook.playbook.model import Gate
from runbook.rollout.answers import KeptAnswers
from runbook.rollout.bake import BakeStanding, bake_standing
from runbook.rollout.facts import interval_of
from runbook.rollout.ladder import Rung
from runbook.rollout.rows import Decision, Row, judged_row
from runbook.rollout.rules import Ruled, trigger_rows
from runbook.rollout.site import Site
from runbook.rollout.standing import TAKES_IT, Standing, ways_out_of_drift
from runbook.system.clock import local_day_and_clock


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
        *position_rows(standing),
        *drift_rows(standing),
        *(trigger_rows(evidence.ruled) if standing.entered else []),
        *rung_rows(site, standing, evidence.facts),
        *incident_rows(site),
        *sign_rows(site, standing),
    ]
    position = standing.position
    return Decision(
        came_from=position.name if position else "",
        to=to.name if to else "",
        rows=tuple(rows),
        checks=tuple(evidence.checks),
    )


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


def bake_of(site: Site, standing: Standing) -> BakeStanding | None:
    """The bake of the rung we stand on; None where no step was entered yet."""
    position = standing.position
    if position is None or not standing.entered:
        return None
    rung, stage = standing.rung, standing.stage
    bake = rung.bake if rung else (stage.bake if stage else None)
    environment = site.environment
    return bake_standing(bake, position, site.clock, scale=environment.bake_scale, protected=environment.protected)


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


def sign_rows(site: Site, standing: Standing) -> list[Row]:
    """The manual items among the gates: asked for when the stage is left, and last, when there is evidence."""
    rung = standing.rung
    if not standing.entered or rung is None or not rung.last_of_stage:
        return []
    return [_sign_row(site, gate.sign) for gate in rung.stage.gates if gate.sign is not None]


def bake_rows(site: Site, bake: BakeStanding, facts: Facts) -> list[Row]:
    rows: list[Row] = []
    now = site.clock.wall()
    if bake.asked > 0:
        opens = "" if bake.over else f"opens {local_day_and_clock(bake.ends_at, now)}"
        rows.append(
            Row(
                id="bake",
                title=f"bake {show_duration(bake.asked)}",
                kind="bake",
                status=Status.PASS if bake.over else Status.FAIL,
                observed=show_duration(bake.elapsed),
                expected=f">= {show_duration(bake.asked)}",
                message=opens,
                remedy="" if bake.over else f"wait {show_duration(bake.left)}",
            )
        )
    share = watched_of(site, facts)
    if bake.sampled_asked is not None and share is not None:
        enough = share >= bake.sampled_asked
        rows.append(
            Row(
                id="sampled",
                title=f"watched {bake.sampled_asked:.0%}",
                kind="sampled",
                status=Status.PASS if enough else Status.FAIL,
                observed=f"{share:.0%}",
                expected=f">= {bake.sampled_asked:.0%}",
                remedy="" if enough else "runbook watch --act",
            )
        )
    elif share is not None and bake.asked > 0:
        rows.append(
            Row("sampled", "watched", "sampled", Status.PASS, f"{share:.0%}", "no share is asked", counts=False)
        )
    return rows


def watched_of(site: Site, facts: Facts) -> float | None:
    """How much of the bake so far was watched: the least watched metric decides; None without metrics."""
    if facts.entered is None:
        return None
    shares = [
        watched_share(
            [sample.t for sample in facts.series[name].samples if sample.good],
            facts.entered,
            facts.now,
            interval_of(metric, site.environment.bake_scale),
        )
        for name, metric in site.playbook.metrics.items()
        if name in facts.series
    ]
    return min(shares) if shares else None


def gate_row(site: Site, gate: Gate, number: int, facts: Facts) -> Row:
    """One gate with a condition, judged."""
    try:
        judged = judge_gate(
            parse_condition(gate.condition),
            facts,
            on_nodata=gate.on_nodata or site.playbook.on_nodata,
            on_error=gate.on_error or site.playbook.on_error,
            minimum=gate.min_samples,
        )
    except Exception as error:  # a broken rule is isolated and never lets anything through
        judged = Judged(Truth.UNKNOWN, Reason.ERROR, message=f"it could not be judged: {error}")
    return judged_row(
        f"gate/{number}",
        gate.condition,
        "gate",
        judged,
        counts=not gate.dry_run,
        can_override=gate.override,
    )


def _sign_row(site: Site, check: Check) -> Row:
    answer = KeptAnswers(site.state(), site.clock.wall()).answer(check.full_id, check.title)
    if answer is None:
        return Row(
            id=check.id,
            title=check.title,
            kind="sign",
            status=Status.UNKNOWN,
            reason=Reason.NODATA,
            observed="no answer yet",
            remedy=f"runbook sign {check.id}",
        )
    said = f"{'yes' if answer.yes else 'no'}, {answer.who}"
    return Row(
        id=check.id,
        title=check.title,
        kind="sign",
        status=Status.PASS if answer.yes else Status.FAIL,
        observed=said,
        message=answer.evidence,
        remedy="" if answer.yes else f"runbook sign {check.id} when it is true",
    )
