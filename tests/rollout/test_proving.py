"""Proving: good checks are made to fail, worthless ones are found, and nobody is accused falsely."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from runbook.checks.registry import BUILT_IN, KINDS
from runbook.playbook.model import Playbook
from runbook.rollout.proving import BY_KIND, PROVED, SUSPECT, Proof, prove
from tests.places import PROJECT
from tests.playbook.reads import SMALL, read_well

GOOD = [
    "http: /health",
    "http: /health, status: 200",
    "http: /health, status: [200, 204]",
    "http: /private, status: 401",
    "http: /gone, status: [404, 410]",
    "http: /health, matches: ok",
    'http: /health, jq: .ready, expect: "== true"',
    'http: /health, jq: .status, expect: "== up"',
    'http: /m, jq: .errors, expect: "< 2%"',
    'http: /m, jq: .count, expect: "> 0"',
    "http: /m, jq: '[.items[]] | length', expect: \"< 5\"",
    'http: /m, jq: \'[.items[] | select(.state == "bad")] | length\', expect: "== 0"',
    "http: /m, list: '.unmet[]'",
    'http: /m, jq: .version, expect: ">= 13.0"',
    "http: /m, jq: '.a + .b', expect: \"< 100\"",
    'http: /m, jq: \'.services.database == "up"\', expect: "== true"',
    'http: /m, jq: \'.services | all(. == "up")\', expect: "== true"',
    'http: /health, expect: "time < 2s"',
    'http: /m, header: x-build, expect: "== green"',
    'ollama: "http://localhost:11434", models: [llama3]',
    'sql: "${DB}", query: select count(*) from t, expect: "== 2"',
    'sql: "${DB}", query: select count(*) from t, expect: "> 0"',
    'sql: "${DB}", query: "select name, n from t", worst: max, expect: "< 5"',
    "command: [npm, test], reads: true",
    'run: "test -e app.lock", reads: true',
    'run: "systemctl is-active app | grep -qx active", reads: true',
    'run: "journalctl -u app | grep -c ERROR", reads: true, expect: "< 10"',
    'run: "cat list.txt", list: true, reads: true',
    'run: "wc -l < app.log", reads: true, expect: "< 1000"',
    'file: "backups/*.tar", newer_than: 24h',
    'disk: ., expect: "free > 20GiB"',
    'log: app.log, count: ERROR, expect: "< 10"',
    'load: /q, requests: 10, expect: "p95 < 3s and errors < 1%"',
    "flags: live, from: /config, map: {SOUP_PERCENT: .percent}",
    "flags: safe",
    'run: "make x # || true", reads: true',
    'run: "set -e; make x; echo done", reads: true',
    'run: "set -euo pipefail; make x | tee log", reads: true',
    'run: "if make x; then echo yes; else exit 1; fi", reads: true',
    'run: "if make x; then echo yes; else echo no; false; fi", reads: true',
    'run: "(cd x && make check)", reads: true',
    'run: "X=$(make x)", reads: true',
    'run: "echo $(date) | grep -q 2026", reads: true',
    'run: "curl -fsS http://x/health", reads: true',
    'run: "curl -s --fail http://x/health", reads: true',
    'run: "curl -s http://x/health | grep -q ok", reads: true',
    'run: "timeout 5 make check", reads: true',
    "command: [env, A=1, make, check], reads: true",
    'command: [bash, -ec, "make x; echo done"], reads: true',
    "http: /m, list: '.[] | select(.bad)'",
    'command: [cat, a.json], reads: true, jq: .a, expect: "< 5"',
    'run: "cat x | wc -l", reads: true, expect: "> 0"',
    'redis: "redis://localhost", command: [LLEN, jobs], expect: "< 1000"',
    "sign: true",
    "all: [{check: A, http: /a}, {check: B, sign: true}]",
]
WORTHLESS = {
    "http: /m, status: [200, 404, 500]": "status 500 and status 404",
    "http: /m, status: [2xx, 5xx]": "status 500",
    "http: /m, status: [200, 404]": "status 404",
    'http: /m, matches: ".*"': "every text",
    'http: /m, matches: "^"': "every text",
    "http: /m, matches: 'x*'": "every text",
    "http: /m, jq: '.errors // 0', expect: \"< 5\"": "{}",
    "http: /m, jq: '.errors | length', expect: \"== 0\"": "{}",
    "http: /m, jq: '.items | length', expect: \"< 5\"": "null and {}",
    "http: /m, jq: '.down // false | not', expect: \"== true\"": "{}",
    "http: /m, list: '.unmet[]?'": "{}",
    "flags: live, from: /config, map: {SOUP_PERCENT: '.percent // 0'}": "null and {}",
    "http: /m, jq: '.ok? // true', expect: \"== true\"": "{}",
    'http: /m, jq: .count, expect: "value >= 0 or value < 0"': "for every value",
    "http: /m, jq: '.items | length >= 0', expect: \"== true\"": "null and {}",
    "http: /m, jq: '[.items[]] | length >= 0', expect: \"== true\"": "no value",
    "http: /m, list: '.unmet | length | select(. < 0)'": "passes on",
    'sql: "${DB}", query: select count(*) from t, expect: ">= 0"': "for every count",
    'sql: "${DB}", query: "SELECT COUNT(id) FROM t", expect: "> -1"': "for every count",
    'log: app.log, count: ERROR, expect: ">= 0"': "for every count",
    'log: app.log, share: HIT, of: "HIT|MISS", expect: "<= 100%"': "for every share",
    'disk: ., expect: "free >= 0B"': "for every value",
    'machine: memory, expect: "<= 100%"': "for every share",
    'load: /q, requests: 10, expect: "errors <= 100%"': "holds",
    'load: /q, requests: 10, expect: "p95 < 3s or p95 >= 3s"': "holds",
    'run: "cat x", lines: true, reads: true, expect: ">= 0"': "for every count",
    'run: "pg_isready || true", reads: true': "|| true",
    'run: "pg_isready || :", reads: true': "|| :",
    'run: "pg_isready; true", reads: true': "true, which never fails",
    'run: "pg_isready; exit 0", reads: true': "exit 0",
    'run: "pg_isready | tee ready.log", reads: true': "tee",
    'run: "curl -fsS http://x/health | cat", reads: true': "cat",
    'run: "make check; echo done", reads: true': "echo",
    'run: "make check &", reads: true': "nobody waits",
    "command: [echo, ready], reads: true": "echo never fails",
    'command: [sh, -c, "pg_isready || true"], reads: true': "|| true",
    'run: "curl -s http://x/health", reads: true': "curl without -f",
    "command: [curl, -sS, http://x/health], reads: true": "curl without -f",
    'run: "(make x || true)", reads: true': "|| true",
    'run: "{ make x || true; }", reads: true': "|| true",
    'run: "set -e; (make x || true)", reads: true': "|| true",
    'run: "if make x; then echo yes; else echo no; fi", reads: true': "every branch",
    'run: "export X=$(make x)", reads: true': "that of export",
    'command: [bash, -lc, "make x || true"], reads: true': "|| true",
    'command: [env, A=1, "true"], reads: true': "true never fails",
    "command: [timeout, '5', 'true'], reads: true": "true never fails",
    'run: "timeout -k 2 5 true", reads: true': "true, which never fails",
    "command: [cat, a.json], reads: true, jq: '.a // 0', expect: \"< 5\"": "passes on",
    'run: "cat x | wc -l", reads: true, expect: ">= 0"': "for every count",
    'run: "grep -c ERROR x", reads: true, expect: ">= 0"': "for every count",
    'redis: "redis://localhost", command: [LLEN, jobs], expect: ">= 0"': "for every count",
    'alertmanager: "http://a:9093", expect: ">= 0"': "for every count",
    'command: [date], matches: ".*", reads: true': "whatever is printed",
    "all: [{check: A, http: /a, level: warn}, {check: B, http: /b, level: warn}]": "never counts",
    "http: /m, only: [local], unless: [local]": "no environment",
}


def playbook_of(folder: Path, *checks: str) -> Playbook:
    lines = [f"    - {{check: Number {number}, {check}}}" for number, check in enumerate(checks)]
    return read_well(folder, SMALL + "checklists:\n  tried:\n" + "\n".join(lines) + "\n")


def proof_of(playbook: Playbook) -> Proof:
    [proof] = [one for one in prove(playbook) if one.check.id == "number_0"]
    return proof


@pytest.mark.parametrize("check", GOOD)
def test_a_good_check_is_not_accused(tmp_path: Path, check: str) -> None:
    proof = proof_of(playbook_of(tmp_path, check))
    assert proof.how in (PROVED, BY_KIND), proof.why


@pytest.mark.parametrize("kind", sorted(BUILT_IN))
def test_the_example_of_a_kind_is_not_accused(tmp_path: Path, kind: str) -> None:
    example = KINDS[kind].EXAMPLE
    text = SMALL + f"checklists:\n  tried:\n    - {example}\n"
    proofs = [one for one in prove(read_well(tmp_path, text)) if one.check.checklist == "tried"]
    assert proofs
    assert [one.why for one in proofs if one.how == SUSPECT] == []


@pytest.mark.parametrize("check", WORTHLESS)
def test_a_worthless_check_is_found(tmp_path: Path, check: str) -> None:
    proof = proof_of(playbook_of(tmp_path, check))
    assert proof.how == SUSPECT
    assert WORTHLESS[check] in proof.why
    assert proof.hint


def test_a_metric_that_fills_in_a_missing_value_is_found(tmp_path: Path) -> None:
    metrics = "metrics:\n  a: {http: /m, jq: '.a // 0', unit: ratio}\n  b: {http: /m, jq: .b, unit: ratio}\n"
    found = {one.check.id: one for one in prove(read_well(tmp_path, SMALL + metrics))}
    assert found["a"].how == SUSPECT
    assert "{}" in found["a"].why
    assert found["b"].how == PROVED


DAY = """jq: '(.day | strptime("%Y-%m-%d") | mktime) >= -1e15', expect: "== true\""""
DAYS = f"""checklists:
  tried:
    - {{check: Queue, http: /queue, {DAY}}}
    - {{check: Other, http: /a/queue, {DAY}}}
"""


