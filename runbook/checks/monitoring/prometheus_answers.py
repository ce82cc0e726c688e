"""What Prometheus and servers like it answer to a query, read without trust."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import msgspec

from runbook.checks.findings import NotTaken
from runbook.checks.monitoring.monitored import status_told
from runbook.system.http_messages import Response

MOST_SERIES = 10_000
MOST_POINTS = 11_000  # of one series in one answer: Prometheus' own limit
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,4})?|NaN|[-+]?Inf", re.ASCII)
_ERROR_STATUSES = (400, 422, 503)  # with which Prometheus tells in JSON what is wrong
_SHOWN_LABELS = 120  # characters
_NAME = "__name__"
Shape = TypeVar("Shape")


class _Answer(msgspec.Struct, frozen=True):
    status: str
    data: msgspec.Raw = msgspec.Raw(b"null")
    error: str = ""
    error_type: str = msgspec.field(name="errorType", default="")
    warnings: list[str] | None = None


class _Data(msgspec.Struct, frozen=True):
    kind: str = msgspec.field(name="resultType")
    result: msgspec.Raw = msgspec.Raw(b"null")


class _Sample(msgspec.Struct, frozen=True):
    metric: dict[str, str]
    value: tuple[float, str]


class _Line(msgspec.Struct, frozen=True):
    metric: dict[str, str]
    values: list[tuple[float, str]]


@dataclass(frozen=True)
class Told:
    """One series of an answer: its labels, and its points as times (seconds since the epoch) and numbers.

    A number may be NaN or infinite.
    """

    labels: Mapping[str, str]
    points: tuple[tuple[float, float], ...]

    @property
    def name(self) -> str:
        """How the series is shown: `up{job="api"}`."""
        return series_name(self.labels)


@dataclass(frozen=True)
class Answer:
    """The series that a query gave, and what the server warned of. A scalar is a series without labels."""

    series: tuple[Told, ...]
    warnings: tuple[str, ...] = ()


def series_name(labels: Mapping[str, str]) -> str:
    """A series as Prometheus writes it, shortened; without labels it is called `the value`."""
    inside = ",".join(f'{key}="{value}"' for key, value in sorted(labels.items()) if key != _NAME)
    text = labels.get(_NAME, "") + (f"{{{inside}}}" if inside else "")
    if not text:
        return "the value"
    return text if len(text) <= _SHOWN_LABELS else f"{text[: _SHOWN_LABELS - 3]}..."


def number_of(text: str) -> float:
    """A number as Prometheus writes it, NaN and the infinities too. Raises NotTaken."""
    if not _NUMBER.fullmatch(text):
        raise NotTaken(f"{text[:40]!r} stands where a number was meant")
    return float(text)


def instant_answer(response: Response) -> Answer:
    """The answer to a query at one time: one point a series. Raises NotTaken, also for what has no single number."""
    answer, data = _read(response)
    if data.kind == "scalar":
        at, text = _decoded(data.result, tuple[float, str])
        series = [Told({}, ((at, number_of(text)),))]
    elif data.kind == "vector":
        samples = _not_too_many(_decoded(data.result, list[_Sample]))
        series = [Told(each.metric, ((each.value[0], number_of(each.value[1])),)) for each in samples]
    elif data.kind == "matrix":
        raise NotTaken("the query gives ranges: put avg_over_time(...) around it, or write range: 5m and take: avg")
    else:
        raise NotTaken(f"the query gives a {data.kind[:20]}, and a number was meant")
    return _checked(series, answer)


def range_answer(response: Response) -> Answer:
    """The answer to a query over a time. Raises NotTaken, also where points are out of order or stand twice."""
    answer, data = _read(response)
    if data.kind != "matrix":
        raise NotTaken(f"the query gives a {data.kind[:20]} where points over a time were meant")
    lines = _not_too_many(_decoded(data.result, list[_Line]))
    if any(len(each.values) > MOST_POINTS for each in lines):
        raise NotTaken(f"the answer has more than {MOST_POINTS:,} points of one series")
    series = [Told(each.metric, tuple((at, number_of(text)) for at, text in each.values)) for each in lines]
    for each in series:
        if any(not later[0] > earlier[0] for earlier, later in pairwise(each.points)):
            raise NotTaken("the answer has points out of order, or two at one time")
    return _checked(series, answer)


def _read(response: Response) -> tuple[_Answer, _Data]:
    good = response.status // 100 == 2
    if not good and response.status not in _ERROR_STATUSES:
        raise NotTaken(status_told(response.status, "Prometheus"))
    try:
        answer = _decoded(response.body, _Answer)
    except NotTaken:
        if good:
            raise
        raise NotTaken(status_told(response.status, "Prometheus")) from None
    if answer.status == "error" or not good:
        raise NotTaken(f"Prometheus says: {answer.error_type}: {answer.error}"[:300])
    if answer.status != "success":
        raise NotTaken(f"this does not answer as Prometheus does: its status is {answer.status[:20]!r}")
    return answer, _decoded(answer.data, _Data)


def _decoded(body: bytes | msgspec.Raw, shape: type[Shape]) -> Shape:
    """JSON straight into its shape: five megabytes of points as plain lists would take two hundred. Raises NotTaken."""
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as trouble:
        if "missing required field `value`" in str(trouble):
            raise NotTaken("the query gives a histogram; take a number of it with histogram_quantile(...)") from None
        raise NotTaken(f"this does not answer as Prometheus does: {trouble}") from None
    except (ValueError, OverflowError, RecursionError):
        looks = "HTML" if bytes(body[:100]).lstrip()[:1] == b"<" else "no JSON"
        raise NotTaken(f"this does not answer as Prometheus does: the answer is {looks}") from None


def _not_too_many(series: list[Shape]) -> list[Shape]:
    if len(series) > MOST_SERIES:
        raise NotTaken(f"the query gives more than {MOST_SERIES:,} series")
    return series


def _checked(series: list[Told], answer: _Answer) -> Answer:
    if len({tuple(sorted(each.labels.items())) for each in series}) < len(series):
        raise NotTaken("the answer has two series with the same labels")
    if any(not math.isfinite(at) for each in series for at, _ in each.points):
        raise NotTaken("the answer has a point without a time")
    return Answer(tuple(series), tuple(answer.warnings or ()))
