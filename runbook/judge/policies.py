"""What an unknown outcome counts as: `on_nodata` and `on_error`."""

from __future__ import annotations

from dataclasses import replace

from runbook.judge.verdicts import Judged, Reason, Truth
from runbook.language.durations import show_duration

POLICIES = ("hold", "fail", "pass", "keep")
_LABELS = {Reason.NODATA: "no data", Reason.ERROR: "an error", Reason.INCONCLUSIVE: "an inconclusive answer"}


def policy_for(judged: Judged, on_nodata: str, on_error: str) -> str:
    """The policy that applies to an outcome."""
    return on_error if judged.reason is Reason.ERROR else on_nodata


def settled(
    judged: Judged, *, on_nodata: str, on_error: str, failing: Truth, last: tuple[Truth, float] | None = None
) -> Judged:
    """An unknown outcome, settled by its policy; any other as it is.

    `failing` is the truth that `fail` stands for: false for a gate, true for a rule. `last` is the last known truth
    and its age in seconds, for `keep`; without one, `keep` holds. The reason stays, so that it can be shown.
    """
    if judged.truth is not Truth.UNKNOWN:
        return judged
    policy = policy_for(judged, on_nodata, on_error)
    what = _LABELS[judged.reason or Reason.NODATA]
    if policy in ("fail", "pass"):
        passing = Truth.FALSE if failing is Truth.TRUE else Truth.TRUE
        message = _with(judged.message, f"{what} counts as a {policy} here")
        return replace(judged, truth=failing if policy == "fail" else passing, message=message)
    if policy == "keep" and last is not None:
        truth, age = last
        message = _with(judged.message, f"the last outcome is kept, {show_duration(age)} old")
        return replace(judged, truth=truth, message=message, age=age)
    return judged


def _with(message: str, more: str) -> str:
    return f"{message}; {more}" if message else more