def how(folder: Path, answers: str, files: Path | None = None) -> tuple[str, str]:
    tests = f"tests:\n  - {{test: a, answers: {answers}, expect: {{checks: {{queue: pass}}}}}}\n"
    known = {one.check.id: one.how for one in prove(read_well(folder, SMALL + DAYS + tests), files)}
    return known["queue"], known["other"]


def test_what_the_tests_recorded_is_evidence_of_the_same_path_alone(tmp_path: Path) -> None:
    """No made answer is a day, so that only a recorded one tells that the check takes any."""
    assert how(tmp_path, "{GET /else: {json: {day: '2026-01-06'}}}") == (PROVED, PROVED)
    assert how(tmp_path, "{GET /queue: {json: {day: '2026-01-06'}}}") == (SUSPECT, PROVED)
    assert how(tmp_path, "{/a/queue: {json: {day: '2026-01-06'}}}") == (PROVED, SUSPECT)


def test_the_answers_of_a_file_are_evidence_too(tmp_path: Path) -> None:
    (tmp_path / "queue.json").write_text('{"answers": {"GET /queue": {"json": {"day": "2026-01-06"}}}}')
    assert how(tmp_path, "queue.json", tmp_path) == (SUSPECT, PROVED)
    assert how(tmp_path, "queue.json") == (PROVED, PROVED)


def test_the_shipped_playbooks_are_free_of_suspicion() -> None:
    from runbook.playbook.find import shipped_playbooks
    from runbook.playbook.load import load_playbook

    paths = list(shipped_playbooks())
    assert paths
    for path in paths:
        playbook = load_playbook(path, PROJECT).playbook
        assert playbook is not None
        assert [one.check.full_id for one in prove(playbook) if one.how == SUSPECT] == []


def test_three_hundred_checks_take_seconds(tmp_path: Path) -> None:
    kinds = [check for check in GOOD if "all:" not in check]
    playbook = playbook_of(tmp_path, *(kinds[number % len(kinds)] for number in range(300)))
    began = time.process_time()
    proofs = prove(playbook)
    assert time.process_time() - began < 5
    assert len(proofs) == 301
    assert not [one for one in proofs if one.how == SUSPECT]
