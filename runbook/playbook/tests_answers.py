"""Whether a recorded answer fits what it is of: a check that exists, a value that is judged, a unit that can be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from runbook.checks.base import Check
from runbook.checks.recorded import OF_PROCESSES, RecordedAnswer, amount_of, names_request, read_answer
from runbook.language.places import did_you_mean
from runbook.language.units import dimension_of
from runbook.playbook.model import Metric, Playbook
from runbook.system.files import FileTrouble, read_regular

METRICS = "metrics/"
MOST_COUNTED = 1000  # of one counter: each is an event
LARGEST_FILE = 5 << 20  # bytes
_OF_QUERIES = ("sql", "cosmos")
_JUDGED = ("jq", "header")
_JUDGED_BY_THE_KIND = ("matches", "list_")


@dataclass(frozen=True)
class Known:
    """What an answer may be of: checks by full id, metrics by name."""

    checks: Mapping[str, Check]
    metrics: Mapping[str, Metric]

    def full_ids(self, name: str) -> list[str]:
        """The full ids of all that a name may mean."""
        checks = [full for full, check in self.checks.items() if name in (full, check.id)]
        return checks + [f"{METRICS}{one}" for one in self.metrics if name in (one, f"{METRICS}{one}")]

    def names(self) -> list[str]:
        """Every name, for a hint."""
        ids = [name for full, check in self.checks.items() for name in (check.id, full)]
        return [*ids, *self.metrics, *(f"{METRICS}{one}" for one in self.metrics)]


def known_in(playbook: Playbook, checks: Iterable[Check]) -> Known:
    """What the answers of a playbook's tests may be of."""
    return Known({check.full_id: check for check in checks}, playbook.metrics)


def answer_problem(known: Known, key: str, plain: Any) -> tuple[str, str] | None:
    """What is wrong with one answer and the next thing to write; None where nothing is. It was read already."""
    if names_request(key):
        return None
    if (problem := name_problem(known, key)) is not None:
        return problem
    answer = read_answer(key, plain)
    full = known.full_ids(key)[0]
    check = known.checks.get(full)
    if check is not None:
        return strange_answer(answer, check)
    metric = known.metrics[full.removeprefix(METRICS)]
    if metric.counter is not None:
        return counted_problem(metric, plain)
    values = [] if answer.value is msgspec.UNSET else [answer.value]
    values += [cell for row in answer.rows or () for cell in row]
    return next((found for value in values if (found := unit_problem(metric, value)) is not None), None)


def name_problem(known: Known, name: str) -> tuple[str, str] | None:
    """What is wrong with the name of a check or metric: it is none, or more than one has it."""
    found = known.full_ids(name)
    if not found:
        names = known.names()
        told = (
            f"known: {', '.join(names[:12])}{', ...' if len(names) > 12 else ''}" if names else "there is none at all"
        )
        return f"there is no check or metric '{name}'", did_you_mean(name, names) or told
    if len(found) > 1:
        return f"'{name}' may be {' or '.join(found)}", f"write {found[0]}"
    return None


def unit_problem(metric: Metric, value: Any) -> tuple[str, str] | None:
    """What is wrong with the unit that a recorded value is written in, for this metric."""
    unit = amount_of(value)[1]
    if unit is None or dimension_of(unit) == dimension_of(metric.unit):
        return None
    return (
        f"{value} is no value of {metric.name}, which is in {metric.unit or 'plain numbers'}",
        "write it in that unit",
    )


def counted_problem(metric: Metric, plain: Any) -> tuple[str, str] | None:
    """What is wrong with the answer of a counter, which is how often people counted."""
    if isinstance(plain, int) and not isinstance(plain, bool) and 0 <= plain <= MOST_COUNTED:
        return None
    return (
        f"{metric.name} is counted by people, so its answer is one whole number from 0 to {MOST_COUNTED:,}",
        f"write {metric.name}: 3",
    )


def strange_answer(answer: RecordedAnswer, check: Check) -> tuple[str, str] | None:
    """What is wrong with an answer for this check; None where nothing is.

    A value that nothing judges would pass whatever it is.
    """
    hint = hint_for(check)
    of_kind = f"'{check.title}' is a check of the kind {check.kind}"
    if (answer.exit is not None or answer.output or answer.errors) and check.kind not in OF_PROCESSES:
        return f"exit, output and errors are of a program, and {of_kind}", hint
    if answer.rows is not None and check.kind not in _OF_QUERIES:
        return f"rows are of a query, and {of_kind}", hint
    plain = answer.value is msgspec.UNSET or answer.value is None or isinstance(answer.value, bool)
    if judges_values(check) or (plain and not answer.values):
        return None
    return f"'{check.title}' takes no value out and expects none, so this would pass whatever it is", hint


def judges_values(check: Check) -> bool:
    """Whether a value that is recorded for this check is judged as the one that it takes out itself."""
    if check.expect is not None:
        return True
    takes = any(getattr(check.options, name, None) for name in _JUDGED)
    return takes and not any(getattr(check.options, name, None) for name in _JUDGED_BY_THE_KIND)


def hint_for(check: Check) -> str:
    """How the answer of a check that takes no value out is written."""
    if check.kind in OF_PROCESSES:
        return "write pass, fail or unknown, or how the program ended:  {exit: 1}"
    if check.kind == "http":
        return (
            f"write pass, fail or unknown, or the answer of its request:  {check.options.method} {path_in(check)}: 500"
        )
    return "write pass, fail or unknown"


def path_in(check: Check) -> str:
    """The URL or path of an `http` check as it is written."""
    return str(check.options.http)


def answers_in_file(path: Path, shown: str) -> dict[str, Any]:
    """The answers that a JSON file holds. Raises ValueError with a sentence that begins with `shown`, its name."""
    try:
        document = msgspec.json.decode(read_regular(path, LARGEST_FILE))
    except FileTrouble as trouble:
        raise ValueError(f"{shown} cannot be read: it {trouble.reason}") from None
    except RecursionError:
        raise ValueError(f"{shown} is nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as trouble:
        raise ValueError(f"{shown} is no JSON: {trouble}") from None
    found = document.get("answers", document) if isinstance(document, dict) else None
    if not isinstance(found, dict):
        raise ValueError(f"{shown} holds no answers: write {{'answers': {{...}}}}")
    return found
