"""A playbook's own tests: the verdicts come from the rules that judge the service, and a test can fail."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from runbook.playbook.load import load_playbook
from runbook.rollout.trial_outcomes import Outcome, outcome_of
from runbook.rollout.trials import play
from tests.places import PROJECT
from tests.playbook.reads import read_well

PLAYBOOK = """\
runbook: 1
service: soup
flags: {percent: SOUP_PERCENT, safe: {SOUP_PERCENT: 0, SOUP_HOT: false}}
environments:
  production:
    url: "https://soup.example.com"
    flags_in: {env: soup.env}
    redeploy: {command: [touch, touched]}
    version: {http: /version, jq: .version}
    protected: true
calendar:
  timezone: Europe/Berlin
  ramp: "Mon-Thu 09:00-16:00"
  freeze: [{from: 2025-12-20, to: 2026-01-03, why: rest}]
verify:
  - {check: Up, http: /health}
  - {check: Live, flags: live, from: /config, map: {SOUP_HOT: .hot, SOUP_PERCENT: .percent}}
metrics:
  errors: {http: /m, jq: .errors, unit: ratio, n: requests, target: "< 1%", warning: "> 2%", critical: "> 5%"}
  p95: {http: /m, jq: .p95, unit: ms, critical: "> 4s"}
  share: {http: /m, jq: .share, unit: ratio, n: requests}
  requests: {http: /m, jq: .requests, unit: count, is: counter}
  busy: {machine: cpu, unit: ratio}
  complaints: {counter: complaint}
checklists:
  ready:
    - {check: Tables exist, sql: "${DB}", query: select 1, expect: "== 2"}
    - {check: Unit tests, command: [touch, touched], reads: true}
    - {check: Team agrees, sign: true}
stages:
  - {stage: "off", percent: 0, bake: 1h, gates: ["errors < 1%"], baseline: capture}
  - stage: canary
    percent: 10
    set: {SOUP_HOT: true}
    requires: [ready]
    bake: 24h
    gates: ["errors < 2%", "p95 increase < 30%", "treated(errors) < 5%", "share matches percent", "complaints < 3"]
    triggers:
      - {when: "errors > 5% for 5m", then: rollback}
      - {when: "p95 > 3s in 3 of 5", then: fallback}
    fallback: 5
    sign: [verified_by, {approved_by: not deployed_by}]
  - {stage: full, percent: 100, bake: {for: 7d, sampled: 90%}, gates: ["errors < errors@canary * 2"]}
matrix: [{when: "errors > 9%", severity: P1, then: halve, within: 1h}]
severities: {P0: {when: "errors > 5%"}, P2: {when: "p95 > 3s"}}
rollback: {set: safe}
tests:
"""
WELL = """\
  - test: well
    at: canary@10
    baseline: {errors: 0.4%, p95: 900ms}
    answers:
      GET /health: 200
      GET /config: {json: {hot: true, percent: 10}}
      GET /m: {json: {errors: 0.004, p95: 950, share: 0.1, requests: 50000}}
    signed: [verified_by, approved_by]
    expect: {gate: go, fires: [], checks: {up: pass, live: pass}, metrics: {errors: ok, p95: ok}}
