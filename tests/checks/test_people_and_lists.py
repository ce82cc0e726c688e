"""`sign`, `all` and `variables`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from runbook.checks.base import Answer
from runbook.checks.here.variables import secret_in
from runbook.judge.verdicts import Reason, Status
from runbook.system.secret_sources import Secret
from runbook.system.variables import Variables
from tests.checks.looking import a_check, looked
from tests.checks.test_runner import Kept

DAY = 86400.0
NOW = time.time()


@pytest.mark.parametrize(
    ("answer", "valid", "status"),
    [
        (None, None, Status.UNKNOWN),
        (Answer(True, "mira", NOW - DAY), None, Status.PASS),
        (Answer(False, "mira", NOW - DAY), None, Status.FAIL),
        (Answer(True, "mira", NOW - 12 * DAY), "30d", Status.PASS),
        (Answer(True, "mira", NOW - 31 * DAY), "30d", Status.UNKNOWN),
        (Answer(True, "mira", NOW - 2 * DAY, valid_until=NOW - DAY), "30d", Status.UNKNOWN),
        (Answer(True, "mira", NOW - 2 * DAY, valid_until=NOW + DAY), "1d", Status.UNKNOWN),
        (Answer(False, "mira", NOW - 31 * DAY), "30d", Status.UNKNOWN),
    ],
)
def test_sign(answer: Answer | None, valid: str | None, status: Status) -> None:
    kept = Kept(answers={"trained": answer} if answer else {})
    row = looked({"sign": True, "id": "trained", **({"valid": valid} if valid else {})}, answers=kept)
    assert row.status is status
    if status is Status.UNKNOWN:
        assert row.reason is Reason.NODATA
        assert "runbook sign trained" in row.message


def test_sign_shows_who_and_for_how_long() -> None:
    kept = Kept(answers={"trained": Answer(True, "mira", time.time() - 12 * DAY, evidence="course 4")})
    row = looked({"sign": True, "id": "trained", "valid": "30d"}, answers=kept)
    assert row.observed.startswith("signed by mira, 12 d ago, valid ")
    assert row.message == "course 4"
    assert looked({"sign": True}).status is Status.UNKNOWN


PASS, FAIL, BROKEN = {"run": "true"}, {"run": "false"}, {"command": ["no-such-program-here"]}


@pytest.mark.parametrize(
    ("nested", "status", "observed"),
    [
        ([PASS, PASS], Status.PASS, "2 of 2"),
        ([PASS, FAIL], Status.FAIL, "1 of 2"),
        ([PASS, BROKEN], Status.UNKNOWN, "1 of 2"),
        ([FAIL, BROKEN], Status.FAIL, "0 of 2"),
        ([], Status.UNKNOWN, ""),
        ([PASS, {**FAIL, "level": "warn"}], Status.PASS, "1 of 2"),
        ([{**FAIL, "level": "warn"}], Status.SKIPPED, "0 of 1"),
        ([{**PASS, "level": "warn"}, {**BROKEN, "level": "warn"}], Status.SKIPPED, "1 of 2"),
        ([{**PASS, "only": ("production",)}, {**FAIL, "level": "warn"}], Status.SKIPPED, "0 of 2"),
        ([{**PASS, "level": "warn"}], Status.PASS, "1 of 1"),
        ([{**PASS, "only": ("production",)}], Status.SKIPPED, "0 of 1"),
        ([PASS, {**PASS, "only": ("production",)}], Status.PASS, "1 of 2"),
        ([{"all": [{"all": [FAIL]}]}, PASS], Status.FAIL, "1 of 2"),
    ],
)
def test_all(nested: list[dict[str, Any]], status: Status, observed: str) -> None:
    row = looked({"all": nested})
    assert (row.status, row.observed) == (status, observed)
    assert len(row.nested) == len(nested)


def test_all_names_what_does_not_hold() -> None:
    row = looked({"all": [PASS, {**FAIL, "title": "Tests"}]})
    assert row.listed == ("Tests: fail",)


def test_variables_are_set() -> None:
    variables = Variables(process={"A": "1", "EMPTY": ""}, secrets={"S": Secret(env="GONE")})
    assert looked({"variables": ["A"]}, variables=variables).observed == "1 set"
    row = looked({"variables": ["A", "EMPTY", "NONE"]}, variables=variables)
    assert (row.status, row.listed) == (Status.FAIL, ("EMPTY", "NONE"))
    assert looked({"variables": ["S"]}, variables=variables).status is Status.UNKNOWN


SECRETS = [
    "API_TOKEN=abcdef123456",
    "export DB_PASSWORD='hunter2hunter2'",
    '  "client_secret": "abcdef123456"',
    "url: postgres://app:hunter2@db/app",
    "-----BEGIN RSA PRIVATE KEY-----",
    "key = AKIA" + "ABCDEFGHIJKLMNOP",
    "ghp_" + "a" * 36,
]
NO_SECRETS = [
    "API_TOKEN=",
    "API_TOKEN=${API_TOKEN}",
    "API_TOKEN=<your token>",
    "API_TOKEN=changeme123",
    "PORT=5432",
    "url: postgres://app:${PASSWORD}@db/app",
    "# the token goes here",
    "KEYBOARD=qwertzuiop",
]


@pytest.mark.parametrize("line", SECRETS)
def test_secrets_in_a_file_are_found_and_not_shown(line: str, tmp_path: Path) -> None:
    (tmp_path / "x.env").write_text(f"A=1\n{line}\n")
    row = looked({"variables": [], "no_secrets": "x.env"}, project=tmp_path)
    assert row.status is Status.FAIL
    assert row.listed[0].startswith("line 2: ")
    assert "hunter2" not in repr(row)
    assert "abcdef123456" not in repr(row)


@pytest.mark.parametrize("line", NO_SECRETS)
def test_what_is_no_secret(line: str) -> None:
    assert secret_in(line) == ""


def test_a_file_without_secrets(tmp_path: Path) -> None:
    (tmp_path / "x.env").write_text("\n".join(NO_SECRETS))
    assert looked({"variables": [], "no_secrets": "x.env"}, project=tmp_path).status is Status.PASS
    assert looked({"variables": [], "no_secrets": "gone"}, project=tmp_path).status is Status.UNKNOWN


def test_what_asserts_nothing() -> None:
    assert not a_check({"variables": []}).options.asserts()
    assert not a_check({"sign": False}).options.asserts()
    assert a_check({"variables": ["a b"]}).options.problems()
    assert a_check({"sign": True, "valid": "30"}).options.problems()
