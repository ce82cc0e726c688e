"""`lint`: every mistake at once, each with its place; and nothing is run."""

from __future__ import annotations

import pytest

from tests.command.project import Project

# Each line that holds a mistake ends in `# N`, counted from 1; a file of twenty.
MISTAKES = """\
runbook: 1
service: ranker
titel: Ranking                                                     # 1
flags:
  percent: RANKER SHARE                                            # 2
  safe: {RANKER_MODEL: plain, RANKER_SHARE: 0}
environments:
  local:
    url: ftp://127.0.0.1                                           # 3
    flags_in: {ini: ranker.ini}                                    # 4
    redeploy: {comand: [sh, restart.sh]}                           # 5
verify:
  - {check: Up}                                                    # 6
  - {check: Both, http: /health, tcp: "127.0.0.1:80", file: x}     # 7
metrics:
  errors: {http: /numbers, jq: .errors, unit: rate}                # 8
  p95: {http: /numbers, jq: ".p95 |", unit: ms}                    # 9
  slow: {http: /numbers, jq: .slow, unit: ms, target: "< 2 parsec"} # 10
checklists:
  ready:
    - {check: Words, file: words.txt, newer_than: soon}            # 11
    - {check: Words, http: /health, timeout: -5s}                  # 12
    - {check: Again, http: /health, stauts: 200}                   # 13
stages:
  - {stage: off, percent: 0, gates: ["eror < 1%"]}                 # 14
  - {stage: first, percent: 150}                                   # 15
  - {stage: wide, percent: 50, requires: [reddy]}                  # 16
  - {stage: top, percent: 20, gates: ["p95 < 3%"]}                 # 17
  - {stage: all, percent: 100, bake: 2 fortnights}                 # 18
  - {stage: end, percent: 100, triggers: [{when: "p95 > 2s", then: explode}]} # 19
rollback: {set: safe, objective: 1m, incident: P9}                 # 20
"""


def test_twenty_mistakes_have_twenty_places(project: Project) -> None:
    project.playbook.write_text(MISTAKES)
    ran = project.json("lint")
    assert ran.code == 2
    errors = [row for row in ran.document["problems"] if row["level"] == "error"]
    wanted = {number for number, line in enumerate(MISTAKES.splitlines(), 1) if "  # " in line or line.endswith("# 10")}
    found = {row["line"] for row in errors}
    assert wanted - found == set() or {line: MISTAKES.splitlines()[line - 1] for line in wanted - found} == {}
    assert len(errors) >= 20
    assert all(row["file"] == "playbooks/ranker.yaml" and row["column"] >= 1 and row["message"] for row in errors)
    page = project.run("lint")
    assert page.code == 2 and "did you mean" in page.out and "^" in page.out
    assert "playbooks/ranker.yaml:3:1" in page.out
    assert f"{len(errors)} errors" in page.out and "Nothing was run" in page.out
    for command in (["ramp", "--yes"], ["preflight"], ["gate"], ["rollback", "--yes"], ["health-check"]):
        refused = project.run(*command)
        assert refused.code == 2 and "playbooks/ranker.yaml:3:1" in refused.said, command


@pytest.mark.parametrize(
    ("section", "body", "meant"),
    [
        ("stages", "\n  - {stage: off, percent: 0, gates: [\"eror < 1%\"]}", "errors"),
        ("rollback", "{sett: safe}", "set"),
        ("rollback", "{set: safe, set: {}}", "twice"),
        ("dashboard", "{panels: []}", "not supported yet"),
        ("slos", "[]", "not supported yet"),
        ("needs", '">= 99"', "99"),
    ],
)  # fmt: skip
def test_a_single_mistake(project: Project, section: str, body: str, meant: str) -> None:
    project.write(**{section: body})
    ran = project.run("lint")
    assert ran.code == 2 and meant in ran.out and "playbooks/ranker.yaml:" in ran.out


@pytest.mark.parametrize(
    "text",
    [
        "", "   \n", "null\n", "[]\n", "runbook\n", "runbook: [1\n", "runbook: 1\n\tservice: x\n",
        "runbook: 2\nservice: x\n",
        "runbook: 0\nservice: x\n", "runbook: '1'\n", "runbook: 1\nservice: ../../etc\n", "runbook: 1\nservice: ''\n",
        "runbook: 1\n--- \nrunbook: 1\n", "runbook: 1\nservice: !!python/object/apply:os.system [touch owned]\n",
        "runbook: 1\nservice: &a [*a]\n", "runbook: 1\nservice: x\nflags: &a {b: *a}\n", "runbook: 1\n<<: 7\n",
        "runbook: 1\nservice: " + "[" * 3000 + "\n", "runbook: 1\nservice: " + "9" * 6000 + "\n", "\x00",
        "\ufeffrunbook: 1\n",
    ],
)  # fmt: skip
def test_a_file_that_is_no_playbook_at_all(project: Project, text: str) -> None:
    project.playbook.write_text(text)
    ran = project.json("lint", "playbooks/ranker.yaml")
    assert ran.code == 2 and ran.document["problems"][0]["message"]
    assert not (project.folder / "owned").exists()


def test_aliases_that_explode_are_refused_quickly(project: Project) -> None:
    levels = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10))
    project.playbook.write_text("runbook: 1\nservice: x\na0: &a0 [x, x]\n" + levels)
    ran = project.run("lint")
    assert ran.code == 2 and ran.seconds < 10


def test_a_megabyte_and_more_is_refused(project: Project) -> None:
    project.playbook.write_text("runbook: 1\nservice: x\n" + "# padding\n" * 120_000)
    ran = project.run("lint")
    assert ran.code == 2 and ran.seconds < 10


def test_warnings_count_only_when_strict(project: Project) -> None:
    project.write(verify=None)
    ran = project.json("lint")
    assert ran.code == 0 and [row["level"] for row in ran.document["problems"]] == ["warning"]
    assert project.run("lint", "--strict").code == 1


def test_a_file_that_is_not_there(project: Project) -> None:
    for path in ("playbooks/other.yaml", "playbooks", "/dev/null", "/nonexistent/x.yaml"):
        assert project.json("lint", path).code == 2, path


def test_every_playbook_of_the_project_is_looked_at(project: Project) -> None:
    (project.playbook.parent / "second.yaml").write_text("runbook: 1\nservice: second\ntitel: x\n")
    (project.playbook.parent / "base.yaml").write_text("titel: this is none\n")
    (project.playbook.parent / "broken.yaml").write_text("{{{{")
    files = {row["file"] for row in project.json("lint").document["problems"]}
    assert files == {"playbooks/second.yaml", "playbooks/broken.yaml"}
    assert project.run("lint", "-p", "ranker").code == 0


def test_nothing_is_run(project: Project) -> None:
    project.write(checklists="\n  ready: [{check: Leaves a mark, run: 'touch mark'}]")
    project.run("lint")
    assert not (project.folder / "mark").exists() and not (project.folder / ".runbook").exists()
    assert project.service.asked == []
