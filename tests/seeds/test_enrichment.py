"""Rows E1 to E13 of the enrichment runbook, each by the installed command against the practice service."""

from __future__ import annotations

import json
import sqlite3
import urllib.request
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from runbook.playbook.load import load_playbook
from tests.places import PROJECT
from tests.seeds.practice import Practice, practised, rows, shown

HOUR, DAY = 3600.0, 86400.0
SAFE = {"ENABLE_MULTI_HOP": "false", "ENABLE_REASONING": "false", "MAX_HOPS": "0", "ENRICHMENT_ROLLOUT_PERCENTAGE": "0"}
AT_CANARY = {
    "ENABLE_MULTI_HOP": "true", "ENABLE_REASONING": "true", "MAX_HOPS": "1", "ENRICHMENT_ROLLOUT_PERCENTAGE": "10",
}  # fmt: skip


@pytest.fixture
def practice(tmp_path: Path) -> Iterator[Practice]:
    with practised(tmp_path, "enrichment") as practice:
        yield practice


def ours(practice: Practice) -> dict[str, str]:
    return {key: value for key, value in practice.flags().items() if key in SAFE}


def stand_at(practice: Practice, position: str, hops: int = 1) -> None:
    """As if the service had been there before the tool came: the flags by hand, a restart, `adopt`."""
    percent = position.partition("@")[2]
    file = practice.folder / ".runbook/sandbox/enrichment-sandbox/service.env"
    text = file.read_text()
    for key, value in {**AT_CANARY, "ENRICHMENT_ROLLOUT_PERCENTAGE": percent, "MAX_HOPS": str(hops)}.items():
        text = text.replace(f"{key}={practice.flags()[key]}", f"{key}={value}")
    file.write_text(text)
    practice.run("sandbox", "down")
    practice.run("sandbox", "up")
    practice.run("adopt", position, "--reason", "it stood there before")


def test_e1_checklists(practice: Practice) -> None:
    """The database is SQLite here; the same queries run on PostgreSQL by the same kind of check."""
    told = practice.json("preflight")
    checks = rows(told, "checks")
    assert told["verdict"] == "go", shown(told)
    passing = {title for title, row in checks.items() if row["status"] == "pass"}
    assert {
        "Database is named", "Migrations 002 and 003 are applied", "Enriched artifacts are there",
        "Enriched chunks are there", "Search index is there", "Models are present", "Backup of the index is fresh",
        "Disk has room for the practice service", "Backup of the database is fresh", "Flags stand at their safe values",
        "Monitoring endpoints answer", "Load test with 100 requests at a time", "A/B comparison answers",
    } <= passing  # fmt: skip
    place = practice.folder / ".runbook/sandbox/enrichment-sandbox"
    with sqlite3.connect(place / "data/enrichment.db") as database:
        database.execute("delete from enriched_chunks")
    database.close()
    (place / "backups/faiss-latest.tar.zst").unlink()
    practice.fault("down=/api/tags")
    told = practice.json("preflight", code=1)
    checks = rows(told, "checks")
    failing = {title for title, row in checks.items() if row["status"] == "fail"}
    assert failing == {"Enriched chunks are there", "Backup of the index is fresh", "Models are present"}


def test_e2_four_variables_move_together(practice: Practice) -> None:
    assert ours(practice) == SAFE
    practice.enter_canary()
    assert ours(practice) == AT_CANARY
    stand_at(practice, "full@100")
    [edit, *_] = practice.json("ramp", "two-hops", "--dry-run", code=None)["plan"]
    assert {line for line in edit["diff"] if line[0] in "+-"} >= {"-MAX_HOPS=1", "+MAX_HOPS=2"} or any(
        "MAX_HOPS=2" in line for line in edit["diff"]
    ), shown(edit)
    assert any("ENRICHMENT_ROLLOUT_PERCENTAGE=10" in line for line in edit["diff"])


def test_e3_the_live_configuration_is_compared_with_the_file(practice: Practice) -> None:
    practice.run("ramp", "0", "--yes")
    file = practice.folder / ".runbook/sandbox/enrichment-sandbox/service.env"
    file.write_text(file.read_text().replace("PERCENTAGE=0", "PERCENTAGE=10"))
    told = practice.json("gate", code=1)
    assert [row for row in told["rules"] if row["kind"] == "drift" and row["status"] == "fail"], shown(told)
    file.write_text(file.read_text().replace("PERCENTAGE=10", "PERCENTAGE=0"))
    practice.run("baseline", "capture", "--for", "3s")
    practice.run("sign", "verified_by", by="ben")
    practice.fault("garbage=/api/query/enrichment/config")  # it runs, and nobody can say with which flags
    ended = practice.run("ramp", "10", "--yes", code=4)
    assert "Live flags are the file's flags" in ended.said
    assert ours(practice) == SAFE, "what was written is put back"


