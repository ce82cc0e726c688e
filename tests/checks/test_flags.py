"""`flags`: the safe defaults, agreement with the running service, one key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runbook.checks.base import CheckResult
from runbook.checks.here.flags import agrees, same
from runbook.flags.target import FlagFile
from runbook.judge.verdicts import Reason, Status
from tests.checks.looking import a_check, looked
from tests.servers import answer, scripted

LIVE = {"flags": "live", "from": "/config", "map": {"PCT": ".percent", "HOP": ".hop"}}


def row_for(check: dict[str, Any], folder: Path, *texts: str, **more: Any) -> CheckResult:
    files = []
    for number, text in enumerate(texts):
        (folder / f"{number}.env").write_text(text)
        files.append(FlagFile(folder, f"{number}.env", False, folder / "state"))
    return looked(check, flag_files=files, **more)


@pytest.mark.parametrize(
    ("texts", "status"),
    [
        (("PCT=0\nHOP=false\n",), Status.PASS),
        (("PCT=0.0\nHOP='False'\n",), Status.PASS),
        (("PCT=10\nHOP=false\n",), Status.FAIL),
        (("PCT=0\nHOP=true\n",), Status.FAIL),
        (("PCT=0\n",), Status.UNKNOWN),
        (("PCT=10\n",), Status.FAIL),
        (("PCT=0\nHOP=false\n", "PCT=0\nHOP=true\n"), Status.FAIL),
        (("PCT=0\nHOP=false\n", "PCT=0\nHOP=false\n"), Status.PASS),
    ],
)
def test_safe(texts: tuple[str, ...], status: Status, tmp_path: Path) -> None:
    row = row_for({"flags": "safe"}, tmp_path, *texts, safe={"PCT": "0", "HOP": "false"})
    assert row.status is status
    assert (row.reason is Reason.NODATA) == (status is Status.UNKNOWN)


def test_safe_names_what_is_not(tmp_path: Path) -> None:
    row = row_for({"flags": "safe"}, tmp_path, "PCT=10\n", safe={"PCT": "0", "HOP": "false"})
    assert row.listed == ("PCT=10 in 0.env, safe is 0", "HOP is missing in 0.env")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ('{"percent": 10, "hop": true}', Status.PASS),
        ('{"percent": 10.0, "hop": true}', Status.PASS),
        ('{"percent": "10", "hop": "True"}', Status.PASS),
        ('{"percent": 1, "hop": true}', Status.FAIL),
        ('{"percent": 10, "hop": false}', Status.FAIL),
        ('{"percent": 10, "hop": null}', Status.UNKNOWN),
        ('{"percent": 10}', Status.UNKNOWN),
        ('{"percent": 0.1, "hop": true}', Status.FAIL),
        ("<html>", Status.UNKNOWN),
        ("", Status.UNKNOWN),
    ],
)
def test_live(body: str, status: Status, tmp_path: Path) -> None:
    with scripted({"/config": answer(body)}) as server:
        assert row_for(LIVE, tmp_path, "PCT=10\nHOP=true\n", url=server.url).status is status


def test_live_says_which_differs(tmp_path: Path) -> None:
    with scripted({"/config": answer('{"percent": 0, "hop": true}')}) as server:
        row = row_for(LIVE, tmp_path, "PCT=10\n", url=server.url)
    assert row.listed == ("PCT=10 in 0.env, live it is 0", "HOP is missing in 0.env; live it is true")


def test_live_without_an_answer_is_unknown(tmp_path: Path) -> None:
    with scripted({"/config": answer("{}", status="500 Oops")}) as server:
        assert row_for(LIVE, tmp_path, "PCT=10\nHOP=true\n", url=server.url).status is Status.UNKNOWN
    assert row_for(LIVE, tmp_path, "PCT=10\nHOP=true\n", url="http://127.0.0.1:1").status is Status.UNKNOWN
    assert row_for(LIVE, tmp_path, "PCT=10\nHOP=true\n").status is Status.UNKNOWN


@pytest.mark.parametrize(
    ("written", "live", "form", "equal"),
    [
        ("10", 0.1, "fraction", True),
        ("0.5", 0.005, "fraction", True),
        ("10", 10, "fraction", False),
        ("100", 1, "fraction", True),
        ("1", 100, "fraction", False),
        ("0.05", 5, "percent", True),
        ("0.05", 0.05, "percent", False),
        ("0.07", 7, "percent", True),
        ("10", "0.1", "fraction", True),
    ],
)
def test_forms(written: str, live: object, form: Any, equal: bool, tmp_path: Path) -> None:
    assert agrees(written, live, form) is equal
    body = f'{{"p": {live if not isinstance(live, str) else chr(34) + live + chr(34)}}}'
    for place, option in (({"jq": ".p", "as": form}, {}), (".p", {"as": form})):
        with scripted({"/": answer(body)}) as server:
            check = {"flags": "live", "from": "/", "map": {"PCT": place}, **option}
            row = row_for(check, tmp_path, f"PCT={written}\n", url=server.url)
        assert row.status is (Status.PASS if equal else Status.FAIL)


@pytest.mark.parametrize(
    ("written", "live", "equal"),
    [
        ("true", True, True),
        ("True", True, True),
        ("1", True, True),
        ("on", True, True),
        ("0", False, True),
        ("", False, True),
        ("false", True, False),
        ("2", True, False),
        ("10.0", 10, True),
        ("1e1", 10, True),
        ("0.00001", 1e-05, True),
        ("1e1x", 10, False),
        ("nan", float("nan"), False),
        ("ten", 10, False),
        ("small", "small", True),
        ("small", "Small", False),
        ("007", 7, True),
    ],
)
def test_by_meaning(written: str, live: object, equal: bool) -> None:
    assert agrees(written, live) is equal


def test_same_texts() -> None:
    assert same("TRUE", "true")
    assert not same("yes", "true")
    assert same("0.050", "0.05")


def test_one_key(tmp_path: Path) -> None:
    check = {"flags": "PCT", "expect": "<= 10"}
    assert row_for(check, tmp_path, "PCT=10\n").status is Status.PASS
    assert row_for(check, tmp_path, "PCT=11\n").status is Status.FAIL
    assert row_for(check, tmp_path, "X=1\n").status is Status.UNKNOWN
    assert row_for(check, tmp_path, "PCT=10\n", "PCT=5\n").status is Status.UNKNOWN
    assert row_for({"flags": "HOP", "expect": "== true"}, tmp_path, "HOP=True\n").status is Status.PASS


def test_a_file_that_cannot_be_read_is_unknown(tmp_path: Path) -> None:
    gone = [FlagFile(tmp_path, "gone.env", False, tmp_path / "state")]
    for check in ({"flags": "safe"}, {"flags": "PCT", "expect": "== 1"}):
        assert looked(check, flag_files=gone, safe={"PCT": "0"}).status is Status.UNKNOWN
        assert looked(check).status is Status.UNKNOWN


def test_what_is_wrong_before_it_is_looked_at() -> None:
    assert len(a_check({"flags": "live"}).options.problems()) == 2
    assert a_check({"flags": "safe", "from": "/x"}).options.problems()
    assert a_check({**LIVE, "as": "fraction"}).options.problems()
    assert not a_check(LIVE).options.problems()
    assert not a_check({"flags": "PCT"}).options.asserts()
