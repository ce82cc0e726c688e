"""The recorded answers of a test: those that stand in the playbook, and those of its file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from runbook.checks.recorded import RecordedAnswer, names_request, read_answer
from runbook.language.places import Place, Problem
from runbook.playbook.model import Metric, Playbook
from runbook.playbook.tests_agreement import every_check
from runbook.playbook.tests_answers import METRICS, answer_problem, answers_in_file, known_in
from runbook.playbook.trial import Trial
from runbook.rollout.trial_site import in_unit


class TrialTrouble(Exception):  # noqa: N818 - it is told, not a fault of ours
    """Why a test could not take place."""


def layers_of(playbook: Playbook, line: Sequence[Trial], project: Path) -> Iterator[Mapping[str, Any]]:
    """What is answered, from the test that the others are like on: of each first its file, then what it says itself.

    Raises `TrialTrouble`.
    """
    for trial in line:
        yield from_file(playbook, trial, project)
        yield trial.answers


def from_file(playbook: Playbook, trial: Trial, project: Path) -> dict[str, Any]:
    """The answers of its file, each fit for what it is of. Raises `TrialTrouble`."""
    if trial.answers_in is None:
        return {}
    try:
        found = answers_in_file(project / trial.answers_in, trial.answers_in)
        known = known_in(playbook, every_check(playbook))
        for key, plain in found.items():
            _read(key, plain)
            if (problem := answer_problem(known, key, plain)) is not None:
                raise TrialTrouble(f"{trial.answers_in}: {key}: {problem[0]} ({problem[1]})")
    except (ValueError, RecursionError) as trouble:
        told = str(trouble) if isinstance(trouble, ValueError) else f"{trial.answers_in} is nested too deeply"
        raise TrialTrouble(told) from None
    return found


def file_problems(playbook: Playbook, sources: Mapping[str, str], project: Path) -> list[Problem]:
    """What is wrong with the files of answers, each at the place that names it; `sources` are texts by file."""
    found: list[Problem] = []
    for trial in playbook.tests:
        try:
            from_file(playbook, trial, project)
        except TrialTrouble as trouble:
            place = _place_of(trial.answers_in or "", sources) or Place(playbook.path, 1, 1)
            found.append(Problem(str(trouble), place, "record them again with: runbook test --record FILE"))
    return found


def _place_of(name: str, sources: Mapping[str, str]) -> Place | None:
    """Where a file of answers is named."""
    written = re.compile(rf"""\banswers: *["']?({re.escape(name)})\b""")
    for file, text in sources.items():
        for number, line in enumerate(text.splitlines(), 1):
            if (match := written.search(line)) is not None:
                return Place(file, number, match.start(1) + 1)
    return None


def answers_of(playbook: Playbook, given: Mapping[str, Any]) -> dict[str, RecordedAnswer]:
    """The answers as they are looked up; of a metric in its own unit. Raises `TrialTrouble`."""
    found: dict[str, RecordedAnswer] = {}
    for key, plain in given.items():
        metric = None if names_request(key) else playbook.metrics.get(key.removeprefix(METRICS))
        found[key] = _read(key, plain if metric is None else _measured(plain, metric))
    return found


def _read(key: str, plain: Any) -> RecordedAnswer:
    try:
        return read_answer(key, plain)
    except ValueError as trouble:
        raise TrialTrouble(f"{key}: {trouble}") from None


def _measured(plain: Any, metric: Metric) -> Any:
    """The answer of a metric with every value in its unit."""
    if not isinstance(plain, dict):
        return in_unit(plain, metric.unit)
    told = dict(plain)
    if "value" in told:
        told["value"] = in_unit(told["value"], metric.unit)
    if isinstance(told.get("values"), dict):
        told["values"] = {name: in_unit(value, metric.unit) for name, value in told["values"].items()}
    if isinstance(told.get("rows"), list):
        told["rows"] = [
            [in_unit(cell, metric.unit) for cell in row] if isinstance(row, list) else row for row in told["rows"]
        ]
    return told
