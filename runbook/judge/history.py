"""How a condition came out over time: at which times it could be judged, M of N points, and holds told from samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from runbook.judge.clocks import Clock, cadence, tick
from runbook.judge.facts import Facts
from runbook.judge.values import LARGEST_SKEW
from runbook.judge.verdicts import Judged, Reason, Truth
from runbook.language.durations import show_duration
from runbook.language.syntax import Clause, Name, Outcome, walk

EXTRA_POINTS = 2  # looked at beyond N, so that a point or two may be missing (CloudWatch's evaluation range)
MISSING_OF = {"hold": "missing", "keep": "ignore", "fail": "breaching", "pass": "notBreaching"}
Look = Callable[[float], Judged]


def interval_of(clause: Clause, facts: Facts) -> float:
    """The longest interval among the metrics of a clause; 30 s where there is none."""
    names = {node.name for node in walk(clause) if isinstance(node, Name)}
    return max((facts.series[name].interval for name in names if name in facts.series), default=30.0)


def times_of(clause: Clause, facts: Facts, since: float, interval: float) -> list[float]:
    """The times after `since` at which the clause could be judged, oldest first; now where nothing was kept.

    What was measured in one look has nearly one time: times closer than half an interval count as one, the later.
    """
    times: set[float] = set()
    for node in walk(clause):
        if isinstance(node, Name) and node.name in facts.series:
            samples = facts.series[node.name].between(since, facts.now + LARGEST_SKEW)
            times.update(min(sample.t, facts.now) for sample in samples)
        elif isinstance(node, Outcome):
            times.update(t for t, _ in facts.checks.get(node.name, ()) if since < t <= facts.now)
    ordered = sorted(times) or [facts.now]
    return [
        time
        for time, following in zip(ordered, [*ordered[1:], float("inf")], strict=True)
        if following - time >= interval / 2
    ]


def held(clause: Clause, seconds: float, facts: Facts, look: Look) -> Judged:
    """Whether the clause has been true for `seconds`, told from the samples that were kept."""
    now = look(facts.now)
    if now.truth is not Truth.TRUE:
        return now
    interval = interval_of(clause, facts)
    times = times_of(clause, facts, facts.now - seconds - 2 * interval, interval)
    if times == [facts.now]:
        return _unknown(Reason.NODATA, "nothing was kept of the time before", now)
    clock, expected = Clock(), cadence(interval, facts.scale)
    for time in [*times, facts.now]:
        clock = tick(clock, look(time).truth, time, interval=expected, hold=seconds)
    elapsed = clock.elapsed(facts.now)
    message = f"for {show_duration(elapsed)} of {show_duration(seconds)}"
    truth = Truth.TRUE if elapsed >= seconds else Truth.FALSE
    return Judged(truth, None, now.observed, now.limit, message, now.value, now.n, now.age)


def points(clause: Clause, m: int, n: int, facts: Facts, look: Look, missing: str) -> Judged:
    """Whether the clause was true at `m` of the newest `n` points, told from the samples that were kept."""
    interval = interval_of(clause, facts)
    expected = cadence(interval, facts.scale)
    now = look(facts.now)
    looked: list[Judged | None] = []
    following = facts.now
    for time in reversed(times_of(clause, facts, float("-inf"), interval)[-(n + EXTRA_POINTS) :]):
        looked.extend([None] * _missing_between(time, following, expected))
        looked.append(now if time == facts.now else look(time))
        following = time
    truth, reason = decide_points(looked[: n + EXTRA_POINTS], m, n, missing)
    true = sum(one is not None and one.truth is Truth.TRUE for one in looked[:n])
    message = f"{true} of the last {n} points" if reason is None else f"points are missing: {true} of {n} hold"
    return Judged(truth, reason, now.observed, now.limit, message, now.value, now.n, now.age)


def decide_points(looked: Sequence[Judged | None], m: int, n: int, missing: str) -> tuple[Truth, Reason | None]:
    """M of N over what was looked at, newest first; None stands for a point where nobody looked.

    The newest `n` points that are there decide. Where there are fewer, and they do not decide it by themselves,
    `missing` does, as in CloudWatch's table ("Configuring how CloudWatch alarms treat missing data"): `breaching` and
    `notBreaching` fill in; `ignore` leaves it as it was (here: unknown, the caller keeps); `missing` is true only
    where all that is there is true and the oldest of it is at least `m` points old. A point that is an error is never
    filled in: that a source cannot be asked is no sign of harm.
    """
    there = [one for one in looked if one is not None and one.truth is not Truth.UNKNOWN][:n]
    true = sum(one.truth is Truth.TRUE for one in there)
    if true >= m:
        return Truth.TRUE, None
    if true + n - len(there) < m:
        return Truth.FALSE, None
    if any(one is not None and one.reason is Reason.ERROR for one in looked):
        return Truth.UNKNOWN, Reason.ERROR
    if missing in ("breaching", "notBreaching"):
        return (Truth.TRUE if missing == "breaching" else Truth.FALSE), None
    if true < len(there):
        return Truth.FALSE, None
    oldest = max((age for age, one in enumerate(looked, start=1) if one in there), default=0)
    if missing == "missing" and oldest >= m:
        return Truth.TRUE, None
    return Truth.UNKNOWN, Reason.NODATA


def _missing_between(time: float, following: float, interval: float) -> int:
    """How many points are missing in a gap; jitter up to two intervals is none."""
    gap = following - time
    return max(0, round(gap / interval) - 1) if gap > 2 * interval else 0


def _unknown(reason: Reason, message: str, seen: Judged) -> Judged:
    return Judged(Truth.UNKNOWN, reason, seen.observed, seen.limit, message, seen.value, seen.n, seen.age)
