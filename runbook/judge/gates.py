"""Gates: what must hold to go on, now and over the bake so far."""

from __future__ import annotations

from dataclasses import replace

from runbook.judge.evaluate import Evaluation, joined
from runbook.judge.facts import Facts
from runbook.judge.history import MISSING_OF, interval_of, times_of
from runbook.judge.policies import policy_for, settled
from runbook.judge.verdicts import Judged, Truth
from runbook.language.conditions import Condition
from runbook.language.syntax import Clause, Held, Name, Node, Points, Window

FARTHEST_KEPT = 1000  # points looked back at for the last known outcome


def judge_gate(
    condition: Condition,
    facts: Facts,
    *,
    on_nodata: str = "hold",
    on_error: str = "hold",
    minimum: int | None = None,
) -> Judged:
    """A gate on these facts.

    A bare metric must hold now and on the plain mean of its samples since `facts.entered`, this look included; samples
    without a value and errors are not in the mean. Text, counters, what is built in, `last(m)`, windows and whatever
    is under `for` or M of N is judged once, as it stands. The whole condition is judged both ways and both must hold,
    so that `not` and `or` mean the same in either. What comes out unknown is settled by the policies.
    """
    evaluation = Evaluation(condition, facts, minimum, missing=MISSING_OF.get(on_nodata, "missing"))
    now = evaluation.judge()
    judged = now
    if facts.entered is not None and averaged_names(condition.root, facts):
        judged = both(now, replace(evaluation, mean_since=facts.entered).judge())
    if judged.truth is not Truth.UNKNOWN:
        return judged
    last = None
    if policy_for(judged, on_nodata, on_error) == "keep":
        last = last_known(evaluation)
    return settled(judged, on_nodata=on_nodata, on_error=on_error, failing=Truth.FALSE, last=last)


def both(now: Judged, bake: Judged) -> Judged:
    """Now and on average: both must hold, and both are shown."""
    whole = joined([now, bake], every=True)
    seen = [f"{label} {part.observed}" for label, part in (("now", now), ("bake", bake)) if part.observed]
    return replace(
        whole,
        observed=", ".join(seen),
        limit=now.limit or bake.limit,
        value=now.value if now.value is not None else bake.value,
        n=bake.n if bake.n is not None else now.n,
        age=now.age if now.age is not None else bake.age,
    )


def averaged_names(clause: Clause, facts: Facts) -> list[str]:
    """The metrics of a gate that are also judged on their mean: numbers, bare, outside of windows and holds."""
    names: list[str] = []
    waiting: list[Node] = [clause]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Held | Points | Window):
            continue
        if isinstance(node, Name) and node.reference is None and node.name in facts.series:
            newest = facts.series[node.name].newest(float("inf"))
            if newest is None or not isinstance(newest.value, str | bool):
                names.append(node.name)
        waiting.extend(node.children())
    return names


def last_known(evaluation: Evaluation) -> tuple[Truth, float] | None:
    """The newest earlier outcome that was known, and its age in seconds, told from the samples that were kept."""
    facts = evaluation.facts
    root = evaluation.condition.root
    interval = interval_of(root, facts)
    times = times_of(root, facts, float("-inf"), interval)[-FARTHEST_KEPT:-1]
    for time in reversed(times):
        earlier = evaluation.judge_at(time)
        if earlier.truth is not Truth.UNKNOWN:
            return earlier.truth, facts.now - time
    return None
