"""The recorded answers of a test: those that stand in the playbook, and those of its file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from runbook.checks.recorded import RecordedAnswer, read_answer
from runbook.playbook.model import Playbook
from runbook.playbook.trial import Trial
from runbook.rollout.trial_site import in_unit


class TrialTrouble(Exception):  # noqa: N818 - it is told, not a fault of ours
    """Why a test could not take place."""


def from_file(trial: Trial, project: Path) -> dict[str, Any]:
    """The answers of its file. Raises `TrialTrouble`."""
    if trial.answers_in is None:
        return {}
    path = project / trial.answers_in
    try:
        document = msgspec.json.decode(path.read_bytes())
    except OSError as trouble:
        raise TrialTrouble(f"{trial.answers_in} cannot be read: {trouble.strerror}") from None
    except msgspec.DecodeError as trouble:
        raise TrialTrouble(f"{trial.answers_in} is no JSON: {trouble}") from None
    found = document.get("answers", document) if isinstance(document, dict) else None
    if not isinstance(found, dict):
        raise TrialTrouble(f"{trial.answers_in} holds no answers: write {{'answers': {{...}}}}")
    return found


def answers_of(playbook: Playbook, given: Mapping[str, Any]) -> dict[str, RecordedAnswer]:
    """The answers as they are looked up; of a metric in its own unit. Raises ValueError."""
    found: dict[str, RecordedAnswer] = {}
    for key, plain in given.items():
        metric = playbook.metrics.get(key.removeprefix("metrics/"))
        value = in_unit(plain, metric.unit) if metric is not None and isinstance(plain, str) else plain
        try:
            found[key] = read_answer(key, value)
        except ValueError as trouble:
            raise TrialTrouble(f"{key}: {trouble}") from None
    return found