"""


def outcomes_of(folder: Path, *tests: str) -> list[Outcome]:
    """The outcomes of these tests beside the one that is well, in their order."""
    text = PLAYBOOK + WELL + "".join(f"  - {{test: t{number}, {one}}}\n" for number, one in enumerate(tests))
    playbook = read_well(folder, text)
    return [outcome_of(playbook, play(playbook, one, folder)) for one in playbook.tests[1 if tests else 0 :]]


def troubles(outcome: Outcome) -> str:
    return "\n".join(outcome.troubles)


HOLD = [
    'answers: {errors: 8%}, expect: {gate: no-go, fires: [rollback], severity: P0, gates: {"errors < 2%": fail}}',
    "answers: {errors: 8%}, for: 4m, expect: {fires: [], severity: P0, gate: no-go}",
    'answers: {errors: 8%}, before: {errors: 0.1%}, for: 5m, expect: {fires: ["errors > 5% for 5m"], gate: no-go}',
    'answers: {errors: 10%}, for: 1m, expect: {fires: ["errors > 9%", halve]}',
    'answers: {p95: 3500ms}, expect: {fires: ["p95 > 3s in 3 of 5"], severity: P2, gate: no-go}',
    'answers: {errors: 1%}, expect: {gate: no-go, gates: {"errors < 2%": pass, "treated(errors) < 5%": fail}}',
    "answers: {share: 3%}, expect: {gate: no-go, gates: {share matches percent: fail}}",
    "answers: {complaints: 3}, expect: {gate: no-go, gates: {complaints < 3: fail}}",
    "answers: {complaints: 2}, expect: {gate: go}",
    "before: {errors: 3%}, expect: {gate: no-go, gates: {errors < 2%: fail}, metrics: {errors: ok}}",
    "answers: {GET /m: {status: 503}}, expect: {gate: unknown, fires: [], metrics: {errors: unknown}}",
    "answers: {GET /m: {json: {errors: null}}}, expect: {gate: unknown, gates: {errors < 2%: unknown}}",
    "answers: {GET /m: {json: {errors: 15}}}, expect: {gate: unknown, gates: {errors < 2%: unknown}}",
    "answers: {GET /health: {down: true}}, expect: {gate: no-go, fires: [service fails for 1m], checks: {up: fail}}",
    "answers: {GET /config: {json: {percent: 5}}}, expect: {checks: {live: fail, up: pass}}",
    "bake: 3h, expect: {gate: no-go, gates: {bake: fail}}",
    "incidents: [P2], expect: {gate: no-go}",
    "signed: {approved_by: no}, expect: {gate: no-go, gates: {approved_by: fail, verified_by: pass}}",
    "time: 2025-12-24 10:00, expect: {gate: no-go, gates: {calendar: fail}}",
    "time: 2026-01-05 08:59, expect: {gate: no-go, gates: {calendar: fail}}",
    "time: 2026-01-05 09:00, expect: {gate: go, gates: {calendar: pass}}",
    "at: canary@5, answers: {GET /config: {json: {percent: 5}}, share: 5%}, expect: {checks: {live: pass}}",
    "at: full@100, left: {canary: {errors: 1%}}, answers: {errors: 1.5%}, "
    "expect: {gates: {errors < errors@canary * 2: pass}}",
    "at: full@100, left: {canary: {errors: 1%}}, answers: {errors: 2.5%}, "
    "expect: {gates: {errors < errors@canary * 2: fail}}",
    'at: "off@0", signed: {}, answers: {GET /config: {json: {hot: false, percent: 0}}}, expect: {gate: go}',
    'at: "off@0", answers: {tables_exist: 2, unit_tests: {exit: 0}}, signed: [team_agrees], expect: {preflight: go}',
    'at: "off@0", answers: {tables_exist: 1, unit_tests: {exit: 0}}, signed: [team_agrees], expect: {preflight: no-go}',
    'at: "off@0", answers: {tables_exist: 2, unit_tests: {exit: 0}}, expect: {preflight: unknown}',
    "enters: canary, answers: {tables_exist: 2, unit_tests: {exit: 2}}, expect: {preflight: no-go}",
]


@pytest.mark.parametrize("written", HOLD)
def test_the_rules_of_the_service_judge_what_is_recorded(tmp_path: Path, written: str) -> None:
    [outcome] = outcomes_of(tmp_path, f"like: well, {written}")
    assert outcome.holds, troubles(outcome)


def test_the_one_that_is_well_is_a_go(tmp_path: Path) -> None:
    [outcome] = outcomes_of(tmp_path)
    assert outcome.holds, troubles(outcome)
    assert len(outcome.compared) == 6


FAIL = [
    ("answers: {errors: 8%}, expect: {gate: go}", "gate: go expected, no-go came (errors > 5% for 5m -> rollback"),
    ("expect: {gate: no-go}", "gate: no-go expected, go came (every row holds)"),
    ("answers: {errors: 8%}, expect: {fires: []}", "fires: nothing expected, rollback came"),
    ("answers: {errors: 8%}, expect: {fires: [rollback, hold]}", "hold, rollback expected, rollback came"),
    ("answers: {errors: 3%}, expect: {fires: [rollback]}", "fires: rollback expected, nothing came (nothing fires)"),
    ('expect: {fires: ["errors > 9%"]}', "fires: [errors > 9%] expected, nothing came"),
    ('expect: {gates: {"errors < 2%": fail}}', "gate errors < 2%: fail expected, pass came"),
    ("expect: {checks: {up: fail}}", "check up: fail expected, pass came"),
    ("expect: {metrics: {errors: critical}}", "metric errors: critical expected, ok came (0.4 %)"),
    ("expect: {severity: P0}", "severity: P0 expected, P1 came"),
    ("answers: {tables_exist: 2, unit_tests: {exit: 0}}, enters: canary, expect: {preflight: go}", "Team agrees"),
]


@pytest.mark.parametrize(("written", "said"), FAIL)
def test_a_test_that_does_not_hold_says_what_came(tmp_path: Path, written: str, said: str) -> None:
    [outcome] = outcomes_of(tmp_path, f"like: well, {written}")
    assert not outcome.holds
    assert said in troubles(outcome)


MISSING = [
    ("at: canary@10, expect: {gate: go}", "nothing recorded for GET /m; the check 'errors' asks it"),
    (
        "at: canary@10, answers: {GET /m: 500, up: pass}, expect: {gate: unknown}",
        "GET /config; the check 'Live' asks it",
    ),
    ("like: well, enters: canary, expect: {preflight: unknown}", "nothing recorded for the check 'Tables exist'"),
    ("like: well, answers: {tables_exist: 2}, enters: canary, expect: {preflight: unknown}", "the check 'Unit tests'"),
]


@pytest.mark.parametrize(("written", "said"), MISSING)
def test_what_was_not_recorded_fails_the_test(tmp_path: Path, written: str, said: str) -> None:
    [outcome] = outcomes_of(tmp_path, written)
    assert not outcome.holds
    assert said in troubles(outcome)
    assert not (tmp_path / "touched").exists()


def test_metrics_that_nobody_waits_for_need_no_answer(tmp_path: Path) -> None:
    """`busy` is of this machine, and no rule here names it: it was not recorded, and nobody asks the machine."""
    [outcome] = outcomes_of(tmp_path, "like: well, expect: {metrics: {busy: ok}}")
    assert "nothing recorded for the check 'busy'" in troubles(outcome)
    assert outcomes_of(tmp_path)[0].holds


def test_answers_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "answers.json").write_text(json.dumps({"answers": {"GET /health": 200, "live": "pass"}}))
    [outcome] = outcomes_of(tmp_path, "answers: answers.json, expect: {checks: {up: pass, live: pass}}")
    assert outcome.holds, troubles(outcome)
    for content, said in (("{", "is no JSON"), ("[1]", "holds no answers"), ('{"GET /x": "y"}', "GET /x: the answer")):
        (tmp_path / "answers.json").write_text(content)
        [outcome] = outcomes_of(tmp_path, "answers: answers.json, expect: {checks: {up: pass}}")
        assert said in troubles(outcome)
    (tmp_path / "answers.json").unlink()
    assert "cannot be read" in troubles(outcomes_of(tmp_path, "answers: answers.json, expect: {checks: {up: pass}}")[0])


# Whatever reaches for the world inside the tool is an audit event of Python's; this makes every one of them fatal.
FENCED = """
import os, sys, tempfile
inside = (tempfile.gettempdir(), "/dev/null", "/dev/shm/runbook-test-")
def fence(event, details):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto", "subprocess.Popen", "os.exec", "os.system",
                 "os.posix_spawn", "os.fork"):
        os.write(2, f"reached for the world: {event} {details}".encode()); os._exit(99)
    if event == "open" and isinstance(details[1], str) and set(details[1]) & set("wax+") \\
            and not str(details[0]).startswith(inside):
        os.write(2, f"wrote: {details}".encode()); os._exit(98)
