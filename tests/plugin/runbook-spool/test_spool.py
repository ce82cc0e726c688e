from pathlib import Path

import pytest
from runbook_spool import Spool

from runbook.checks.api import Status
from runbook.checks.trying import look_at


def test_what_waits_is_counted(tmp_path: Path) -> None:
    (tmp_path / "outgoing").mkdir()
    (tmp_path / "outgoing/letter").touch()
    row = look_at(Spool, {"spool": "outgoing", "expect": "== 0"}, folder=tmp_path)
    assert (row.status, row.value, row.listed) == (Status.FAIL, 1, ("letter",))


def test_what_came_just_now_does_not_wait_yet(tmp_path: Path) -> None:
    (tmp_path / "outgoing").mkdir()
    (tmp_path / "outgoing/letter").touch()
    row = look_at(Spool, {"spool": "outgoing", "older_than": "10m", "expect": "== 0"}, folder=tmp_path)
    assert row.status is Status.PASS


def test_a_folder_that_is_not_there_is_no_pass(tmp_path: Path) -> None:
    row = look_at(Spool, {"spool": "outgoing", "expect": "== 0"}, folder=tmp_path)
    assert row.status is Status.UNKNOWN
    assert "No such file" in row.message


def test_an_age_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="older_than"):
        look_at(Spool, {"spool": "outgoing", "older_than": "soon"})
