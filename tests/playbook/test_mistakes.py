"""Every mistake is told, with its place and what was meant, and none hides another."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.playbook.reads import SMALL, load_text, told

TWENTY_AND_MORE = """\
runbook: 1
service: men u
titel: x
flags: {percent: PCT, safe: {A: false, B: 0777}}
environments:
  prod: {url: ftp://x, redeploy: {compose: x}, bake_scale: 0.1}
  stag: {url: "http://x", redeploy: {command: [a], run: b}}
verify:
  - {check: Up, htpp: /}
  - {check: Up2}
  - {check: Up3, http: /, sql: x}
  - {check: Db, sql: "sqlite:///x", query: y}
  - {check: Db, http: /x, status: abc, only: prd}
metrics:
  error_rate: {http: /n, jq: .e, unit: rato, target: 2%}
  p95: {sign: true}
checklists:
  a: [{check: "X", http: /, timeout: 5}]
stages:
  - {stage: a, percent: 0, requires: [b], gates: ["error_rate < < 2%", {sgn: x}], bake: 5}
  - {stage: a, percent: [10, 5], set: {C: 1}, sign: [X], triggers: [{when: "p95 > 1s", then: fallbak}, {then: hold}]}
alerts: []
rollback: {set: {Q: 1}, incident: P7, steps: [{do: x, check: y}, {do: x, wiat: 5s}]}
"""
PLACES = [
    "2:10", "3:1", "4:29", "6:3", "6:15", "6:35", "6:48", "7:3", "7:52", "9:17", "10:6", "11:27", "12:44", "13:35",
    "13:46", "15:40", "15:54", "16:9", "18:38", "20:39", "20:65", "20:72", "20:73", "20:89", "21:13", "21:30", "21:40",
    "21:54", "21:94", "21:104", "22:1", "23:18", "23:35", "23:55", "23:74",
]  # fmt: skip


def test_more_than_twenty_mistakes_are_told_at_once_where_they_stand(tmp_path: Path) -> None:
    loaded = load_text(tmp_path, TWENTY_AND_MORE)
    assert loaded.playbook is None
    assert [line.split()[0] for line in told(loaded)] == PLACES
    assert {problem.place.file for problem in loaded.errors if problem.place} == {"playbooks/soup.yaml"}


WITH = {
    "stages:": (SMALL, "stages:\n  - "),
    "metrics:": (SMALL, "metrics:\n  "),
    "verify": (SMALL.replace("verify: [{check: Up, http: /health}]\n", ""), "verify:\n  - "),
    "top": (SMALL, ""),
    "steps": (SMALL, "rollback: {steps: [\n  "),
}
MISTAKES = [
    ("verify", "{check: A, http: /, tcp: x}", "two kinds", ""),
    ("verify", "{check: A, tcp: a}", "tcp: a is no host and port", ""),
    ("verify", "{http: /}", "a check without a title", "begin with 'check: TITLE'"),
    ("verify", "{check: '', http: /}", "a title is empty", ""),
    ("verify", "{check: '!?', http: /}", "no id can be made of the title", "give one"),
    ("verify", "{check: A, http: }", "'http' is empty", ""),
    ("verify", "{check: A, http: [a]}", "'http' takes text, not a list", ""),
    ("verify", "{check: A, http: /, headers: {a: [b]}}", "'headers' takes text, not a list", ""),
    ("verify", "{check: A, disk: ., take: fre, expect: '> 1'}", "'take' cannot be 'fre'", "did you mean free?"),
    ("metrics:", "a: {load: 'http://x/'}", "a load is no metric", "checklist"),
    ("verify", "{check: A, http: /, each: [a]}", "'each' is not supported yet", "leave it out"),
    ("verify", "{check: A, http: /, hedaers: {}}", "unknown key 'hedaers'", "did you mean headers?"),
    ("verify", "{check: A, sign: true, expect: '== 2'}", "takes nothing out that 'expect' could judge", ""),
    ("verify", "{check: A, http: /, jq: .a, expect: 2}", "2 is no condition", 'write "== 2"'),
    ("verify", "{check: A, http: /, jq: .a, expect: '== == 2'}", "", ""),
    ("verify", "{check: A, http: /, level: fatal}", "'fatal' is unknown here", "one of error, warn"),
    ("verify", "{check: A, http: /, attempts: 0}", "0 is out of bounds", "at least 1"),
    ("verify", "{check: A, http: /, attempts: 1.5}", "the number 1.5 stands where a whole number belongs", ""),
    ("verify", "{check: A, http: /, reads: yes}", "the text 'yes' stands where true or false belongs", "true or false"),
    ("verify", "{check: A, http: /, timeout: 0s}", "0s is no time to wait", ""),
    ("verify", "{check: A, http: '/${percnt}'}", "there is no ${percnt}", "did you mean percent?"),
    ("verify", "{check: A, http: '/${NAME'}", "this ${ is never closed", ""),
    ("verify", "{check: A, file: x, unless: [locl]}", "there is no environment 'locl'", "did you mean local?"),
    (
        "verify",
        "{check: A, flags: SOUP_MODELL, expect: '== none'}",
        "SOUP_MODELL is not declared",
        "did you mean SOUP_MODEL?",
    ),
    ("verify", "{check: A, all: []}", "the list is empty", ""),
    ("verify", "{check: A, all: [{check: B, sql: 'sqlite:///x', query: select 1}]}", "the check asserts nothing", ""),
    ("verify", "{check: A, all: [{check: A, http: /}]}", "the id 'a' stands twice in 'verify'", ""),
    ("verify", "{do: A, run: x}", "an action stands where only checks may stand", ""),
    ("verify", "Up", "the text 'Up' stands where a check belongs", ""),
    ("verify", "{check: A, command: [sh, '${API_KEY}'], reads: true}", "the secret API_KEY stands among", ""),
    ("metrics:", "a: {counter: b, value: 1}", "here are two of these", ""),
    ("metrics:", "a: {http: /n, jq: .a, value: 1}", "here are two of these", ""),
    ("metrics:", "a: {sign: true}", "the metric a yields no number", ""),
    ("metrics:", "a: 5", "the number 5 stands where a metric belongs", ""),
    ("metrics:", "a-b: {value: 1}", "'a-b' is not the name of a metric", ""),
    ("metrics:", "a: {http: /, jq: .a, unit: ms, target: '< 5%'}", "cannot compare", ""),
    ("metrics:", "a: {http: /, jq: .a, deadline: 5m}", "'deadline' is not supported yet", ""),
    ("metrics:", "a: {http: /, jq: .a, interval: 5}", "5 has no unit", ""),
    ("metrics:", "a: {http: /, jq: .a, covers: some}", "'some' is unknown here", "one of all, treated"),
    ("stages:", "{stage: 50, percent: 50}", "'50' is not the name of a stage", "not only digits"),
    ("stages:", "{stage: a@b}", "'a@b' is not the name of a stage", ""),
    ("stages:", "{percent: 5}", "a stage without 'stage'", ""),
    ("stages:", "{stage: a, percent: 101}", "101 is out of bounds", "at most 100"),
    ("stages:", "{stage: a, percent: -1}", "-1 is out of bounds", "at least 0"),
    ("stages:", "{stage: a, percent: 5%}", "the text '5%' stands where a number belongs", ""),
    ("stages:", "{stage: a, percent: []}", "the list is empty", ""),
    ("stages:", "{stage: a, percent: [5, 5]}", "5 follows 5: the percentages of a stage rise", ""),
    ("stages:", "{stage: a, bake: 48h..24h}", "ends before it begins", ""),
    ("stages:", "{stage: a, bake: {for: 7d, sampled: 0.9}}", "'0.9' is no share", "90%"),
    ("stages:", "{stage: a, gates: ['x < 1']}", "x", ""),
    ("stages:", "{stage: a, gates: 'percent < 1'}", "stands where a list belongs", ""),
    ("stages:", "{stage: a, gates: [{check: A, http: /}]}", "a check of the kind 'http' is no gate", "checklist"),
    ("stages:", "{stage: a, gates: [{sign: }]}", "nothing stands where a title belongs", ""),
    ("stages:", "{stage: a, set: {SOUP_PERCENT: 5}}", "SOUP_PERCENT is the percentage", "percent:"),
    ("stages:", "{stage: a, set: {SOUP_MODEL: }}", "there is no value", 'write ""'),
    ("stages:", "{stage: a, set: {SOUP_MODEL: [a]}}", "a list stands where a value belongs", ""),
    ("stages:", "{stage: a, triggers: [{when: percent > 1, then: halv}]}", "'halv' is unknown here", "halve"),
    ("stages:", "{stage: a, triggers: [{when: nothing fails for 1m, then: hold}]}", "nothing", ""),
    ("stages:", "{stage: a, cadence: [{every: 4h}, {for: 4h, every: 1h}]}", "only the last pace", ""),
    ("stages:", "{stage: a, cadence: [{for: 4h}]}", "a cadence without 'every'", "how often"),
    ("stages:", "{stage: a, baseline: keep}", "'keep' is unknown here", "one of capture"),
    ("stages:", "{stage: a, percent: 10, fallback: 10}", "the fallback of a is 10, and it goes up to 10 only", "down"),
    ("stages:", "{stage: a, percent: 10, fallback: half}", "'half' is unknown here", "previous, rollback"),
    ("stages:", "{stage: a, percent: 10, one_way: true}", "a is one_way and has no fallback of its own", "fallback:"),
    ("stages:", "{stage: a, sign: [Reviewer]}", "'Reviewer' is not a role", "small letters"),
    ("stages:", "{stage: a, sign: [deployed_by]}", "deployed_by is recorded by ramp itself", ""),
    ("stages:", "{stage: a, sign: [{reviewed_by: deployed_by}]}", "is no rule for reviewed_by", "not deployed_by"),
    ("stages:", "{stage: a, sign: [{reviewed_by: not deployd_by}]}", "against 'deployd_by'", "deployed_by"),
    ("stages:", "{stage: a, sign: [x_by, x_by]}", "the role x_by stands twice", ""),
    ("stages:", "{stage: a, bakes: 4h}", "unknown key 'bakes' in a stage", "did you mean bake?"),
    ("steps", "{do: A}]}", "the action has no kind", ""),
    ("steps", "{run: x}]}", "a step without a title", ""),
    ("steps", "{do: A, command: []}]}", "'command' is empty", ""),
    ("steps", "{do: A, run: x, undo: {check: B, run: x}}]}", "a check stands where an action belongs", ""),
    ("top", "rollback: {set: all}", "'all' is unknown here", "one of safe"),
    ("top", "rollback: {recovered: 'percent <'}", "", ""),
    ("top", "rollback: {partial: {ladder: [50, 50]}}", "50 follows 50: this ladder goes down", ""),
    ("top", "rollback: {partial: {bake: 2h}}", "rollback.partial without 'ladder'", ""),
    ("top", "matrix: [{when: percent > 1, then: pray}]", "'pray' is unknown here", ""),
    ("top", "matrix: [{then: hold}]", "a row of the matrix without 'when'", ""),
    ("top", "calendar: {timezone: Europe/Berln}", "Berln", "Europe/Berlin"),
    ("top", "calendar: {ramp: Mon-Thr 09:00-16:00}", "Thr", ""),
    ("top", "calendar: {freeze: [{from: 2025-12-20, to: 2025-12-19, why: x}]}", "ends before it begins", ""),
    ("top", "calendar: {freeze: [{from: 2025-02-30, to: 2025-03-01, why: x}]}", "2025-02-30", ""),
    ("top", "calendar: {freeze: [{from: 2025-12-20, to: 2025-12-21}]}", "a freeze without 'why'", ""),
    ("top", "channels: {a: {slack: x}}", "'slack' is not supported yet", ""),
    ("top", "channels: {a: {webhook: ftp://x}}", "'ftp://x' is not an http or https URL", ""),
    ("top", "channels: {a: {token: x}}", "a channel has just one kind", "webhook, grafana"),
    ("top", "notices: {a: {to: b, text: Up}}", "there is no channel 'b'", "there are: none"),
    ("top", "notices: {a: {to: [], text: Up}}", "the list is empty", ""),
    ("top", "contacts: [a]", "a list stands where contacts belong", "On-call engineer"),
    ("top", "contacts: {a: {telephone: 1}}", "unknown key 'telephone' in a contact", ""),
    ("metrics:", "a: {http: /, jq: .a, n: requests}", "there is no metric 'requests'", "there are: a"),
    ("top", "severities: {P4: {respond: 1h}}", "'P4' is unknown here", ""),
    ("top", "severities: {P0: {respond: 1h}, critical: {respond: 1h}}", "P0 stands twice", ""),
    ("top", "severities: {P0: {respond: 5}}", "5 has no unit", ""),
    ("top", "secrets: {TOKEN: {env: A, file: b}}", "a secret comes from one of env, file and command", ""),
    ("top", "secrets: {token: {env: A}}", "'token' is not the name of a secret", "capital letters"),
    ("top", "on_error: ignore", "'ignore' is unknown here", "one of hold, fail, pass, keep"),
    ("top", "incident: {assess: {}}", "'incident' is not supported yet", ""),
    ("top", "checklists: [a]", "a list stands where a mapping belongs", ""),
    ("top", "stages: {}", "a mapping stands where a list belongs", ""),
    ("top", "metrics:", "nothing stands where a mapping belongs", ""),
]


@pytest.mark.parametrize(("where", "text", "message", "hint"), MISTAKES, ids=[row[1][:60] for row in MISTAKES])
def test_a_mistake_is_told_once_in_its_line(tmp_path: Path, where: str, text: str, message: str, hint: str) -> None:
    before, start = WITH[where]
    whole = f"{before}{start}{text}\n"
    loaded = load_text(tmp_path, whole)
    assert loaded.playbook is None
    (problem,) = loaded.errors
    assert message in problem.message
    assert hint in problem.hint
    assert problem.place is not None
    line = whole.splitlines()[problem.place.line - 1]
    assert text in line and problem.place.column > line.index(text)


ENVIRONMENTS = [
    ("url: soup.example.com", "'soup.example.com' is not an http or https URL"),
    ("home: ssh://a/b", "'home' is not supported yet"),
    ("flags_in: {yaml: a.yaml}", "flags in 'yaml' are not supported yet"),
    ("flags_in: {env: a, push: b}", "'push' is not supported yet"),
    ("flags_in: []", "the list is empty"),
    ("flags_in: {env: a, write: fast}", "'fast' is unknown here"),
    ("flags_in: {env: a}, redeploy: {http: /x}", "the redeploy has no kind"),
    ("flags_in: {env: a}, redeploy: {run: x, instances: [a]}", "'instances' is not supported yet"),
    ("flags_in: {env: a}, redeploy: {run: x, critical: false}", "unknown key 'critical'"),
    ("flags_in: {env: a}, redeploy: {run: x, passes: 0}", "0 is out of bounds"),
    ("flags_in: {env: a}, variables: {port: 1}", "'port' is not the name of a variable"),
    ("flags_in: {env: a}, bake_scale: 0.5", "'bake_scale' stands in an environment that is no sandbox"),
    ("sandbox: true, bake_scale: 0", "0 is out of bounds"),
    ("sandbox: true, bake_scale: 2", "2 is out of bounds"),
]


@pytest.mark.parametrize(("keys", "message"), ENVIRONMENTS)
def test_environments_that_are_wrong(tmp_path: Path, keys: str, message: str) -> None:
    whole = f"runbook: 1\nservice: soup\nflags: {{safe: {{A: 0}}}}\nenvironments:\n  here: {{{keys}}}\n"
    loaded = load_text(tmp_path, whole)
    (problem,) = loaded.errors
    assert message in problem.message and problem.place is not None and problem.place.line == 5


HEADS = [
    ("service: soup", "1:1 'runbook' is missing"),
    ("runbook: 1", "1:1 'service' is missing"),
    ("runbook: 2\nservice: soup\nnew: 1", "1:10 runbook: 2 asks for a newer tool"),
    ("runbook: one\nservice: soup", "1:10 the text 'one' is no version of the language"),
    ("runbook: true\nservice: soup", "1:10 true is no version of the language"),
    ('runbook: 1\nneeds: ">= 99"\nservice: soup\nnew: 1', "2:8 this playbook needs runbook >= 99"),
    ("runbook: 1\nneeds: new\nservice: soup", "2:8 'new' names no version"),
    ("[runbook]", "1:1 a list stands where a playbook belongs"),
    ("runbook: 1\nservice: a/b", "2:10 'a/b' is not the name of a service"),
    ("runbook: 1\nservice: ../b", "2:10 '../b' is not the name of a service"),
    ("runbook: 1\nservice: soup\nstages: [{stage: a, percent: 1}]", "3:1 stages without flags change nothing"),
    ("runbook: 1\nservice: soup\nrollback: {set: {A: 1}}", "3:17 there are no flags to set back"),
    (
        "runbook: 1\nservice: soup\nflags: {safe: {A: 0}}\nstages: [{stage: a}]",
        "3:1 there are flags but no environments",
    ),
    ("runbook: 1\nservice: soup\nflags: {percent: A, safe: {A: ten}}", "3:31 'ten' is no percentage"),
    ("runbook: 1\nservice: soup\nflags: {percent: A}", "3:8 flags without 'safe'"),
]


@pytest.mark.parametrize(("text", "error"), HEADS)
def test_heads_that_are_wrong(tmp_path: Path, text: str, error: str) -> None:
    assert told(load_text(tmp_path, text)) == [error]


@pytest.mark.parametrize("needs", [">= 0.1", ">=0.1.0, < 99", "> 0.0.9", "<= 9.9.9.9"])
def test_versions_that_fit(tmp_path: Path, needs: str) -> None:
    assert told(load_text(tmp_path, f'{SMALL}needs: "{needs}"\n')) == []
