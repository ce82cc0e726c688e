"""When a verify holds: so often in a row, once more after it settled, and never because nobody answered."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from runbook.actions.runner import StepResult, verify
from runbook.actions.steps import StepRecord, Verify
from runbook.judge.verdicts import Status
from tests.actions.walking import Walked, there


@pytest.fixture
def walked(tmp_path: Path) -> Walked:
    return Walked(tmp_path)


def verified(walked: Walked, step: Verify) -> StepResult:
    return verify(step, StepRecord(kind="verify", title="verify"), walked.means())


P, F, U, S, W = Status.PASS, Status.FAIL, Status.UNKNOWN, Status.SKIPPED, Status.WAIVED


@pytest.mark.parametrize(
    ("answers", "passes", "ok", "looks"),
    [
        ([[P, P]], 1, True, 1),
        ([[F, P], [P, P]], 1, True, 2),
        ([[U, P], [P, P]], 1, True, 2),
        ([[P, P]], 3, True, 3),
        ([[P, P], [F, P], [P, P], [P, P]], 2, True, 4),
        ([[P, W]], 1, True, 1),
        ([[S, S]], 1, False, None),
        ([[]], 1, False, None),
        ([[U, U]], 1, False, None),
        ([[P, F]], 1, False, None),
    ],
)
def test_a_verify_holds_when_all_pass_so_often_in_a_row(
    walked: Walked, answers: list[list[Status]], passes: int, ok: bool, looks: int | None
) -> None:
    walked.answers = list(answers)
    step = Verify((there("a"), there("b")), within=5.0 if ok else 0.3, passes=passes)
    result = verified(walked, step)
    assert result.ok is ok
    assert looks is None or len(walked.looks) == looks


def test_a_warning_does_not_stop_a_verify(walked: Walked) -> None:
    walked.answers = [[P, F]]
    assert verified(walked, Verify((there("a"), there("b", level="warn")), within=2.0)).ok
    walked.answers, walked.looks = [[F]], []
    assert not verified(walked, Verify((there("b", level="warn"),), within=0.2)).ok


def test_a_verify_looks_once_more_after_it_settled(walked: Walked) -> None:
    walked.answers = [[P], [F], [P]]
    began = time.monotonic()
    assert verified(walked, Verify((there("a"),), within=5.0, settle=0.4)).ok
    assert time.monotonic() - began >= 0.4
    assert len(walked.looks) == 3
    walked.answers, walked.looks = [[P], [F]], []
    assert not verified(walked, Verify((there("a"),), within=0.3, settle=0.3)).ok


def test_a_verify_ends_at_its_time_and_says_what_it_saw(walked: Walked) -> None:
    began = time.monotonic()
    result = verified(walked, Verify((there("gone"),), within=0.5))
    assert 0.5 <= time.monotonic() - began < 3.0
    assert (result.ok, result.message) == (False, "gone: fail")
    assert all(0.5 <= seconds <= 0.6 for seconds in walked.looks)


def test_a_verify_stops_when_asked_to(walked: Walked) -> None:
    walked.stop = lambda: True
    result = verified(walked, Verify((there("gone"),), within=60.0))
    assert (result.ok, result.interrupted) == (False, True)
