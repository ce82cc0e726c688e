"""The shipped enrichment playbook fits its practice service: what it looks at is there and says what it shall."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import Any

import jq
import pytest
import yaml

from runbook.sandbox import control
from tests.places import PROJECT
from tests.sandbox.conftest import SHIPPED, Practice

PLAYBOOK: dict[str, Any] = yaml.safe_load((PROJECT / "playbooks/enrichment.yaml").read_text())


def checks_of(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for check in PLAYBOOK["checklists"][name]:
        found += check.get("all", [check]) if "sandbox" not in check.get("unless", []) else []
    return found


@pytest.fixture
def lent(practice: Practice) -> control.SandboxEnvironment:
    return control.environment(SHIPPED, practice.folder, project=practice.folder.parents[2])


def test_every_metric_is_a_number_of_the_service(practice: Practice) -> None:
    body = practice.metrics()
    asked = {name: metric for name, metric in PLAYBOOK["metrics"].items() if "http" in metric}
    assert len(asked) == 9
    for name, metric in asked.items():
        value = jq.compile(metric["jq"]).input_value(body).first()
        assert isinstance(value, int | float), f"{name} is {value!r}"
        assert metric["http"] == "/api/metrics"


def test_the_live_flags_are_asked_for_by_their_names(practice: Practice) -> None:
    live = next(check for check in PLAYBOOK["verify"] if check.get("flags") == "live")
    body = practice.ask(live["from"]).json()
    shown = {key: jq.compile(path).input_value(body).first() for key, path in live["map"].items()}
    assert shown == PLAYBOOK["flags"]["safe"]
    assert set(live["map"]) == set(PLAYBOOK["flags"]["safe"])


def test_the_practice_service_reads_every_flag_that_a_stage_sets() -> None:
    flags = yaml.safe_load(SHIPPED.read_text())["flags"]
    assert set(flags) == set(PLAYBOOK["flags"]["safe"])
    for stage in PLAYBOOK["stages"]:
        assert set(stage.get("set", {})) <= set(flags)


def test_its_database_answers_the_queries(lent: control.SandboxEnvironment) -> None:
    path = lent.variables["DATABASE_URL"].removeprefix("sqlite:///")
    found = {}
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        for check in checks_of("infrastructure"):
            if "sql" in check:
                found[check["check"]] = connection.execute(check["query"]).fetchone()[0]
    connection.close()
    assert found == {
        "Migrations 002 and 003 are applied": 2,
        "Enriched artifacts are there": 240,
        "Enriched chunks are there": 960,
    }


def test_its_files_lie_where_the_playbook_looks(practice: Practice, lent: control.SandboxEnvironment) -> None:
    project = practice.folder.parents[2]
    for check in checks_of("infrastructure"):
        if "file" in check:
            pattern = check["file"]
            for name in ("INDEX_FOLDER", "BACKUP_FOLDER"):
                before, _, rest = pattern.partition(f"${{{name}:-")
                if rest:
                    pattern = before + lent.variables[name] + rest.partition("}")[2]
            assert not Path(pattern).is_absolute()
            assert [path for path in project.glob(pattern) if path.is_file()], pattern


def test_its_endpoints_answer_what_the_checks_ask(practice: Practice) -> None:
    staging = re.compile(r"http://\$\{STAGING_HOST:-staging\}:\$\{STAGING_PORT:-3002\}")
    asked = 0
    for check in checks_of("configuration") + checks_of("validation"):
        if "http" not in check:
            continue
        body = str(check["json"]).replace("'", '"').encode() if "json" in check else None
        reply = practice.ask(staging.sub("", check["http"]), check.get("method", "GET"), body)
        assert reply.status == 200, check
        if "jq" in check:
            assert jq.compile(check["jq"]).input_value(reply.json()).first() is True
        asked += 1
    assert asked == 5


def test_the_models_that_are_asked_for_are_there(practice: Practice) -> None:
    check = next(check for check in checks_of("infrastructure") if "ollama" in check)
    served = {model["name"].partition(":")[0] for model in practice.ask("/api/tags").json()["models"]}
    assert served == set(check["models"])


@pytest.mark.parametrize(("percent", "hops"), [(0, 0), (10, 1), (50, 1), (100, 1)])
def test_without_a_fault_every_number_is_inside_its_limits(practice: Practice, percent: int, hops: int) -> None:
    on = str(bool(hops)).lower()
    practice.set(ENRICHMENT_ROLLOUT_PERCENTAGE=percent, MAX_HOPS=hops, ENABLE_MULTI_HOP=on, ENABLE_REASONING=on)
    control.restart(practice.folder)
    for _ in range(50):
        metrics = practice.metrics()
        assert metrics["error_rate"] < 0.01
        assert metrics["latency"]["p95_ms"] < 3000
        assert metrics["latency"]["p99_ms"] < 5000
        assert metrics["retrieval_time_ms"]["p95"] < 500
        assert metrics["generation_time_ms"]["p95"] < 2000
        assert metrics["avg_enrichment_score"] > 0.6
        assert abs(metrics["enrichment_usage_rate"] - percent / 100) < 0.03


def test_the_numbers_of_the_runbook_are_in_the_playbook() -> None:
    stages = {stage["stage"]: stage for stage in PLAYBOOK["stages"]}
    percents = {name: stage["percent"] for name, stage in stages.items()}
    assert percents.pop("two-hops") == [{"to": 10, "bake": "24h"}, {"to": 100, "bake": "72h"}]
    assert percents == {"disabled": 0, "canary": 10, "half": 50, "full": 100}
    bakes = [stage["bake"] for stage in stages.values() if "bake" in stage]
    assert bakes == ["1h..2h", "24h..48h", "48h..72h", {"for": "7d..14d", "sampled": "90%"}]
    limits = {name: (metric.get("warning"), metric.get("critical")) for name, metric in PLAYBOOK["metrics"].items()}
    assert limits["error_rate"] == ("> 2%", "> 5%")
    assert limits["p95_latency"] == ("> 3000ms", "> 4000ms")
    assert limits["p99_latency"] == ("> 5000ms", "> 7000ms")
    assert limits["enrichment_score"] == ("< 0.5", "< 0.3")
    assert "MAX_HOPS" not in PLAYBOOK["rollback"]["set"]
    assert PLAYBOOK["rollback"]["objective"] == "5m"
