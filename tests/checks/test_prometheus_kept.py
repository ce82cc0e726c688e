"""What a real Prometheus kept, read back: a time of the past has a point exactly where a look then had a value."""

from __future__ import annotations

import asyncio
import json
import math
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook.checks.base import Past
from runbook.checks.findings import NotTaken
from runbook.checks.monitoring.prometheus_answers import Told
from runbook.checks.monitoring.prometheus_values import OVER_TIME, Window, value_over
from tests.checks.looking import a_check, surroundings
from tests.real.prometheus import Prometheus, prometheus

pytestmark = pytest.mark.needs("prometheus", "promtool")

MINUTE, HOUR, STEP = 60, 3600, 15
END = int(time.time() - HOUR) // MINUTE * MINUTE
BEGIN = END - HOUR


def told(line: str, at: int) -> str | None:
    """The sample of a line at a time: numbers, stretches of NaN and infinity, and a hole of twenty minutes."""
    minute = (at - BEGIN) // MINUTE
    number = (at // STEP * 7) % 11
    if line == "a":
        return None if 20 <= minute < 40 else str(number)
    every_other = minute % 15 == 0 and at // STEP % 2 == 0
    if every_other or 8 <= minute < 11 or 50 <= minute < 58:
        return "NaN"
    return "+Inf" if minute == 45 else str(number - 5)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    folder = tmp_path_factory.mktemp("kept")
    lines = ["# TYPE kept gauge"]
    for name in ("a", "b"):
        samples = ((at, told(name, at)) for at in range(BEGIN - HOUR // 2, END + 1, STEP))
        lines += [f'kept{{line="{name}"}} {number} {at}' for at, number in samples if number is not None]
    put_in(folder, lines)
    with prometheus(folder, []) as running:
        yield running


def put_in(folder: Path, lines: list[str]) -> None:
    """Put these samples into the data of a Prometheus that does not run yet."""
    text = folder / "kept.txt"
    text.write_text("\n".join([*lines, "# EOF", ""]))
    argv = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(text), str(folder / "data")]
    done = subprocess.run(argv, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def raw(server: Prometheus, query: str) -> list[Told]:
    """All points of a query, a step apart."""
    form = {"query": query, "start": BEGIN - HOUR // 2, "end": END, "step": STEP}
    url = f"{server.url}/api/v1/query_range?{urllib.parse.urlencode(form)}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        result = json.load(answer)["data"]["result"]
    return [Told(one["metric"], tuple((at, float(number)) for at, number in one["values"])) for one in result]


def looked_at(series: list[Told], at: int, length: int, take: str) -> float | None:
    """What a look at that time had."""
    window = Window(at - length, at, STEP, take)
    inside = [Told(one.labels, tuple(p for p in one.points if at - length <= p[0] <= at)) for one in series]
    try:
        return float(value_over([one for one in inside if one.points], window, "max").value)
    except NotTaken:
        return None


@pytest.mark.parametrize("take", list(OVER_TIME))
@pytest.mark.parametrize("query", ["kept", "kept * 2 # twice"])
def test_a_window_of_the_past_is_what_a_look_had(server: Prometheus, query: str, take: str) -> None:
    async def read() -> Past:
        around = surroundings()
        try:
            written = {"prometheus": server.url, "query": query, "range": "5m", "step": f"{STEP}s", "take": take}
            check = a_check({**written, "worst": "max", "newer_than": "1h"})
            found: Past = await check.options.past(around, BEGIN, END, MINUTE)
            return found
        finally:
            await around.asker.close()

    found = asyncio.run(read())
    assert found.trouble == ""
    series = raw(server, query)
    looks = {at: looked_at(series, at, 5 * MINUTE, take) for at in range(BEGIN, END + 1, MINUTE)}
    meant = {at: value for at, value in looks.items() if value is not None}
    assert 20 < len(meant) < 50
    assert {at for at, _ in found.points} == set(meant)
    assert all(math.isclose(value, meant[int(at)], abs_tol=1e-9) for at, value in found.points)