def test_e4_waits_and_watching() -> None:
    loaded = load_playbook(PROJECT / "playbooks/enrichment.yaml", PROJECT).playbook
    assert loaded is not None
    stages = {stage.name: stage for stage in loaded.stages}
    waits = {name: (stage.bake.at_least, stage.bake.recommended) for name, stage in stages.items() if stage.bake}
    assert waits == {
        "disabled": (1 * HOUR, 2 * HOUR), "canary": (24 * HOUR, 48 * HOUR), "half": (48 * HOUR, 72 * HOUR),
        "full": (7 * DAY, 14 * DAY),
    }  # fmt: skip
    watching = {name: stage.cadence[0].for_ for name, stage in stages.items() if stage.cadence}
    assert watching == {"disabled": HOUR / 2, "canary": 4 * HOUR, "half": 8 * HOUR, "full": 24 * HOUR}


def test_e4_the_gate_stays_shut_until_the_wait_is_over(practice: Practice) -> None:
    practice.enter_canary()
    told = practice.json("gate", code=None)
    [bake] = [row for row in told["gates"] if row["id"] == "bake"]
    ends = datetime.fromisoformat(practice.json("status")["bake"]["ends_at"])
    looked = datetime.fromisoformat(told["started_at"]) + timedelta(milliseconds=told["duration_ms"])
    if looked < ends:  # a busy machine may take longer to look than this bake of two seconds
        assert bake["status"] == "fail" and "opens" in bake["message"]
    practice.baked()
    [bake] = [row for row in practice.json("gate", code=None)["gates"] if row["id"] == "bake"]
    assert bake["status"] == "pass"


def test_e5_latency_against_the_baseline(practice: Practice) -> None:
    practice.enter_canary()
    practice.baked()
    gates = rows(practice.json("gate", code=None), "gates")
    assert gates["p95_latency increase < 30%"]["status"] == "pass"
    assert gates["p99_latency increase < 40%"]["status"] == "pass"
    practice.fault("p95_latency=3300ms")  # below the ceiling of 3500 ms, and far above what it was
    gates = rows(practice.json("gate", code=1), "gates")
    assert gates["p95_latency increase < 30%"]["status"] == "fail" and gates["p95_latency < 3500ms"]["status"] == "pass"


def test_e6_the_enriched_share_follows_the_percentage(practice: Practice) -> None:
    practice.enter_canary()
    practice.baked()
    row = rows(practice.json("gate", code=None), "gates")["enriched_share matches percent"]
    assert row["status"] == "pass" and ".." in row["observed"], "with the interval that follows from the sample size"
    practice.fault("enrichment_usage_rate=30%")
    row = rows(practice.json("gate", code=1), "gates")["enriched_share matches percent"]
    assert row["status"] == "fail"


def test_e7_each_stage_has_its_own_fallback(practice: Practice) -> None:
    (practice.folder / "Makefile").write_text('deploy:\n\t@echo "$(VERSION)" > deployed\n')
    practice.run("ramp", "0", "--yes")
    practice.run("rollback", "--fallback", "--yes", PREVIOUS="2.3.0")
    assert (practice.folder / "deployed").read_text() == "2.3.0\n" and practice.at() == "disabled@0"
    for position, lower in (("canary@10", 5), ("half@50", 25), ("full@100", 50)):
        stand_at(practice, position)
        told = practice.json("rollback", "--fallback", "--yes")
        assert told["percent"] == lower, shown(told)
        assert ours(practice)["ENRICHMENT_ROLLOUT_PERCENTAGE"] == f"{lower}"
    assert practice.at() == "half@50", "previous is a step of the ladder"


