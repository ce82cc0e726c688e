"""`command` and `run`: exit status, values, secrets, and nothing left behind."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from runbook.judge.verdicts import Reason, Status
from runbook.system.processes import process_identity
from runbook.system.variables import Variables
from tests.checks.looking import a_check, looked, surroundings

PROCESS = {"PATH": os.environ["PATH"]}


@pytest.mark.parametrize(
    ("check", "status", "observed"),
    [
        ({"command": ["true"]}, Status.PASS, "exit 0"),
        ({"command": ["false"]}, Status.FAIL, "exit 1"),
        ({"run": "exit 7"}, Status.FAIL, "exit 7"),
        ({"run": "kill -9 $$"}, Status.UNKNOWN, ""),
        ({"command": ["no-such-program-here"]}, Status.UNKNOWN, ""),
        ({"run": "sleep 30", "timeout": 0.2}, Status.UNKNOWN, "timed out"),
        ({"run": "echo 5", "expect": "== 5"}, Status.PASS, "5"),
        ({"run": "echo 5", "expect": "> 5"}, Status.FAIL, "5"),
        ({"run": "echo up; echo noise >&2", "expect": "== up"}, Status.PASS, "up"),
        ({"run": "echo '{\"a\": 2}'", "jq": ".a", "expect": "== 2"}, Status.PASS, "2"),
        ({"run": "echo '{\"a\": 2}'; exit 1", "jq": ".a", "expect": "== 2"}, Status.UNKNOWN, ""),
        ({"run": "echo oops", "jq": ".a"}, Status.UNKNOWN, ""),
        ({"run": "printf 'a\\nb\\n'", "lines": True, "expect": "== 2"}, Status.PASS, "2"),
        ({"run": "true", "lines": True, "expect": "== 0"}, Status.PASS, "0"),
        ({"run": "echo version 3.4", "matches": "version (\\S+)", "expect": ">= 3"}, Status.PASS, "3.4"),
        ({"run": "echo version 3.4", "matches": "release"}, Status.FAIL, "version 3.4"),
        ({"run": "printf 'one\\n\\ntwo\\n'", "list": True}, Status.FAIL, "2 listed"),
        ({"run": "true", "list": True}, Status.PASS, "empty list"),
        ({"run": "echo '{\"unmet\": []}'", "list": ".unmet[]"}, Status.PASS, "empty list"),
        ({"run": "echo failed", "list": ".unmet[]"}, Status.UNKNOWN, ""),
    ],
)
def test_what_it_says(check: dict[str, Any], status: Status, observed: str) -> None:
    row = looked(check, variables=Variables(process=PROCESS))
    assert (row.status, row.observed) == (status, observed), row
    if status is Status.UNKNOWN:
        assert row.reason is Reason.ERROR
        assert row.message


def test_it_runs_in_the_project_and_says_why_it_failed(tmp_path: Path) -> None:
    (tmp_path / "here").touch()
    assert looked({"command": ["test", "-e", "here"]}, project=tmp_path).status is Status.PASS
    assert "exit 2: no config" in looked({"run": "echo no config >&2; exit 2"}, project=tmp_path).message


def test_a_late_child_is_gone_with_its_group(tmp_path: Path) -> None:
    script = "trap '' TERM; sleep 60 & echo $! > child; echo $$ > leader; wait"
    began = time.monotonic()
    row = looked({"run": script}, surroundings(tmp_path, seconds=0.5, variables=Variables(process=PROCESS)))
    assert row.status is Status.UNKNOWN
    assert time.monotonic() - began < 5
    for name in ("child", "leader"):
        assert process_identity(int((tmp_path / name).read_text())) is None


def test_secrets_reach_only_the_line_that_names_them() -> None:
    process = {**PROCESS, "MY_TOKEN": "canary-one", "OTHER_TOKEN": "canary-two", "LD_AUDIT": "x", "PLAIN": "plain"}
    variables = Variables(process=process)
    variables.masker.learn_environment(process)
    row = looked({"run": "env | grep -c 'canary\\|LD_AUDIT\\|plain'", "expect": "== 1"}, variables=variables)
    assert row.status is Status.PASS, row
    row = looked({"run": "env | grep -c canary; : $MY_TOKEN", "expect": "== 1"}, variables=variables)
    assert row.status is Status.PASS, row
    row = looked({"run": 'echo "${MY_TOKEN}"', "expect": "== x"}, variables=variables)
    assert "canary" not in repr(row)
    assert row.observed == "***"


def test_values_are_arguments_and_variables(tmp_path: Path) -> None:
    variables = Variables(process={**PROCESS, "V": "$(touch canary); touch canary"})
    for check in ({"command": ["printf", "%s", "${V}"]}, {"run": "printf %s ${V}"}, {"run": 'printf %s "${V}"'}):
        row = looked(check, project=tmp_path, variables=variables)
        assert row.value == "$(touch canary); touch canary"
    assert looked({"run": "echo '${V}'"}, variables=variables).status is Status.UNKNOWN
    assert list(tmp_path.iterdir()) == []


def test_what_is_wrong_before_it_runs() -> None:
    assert a_check({"command": []}).options.problems()
    assert a_check({"run": "  "}).options.problems()
    assert a_check({"run": "true", "matches": "*"}).options.problems()
    assert not a_check({"command": ["true"], "matches": "x"}).options.problems()
    assert not a_check({"command": ["true"]}).options.only_looks()
