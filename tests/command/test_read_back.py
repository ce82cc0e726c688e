"""A bake that nobody watched, by a real Prometheus: it is read back, and its holes are told."""

from __future__ import annotations

import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.command.project import Project
from tests.real.program import wait_until
from tests.real.prometheus import Prometheus, prometheus
from tests.real.pushgateway import Pushgateway, pushgateway

pytestmark = pytest.mark.needs("prometheus", "prometheus-pushgateway", "promtool")

BAKE = 4  # seconds
DAY = 86_400
METRICS = """
  errors: {prometheus: SERVER, query: share_of_errors, unit: ratio, interval: 1s, max_age: 5s}"""
STAGES = """
  - {stage: off, percent: 0}
  - stage: first
    percent: 10
    set: {RANKER_MODEL: small}
    bake: {for: 4s, sampled: 90%}
    gates: [GATES]
    triggers: [{when: "errors > 5% for 3s", then: rollback}]
  - {stage: wide, percent: [50, 100], gates: ["errors < 1%"]}"""


@dataclass(frozen=True)
class Monitored:
    """A Prometheus that comes for what is pushed every second, and remembers three days at 3 % errors."""

    prometheus: Prometheus
    pushed: Pushgateway

    def errors(self, share: float | None) -> None:
        """From now on; None: nobody tells any more."""
        if share is None:
            self.pushed.forget()
            self.prometheus.wait_for("share_of_errors", None)
        else:
            self.pushed.push(f"# TYPE share_of_errors gauge\nshare_of_errors {share}")
            self.prometheus.wait_for("share_of_errors", share)


@pytest.fixture(scope="module")
def monitored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitored]:
    folder = tmp_path_factory.mktemp("monitored")
    remember(folder / "data", share=0.03, days=3)
    with pushgateway(tmp_path_factory.mktemp("pushed")) as pushed, prometheus(folder, [pushed.target]) as server:
        yield Monitored(server, pushed)


def remember(data: Path, *, share: float, days: int) -> None:
    """Put a past into Prometheus' data, as promtool does it: one value every ten minutes, up to an hour ago."""
    now = int(time.time())
    lines = [f"share_of_errors {share} {at}" for at in range(now - days * DAY, now - 3600, 600)]
    told = data.with_suffix(".txt")
    told.write_text("\n".join(["# TYPE share_of_errors gauge", *lines, "# EOF", ""]))
    done = subprocess.run(
        ["promtool", "tsdb", "create-blocks-from", "openmetrics", told, data],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture
def watched(project: Project, monitored: Monitored) -> Project:
    """At first@10, and what is told of the errors is small."""
    return entered(project, monitored, "'errors < 1%'")


def entered(project: Project, monitored: Monitored, gates: str) -> Project:
    monitored.errors(0.002)
    metrics = METRICS.replace("SERVER", monitored.prometheus.url)
    project.write(metrics=metrics, stages=STAGES.replace("GATES", gates))
    return project.at_first()


def baked(project: Project) -> None:
    """Until the bake is over, counted from when its command had ended."""
    began = time.monotonic()
    wait_until(lambda: time.monotonic() - began > BAKE, "the bake did not end")


def rules(project: Project) -> dict[str, dict[str, Any]]:
    rows = project.json("gate").document["rules"]
    return {row["title"]: row for row in rows}


def test_a_bake_that_nobody_watched_lets_the_next_step_be_made(watched: Project, monitored: Monitored) -> None:
    baked(watched)
    ran = watched.json("gate")
    assert ran.code == 0, ran
    found = {row["title"]: row for row in ran.document["rules"]}
    assert found["watched 90%"]["observed"] == "100%"
    assert found["errors < 1%"]["observed"] == "now 0.2 %, bake 0.2 %"
    assert found["errors < 1%"]["n"] >= BAKE - 1
    assert watched.run("ramp", "50", "--yes").code == 0


def test_a_bad_stretch_that_nobody_saw_is_in_the_mean(watched: Project, monitored: Monitored) -> None:
    monitored.errors(0.2)
    began = time.monotonic()
    wait_until(lambda: time.monotonic() - began > 2, "two seconds did not pass")
    monitored.errors(0.002)
    baked(watched)
    found = rules(watched)
    assert found["errors < 1%"]["status"] == "fail"
    assert found["errors < 1%"]["observed"].startswith("now 0.2 %, bake ")
    assert found["errors > 5% for 3s -> rollback"]["message"].startswith("quiet")  # it is over, and nobody looked


def test_where_prometheus_had_nothing_the_share_says_so(watched: Project, monitored: Monitored) -> None:
    monitored.errors(None)
    baked(watched)
    monitored.errors(0.002)
    ran = watched.json("gate")
    assert ran.code == 1, ran
    found = {row["title"]: row for row in ran.document["rules"]}
    assert found["watched 90%"]["status"] == "fail"
    assert int(found["watched 90%"]["observed"].rstrip("%")) < 60


def test_a_window_is_told_from_before_the_entry(project: Project, monitored: Monitored) -> None:
    """Two days and a half at 3 % weigh more than the seconds since."""
    entered(project, monitored, "'avg(errors, 2h) < 1%', 'errors < 1%'")
    metrics = METRICS.replace("SERVER", monitored.prometheus.url).replace("interval: 1s, max_age: 5s", "interval: 10m")
    project.write(metrics=metrics, stages=STAGES.replace("GATES", "'avg(errors, 3d) < 1%', 'errors < 1%'"))
    found = rules(project)
    assert found["avg(errors, 3d) < 1%"]["status"] == "fail"
    assert found["avg(errors, 3d) < 1%"]["observed"] in ("2.99 %", "3 %", "2.98 %")
    assert found["avg(errors, 3d) < 1%"]["n"] > 300
    assert found["errors < 1%"]["status"] == "pass"


def test_who_only_reads_the_store_asks_no_history(project: Project, monitored: Monitored) -> None:
    watched = entered(project, monitored, "'avg(errors, 1h) < 10%'")
    for command in (["status"], ["now"], ["ramp", "50", "--dry-run"]):
        before = ranges_asked(monitored)
        watched.run(*command)
        assert ranges_asked(monitored) == before, command
    before = ranges_asked(monitored)
    watched.run("gate")
    assert ranges_asked(monitored) == before + 2  # the values, and how fresh they were


def ranges_asked(monitored: Monitored) -> int:
    """How often a range was asked of this Prometheus, as it tells of itself."""
    with urllib.request.urlopen(f"{monitored.prometheus.url}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    told = [line for line in lines if line.startswith("prometheus_http_requests_total") and "/query_range" in line]
    return sum(int(float(line.rpartition(" ")[2])) for line in told)