sys.dont_write_bytecode = True
sys.addaudithook(fence)
sys.argv = ["runbook", "test", "the canary", "nobody"]
from runbook.cli.boundary import run
run()
"""


def test_nothing_of_the_world_is_touched(tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / "playbooks").mkdir(parents=True)
    for name in ("enrichment", "base"):
        (project / f"playbooks/{name}.yaml").write_text((PROJECT / f"playbooks/{name}.yaml").read_text())
    before = sorted(path.relative_to(project) for path in project.rglob("*"))
    done = subprocess.run(
        [sys.executable, "-c", FENCED], cwd=project, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr + done.stdout[-1000:]
    assert sorted(path.relative_to(project) for path in project.rglob("*")) == before


# A playbook whose limits are off must not pass its own tests: each of these changes one of them.
SLIPS = [
    ("the canary goes back", '"error_rate > 5% for 5m", then: rollback', '"error_rate > 50% for 5m", then: rollback'),
    ("the canary goes back", 'P0: {when: "error_rate > 5%"}', 'P0: {when: "error_rate > 15%"}'),
    ("the canary goes back", 'critical: "> 5%"', 'critical: "> 25%"'),
    ("seven seconds", '"p99_latency > 7000ms for 10m", then: hold', '"p99_latency > 7000ms for 10m", then: notify'),
    ("a slow canary", "severity: P2, then: halve", "severity: P2, then: hold"),
    ("without the models", "models: [nomic-embed-text, llama3]", "models: [llama3]"),
    ("slow load test", 'expect: "p95 < 3s and errors < 2%"', 'expect: "p95 < 30s and errors < 2%"'),
]


@pytest.mark.parametrize(("title", "right", "wrong"), SLIPS)
def test_the_shipped_tests_see_a_slip(tmp_path: Path, title: str, right: str, wrong: str) -> None:
    """One that makes a test name what is no more is told by its place already."""
    text = (PROJECT / "playbooks/enrichment.yaml").read_text()
    assert text.count(right) == 1, right
    path = tmp_path / "playbooks/enrichment.yaml"
    path.parent.mkdir()
    (path.parent / "base.yaml").write_text((PROJECT / "playbooks/base.yaml").read_text())
    path.write_text(text.replace(right, wrong))
    loaded = load_playbook(path, tmp_path)
    playbook = loaded.playbook
    if playbook is None:
        assert any("there is no rule here" in problem.message for problem in loaded.errors)
        return
    meant = [one for one in playbook.tests if title in one.name]
    assert meant
    assert not all(outcome_of(playbook, play(playbook, one, tmp_path)).holds for one in meant)