def test_e8_emergency_rollback(practice: Practice) -> None:
    practice.enter_canary()
    practice.fault("error_rate=8%")
    process, began = practice.start("rollback", "--emergency", "--yes", "--watch", "--format", "json"), 0.0
    assert process.stderr is not None
    practice.fault("none")
    told = practice.ended(process, ("rollback", "--format", "json"), began, 0).document
    assert ours(practice) == {**SAFE, "MAX_HOPS": "1"}, "MAX_HOPS is not among the three"
    assert told["seconds"] < told["objective"] == 300 and told["within_objective"] is True
    [recovered] = practice.events("recovered")
    assert "error_rate" in recovered["payload"]["condition"]
    incident = practice.json("incident", "show")["incidents"][0]
    assert incident["severity"] == "P0" and incident["checklist"][0]["text"] == "Investigate the root cause"
    assert practice.at() == "disabled@0"
    told = practice.json("ramp", "10", "--dry-run", code=None)
    assert told["verdict"] != "go", "enabling it again needs what the first time needed"


def test_e9_partial_rollback(practice: Practice) -> None:
    stand_at(practice, "full@100")
    found = []
    for _ in range(4):
        practice.run("rollback", "--partial", "--yes")
        found.append(ours(practice)["ENRICHMENT_ROLLOUT_PERCENTAGE"])
    assert found == ["50", "25", "10", "0"]
    assert practice.at() == "disabled@0"


LIMITS = [
    ("error_rate", "3%", "6%"), ("p95_latency", "3200ms", "4100ms"), ("p99_latency", "5100ms", "7100ms"),
    ("enrichment_score", "0.4", "0.2"),
]  # fmt: skip


def test_e10_two_levels_and_the_machine(practice: Practice) -> None:
    for name, warning, critical in LIMITS:
        practice.fault("none")
        practice.fault(f"{name}={warning}")
        metrics = {row["name"]: row for row in practice.json("health-check")["metrics"]}
        assert metrics[name]["level"] == "warning", shown(metrics[name])
        practice.fault(f"{name}={critical}")
        metrics = {row["name"]: row for row in practice.json("health-check", code=1)["metrics"]}
        assert metrics[name]["level"] == "critical", shown(metrics[name])
    assert {"memory_used", "cpu_busy", "disk_free"} <= metrics.keys()
    assert 0 < metrics["memory_used"]["value"] < 1 and metrics["disk_free"]["value"] > 1 << 20


def test_e11_load_test(practice: Practice) -> None:
    def load(code: int) -> dict[str, object]:
        checks = rows(practice.json("preflight", "--only", "load_test", code=code), "checks")
        return checks["Load test with 100 requests at a time"]

    before = asked(practice)
    row = load(0)
    assert row["status"] == "pass" and "p95" in str(row["observed"]), row
    assert asked(practice) - before == 1000
    practice.fault("error_rate=20%")
    row = load(1)
    assert row["status"] == "fail" and "errors" in str(row["observed"]), row


def asked(practice: Practice) -> int:
    """How many of these requests the service counted, by its own word."""
    url = practice.json("sandbox", "status")["details"]["url"]
    with urllib.request.urlopen(f"{url}/_sandbox/state", timeout=5) as answer:
        counts: dict[str, int] = json.load(answer)["requests"]
    return counts.get("POST /api/query/enhanced", 0)


def test_e12_severities(practice: Practice) -> None:
    practice.run("ramp", "0", "--yes")
    for fault, severity in (
        ("error_rate=6%", "P0"), ("error_rate=3%", "P1"), ("p99_latency=7500ms", "P1"), ("p95_latency=3600ms", "P2"),
    ):  # fmt: skip
        practice.fault("none")
        practice.fault(fault)
        practice.run("incident", "open", fault)
        [incident] = [one for one in practice.json("incident", "list")["incidents"] if one["resolved_at"] is None]
        assert incident["severity"] == severity, shown(incident)
        if severity != "P0":
            assert "answer" in practice.run("incident", "show").out
        practice.run("incident", "resolve", "seen")


def test_e13_sign_offs(practice: Practice) -> None:
    practice.enter_canary()
    practice.baked()
    refused = practice.run("sign", "metrics_reviewed_by", code=1)
    assert "somebody else" in refused.said and "ana deployed" in refused.said
    practice.run("sign", "metrics_reviewed_by", "--evidence", "dashboard of Friday", by="ben")
    practice.run("sign", "approved_by", by="cleo")
    practice.run("sign", "no_critical_bug_reported")
    practice.run("sign", "better_answers")
    told = practice.json("gate", code=0)
    signed = {row["id"]: row for row in told["gates"] if row["kind"] == "sign"}
    assert {row["status"] for row in signed.values()} == {"pass"}, shown(signed)
    assert "ben" in practice.run("status").out
    assert {event["payload"]["role"] for event in practice.events("role.signed")} == {
        "verified_by", "metrics_reviewed_by", "approved_by",
    }  # fmt: skip
