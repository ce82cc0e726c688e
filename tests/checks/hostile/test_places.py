"""Where a request may not go: behind redirects, to this machine under any spelling that comes from outside, and out of
its place by what a value holds."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from runbook.judge.verdicts import Status
from runbook.system.variables import Variables
from tests.checks.hostile.kinds import ROWS, Row, around_in, looked_at
from tests.checks.hostile.peers import Peer, peer
from tests.checks.hostile.test_answers import CONTROL, hold_to_the_rules, texts_of
from tests.checks.looking import looked_all
from tests.servers import answer

SECRET = "token-of-the-operator"
ON_TCP = [row for row in ROWS if row.kind != "docker"]  # whose place is a socket of this machine
FOR_GUARDED = [row for row in ON_TCP if row.kind != "cosmos"]  # asked by Azure's own client

# -- redirects --------------------------------------------------------------------------------------

PLACES = (
    "http://127.0.0.1:OTHER/", "http://localhost:OTHER/", "//127.0.0.1:OTHER/", "http://user@127.0.0.1:OTHER/",
    "http://169.254.169.254/latest/meta-data/", "https://127.0.0.1:OTHER/", "file:///etc/passwd", "/again",
    "gopher://127.0.0.1:OTHER/", "javascript:alert(1)", "http://[::1]:OTHER/", "\\\\127.0.0.1:OTHER\\",
)  # fmt: skip
CODES = ("301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent")


@pytest.mark.parametrize("code", CODES)
def test_no_redirect_is_followed(code: str, tmp_path: Path) -> None:
    rows = [row for row in ROWS if row.kind != "load"]
    with peer(answer('{"value": 1}')) as elsewhere:
        for place in PLACES:
            to = place.replace("OTHER", str(elsewhere.port))
            script = answer('{"value": 1}', status=code, headers=f"Location: {to}\r\n")
            with peer(script, tmp_path) as leading:
                results = looked_at(rows, leading, tmp_path, seconds=2)
                assert not any("/again" in head for head in leading.asked)
            hold_to_the_rules(results, 2)
        assert elsewhere.asked == []


@pytest.mark.parametrize("place", [one for one in PLACES if "OTHER" in one])
def test_where_redirects_are_asked_for_nothing_secret_goes_elsewhere(place: str, tmp_path: Path) -> None:
    variables = Variables(process={"TOKEN": SECRET})
    check = {
        "http": "{url}/", "max_redirects": 3, "auth": {"bearer": "${TOKEN}"}, "jq": ".value", "expect": "> 0",
        "headers": {"X-API-Key": "${TOKEN}", "Cookie": "session=${TOKEN}"},
    }  # fmt: skip
    for method in ("GET", "POST"):
        with peer(answer('{"value": 1}')) as elsewhere:
            to = place.replace("OTHER", str(elsewhere.port))
            with peer(answer("", status="307 Temporary", headers=f"Location: {to}\r\n")) as leading:
                row = Row("redirect", {**check, "method": method, "text": SECRET} if method == "POST" else check)
                around = around_in(tmp_path, seconds=2, variables=variables)
                looked_all([row.against(leading)], around)
            assert SECRET in "".join(leading.asked)
            assert SECRET not in "".join(elsewhere.asked)


# -- hosts from outside -----------------------------------------------------------------------------

HERE = (
    "127.0.0.1", "127.1", "127.0.1", "127.127.127.127", "2130706433", "0x7f000001", "0x7f.1", "0x7F.0.0.1",
    "0177.0.0.1", "017700000001", "00127.0.0.1", "127.0.0.01", "127.0.0.1.", "0", "0.0.0.0", "0x0", "00000000",
    "localhost",
    "LOCALHOST", "LocalHost", "localhost.", "localhost.localdomain", "ip6-localhost", "ip6-loopback", "[::1]", "::1",
    "[0:0:0:0:0:0:0:1]", "[::0001]", "[::]", "[::ffff:127.0.0.1]", "[::FFFF:7f00:1]", "[::127.0.0.1]",
    "[64:ff9b::7f00:1]", "[64:ff9b::127.0.0.1]", "[2002:7f00:1::]", "[::1%25lo]", "[fe80::1]", "[fd00:ec2::254]",
    "169.254.169.254", "169.254.43518", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "100.100.100.200",
    "224.0.0.1", "255.255.255.255", "240.0.0.1", "\u2460\u2461\u2466.\u24ea.\u24ea.\u2460", "127\u30020\u30020\u30021",
    "\uff11\uff12\uff17.\uff10.\uff10.\uff11", "user@127.0.0.1", "user:word@127.0.0.1", "127.0.0.1#@example.org",
    "127.0.0.1?@example.org", "127.0.0.1\\@example.org", "%31%32%37.0.0.1", "127.0.0.1%2f", "127.0.0.1%00",
    "\t127.0.0.1", " 127.0.0.1", "127.0.0.1 ", "127.0.0.1\r\nX-Evil: 1", "127.0.0.1\x00.example.org", "", ".", "..",
)  # fmt: skip


def test_there_are_as_many_spellings_as_said() -> None:
    assert len(set(HERE)) >= 60


def templated(row: Row, place: str) -> dict[str, Any]:
    check: dict[str, Any] = json.loads(json.dumps(row.check).replace("{url}", place))
    return check


@pytest.mark.parametrize("whole", [False, True], ids=["host", "url"])
def test_a_host_from_outside_is_never_this_machine(whole: bool, tmp_path: Path) -> None:
    """Under each spelling, of the host alone and of the whole beginning of the URL."""
    with peer(answer('{"value": 1}')) as here:
        place = "${PLACE}" if whole else f"http://${{PLACE}}:{here.port}"
        checks = [templated(row, place) for row in FOR_GUARDED if row.kind != "load"]
        for spelling in HERE:
            value = f"http://{spelling}:{here.port}" if whole else spelling
            around = around_in(tmp_path, seconds=2, variables=Variables(process={"PLACE": value}))
            results = looked_all(checks, around)
            assert here.asked == [], spelling
            for result in results:
                assert result.status is not Status.PASS, (spelling, result)
                assert CONTROL.search(texts_of(result)) is None, texts_of(result)


def test_a_load_is_never_sent_to_this_machine_either(tmp_path: Path) -> None:
    [row] = [row for row in ROWS if row.kind == "load"]
    with peer(answer("")) as here:
        for spelling in HERE[::6]:
            variables = Variables(process={"PLACE": spelling})
            check = templated(row, f"http://${{PLACE}}:{here.port}")
            [result] = looked_all([check], around_in(tmp_path, seconds=1, variables=variables))
            assert result.status is not Status.PASS, (spelling, result)
        assert here.asked == []


def test_what_the_playbook_itself_names_may_be_this_machine(tmp_path: Path) -> None:
    """Else the test before could not fail."""
    variables = Variables(declared={"PLACE": "127.0.0.1"})
    with peer(answer('{"value": 1}')) as here:
        check = {"http": f"http://${{PLACE}}:{here.port}/", "status": 200}
        [result] = looked_all([check], around_in(tmp_path, seconds=2, variables=variables))
    assert result.status is Status.PASS


# -- what a value holds -----------------------------------------------------------------------------

INJECTED = tuple(
    f"{before}{breaking}{after}"
    for before, after in (("", ""), ("a", "X-Evil: 1"), ("a", "GET /evil HTTP/1.1"))
    for breaking in (
        "\r\n", "\n", "\r", "\r\n\r\n", "\x00", "\x0b", "\x0c", "\x1b[2J", "\u2028", "\u0085", "\x7f", "\x01", "\t",
        "%0d%0a", "%00", " ", "/", "?", "#", "&", "=", ";", "..", "/../", "//", "\\", "@", ":", '"', "'", "{}", "é",
        "\u560d\u560a", "%2e%2e%2f",
    )
)  # fmt: skip
PLACED: tuple[dict[str, Any], ...] = (
    {"http": "{url}/known/${VALUE}", "status": 200},
    {"http": "{url}/known?name=${VALUE}&last=1", "status": 200},
    {"http": "{url}/known", "headers": {"X-Name": "${VALUE}"}, "status": 200},
    {"http": "{url}/known", "auth": {"bearer": "${VALUE}"}, "status": 200},
    {"http": "{url}/known", "auth": {"basic": "user:${VALUE}"}, "status": 200},
    {"prometheus": "{url}/known", "query": 'up{job="${VALUE}"}', "expect": "> 5"},
    {"scrape": "{url}/known/${VALUE}", "metric": "m", "expect": "> 5"},
    {"alertmanager": "{url}/known", "matching": {"service": "${VALUE}"}},
    {"github": "o/r", "workflow": "ci.yml", "api": "{url}/known", "token": "${VALUE}"},
    {"github": "o/r", "workflow": "ci.yml", "branch": "${VALUE}", "api": "{url}/known"},
    {"flags": "live", "from": "{url}/known/${VALUE}", "map": {"SHARE": ".value"}},
)


def test_there_are_as_many_injections_as_said() -> None:
    assert len(set(INJECTED)) >= 100


def asked_lines(server: Peer) -> list[str]:
    return [line for head in server.asked for line in head.split("\r\n")]


@pytest.mark.parametrize("check", PLACED, ids=lambda check: "-".join([next(iter(check)), *list(check)[1:2]]))
def test_a_value_stays_in_its_place(check: dict[str, Any], tmp_path: Path) -> None:
    """One request line and no header more than an innocent value makes, or nothing is sent at all."""
    row = Row("placed", check)
    with peer(answer('{"value": 10}')) as server:
        around = around_in(tmp_path, seconds=2, variables=Variables(process={"VALUE": "plain"}))
        looked_all([row.against(server)], around)
        names = {line.partition(":")[0].lower() for line in asked_lines(server)[1:] if ":" in line}
        requests = len(server.asked)
        for value in INJECTED:
            server.asked.clear()
            around = around_in(tmp_path, seconds=2, variables=Variables(process={"VALUE": value}))
            [result] = looked_all([row.against(server)], around)
            assert "fault of the tool" not in result.message, (value, result.message)
            assert CONTROL.search(texts_of(result)) is None, texts_of(result)
            assert len(server.asked) <= requests, value
            for head in server.asked:
                line, *headers = head.partition("\r\n\r\n")[0].split("\r\n")
                method, path, version = line.split(" ")
                assert (method, version) == ("GET", "HTTP/1.1"), value
                assert path.startswith("/known"), (value, path)
                assert "/../" not in path, (value, path)
                assert {header.partition(":")[0].lower() for header in headers} <= names, value
                assert not any(re.search(r"[\x00-\x08\x0a-\x1f\x7f]", header) for header in headers), repr(value)
