"""`dns`: what the resolver of the system says, before a DNS server that answers as told."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from runbook.judge.verdicts import Reason, Status
from runbook.system.variables import Variables
from tests.checks.looking import a_check, looked, measured
from tests.system.other_worlds import run_with_mounts

SERVER = "127.0.0.53"
MANY = [f"10.1.{each // 250}.{each % 250 + 1}" for each in range(25)]
IN_ANOTHER_WORLD = f"""
import json, os, sys, time
from tests.checks.looking import looked, measured
from tests.real.dns_server import NO_SUCH_NAME, REFUSED, SERVER_FAILURE, dns_server

NAMES = {{
    "db.example": ["10.0.0.5"],
    "both.example": ["10.0.0.6", "2001:db8::6"],
    "six.example": ["2001:db8::7"],
    "many.example": {MANY!r},
    "empty.example": [],
    "broken.example": SERVER_FAILURE,
    "refused.example": REFUSED,
    "silent.example": None,
    "rubbish.example": b"\\x81\\x80" + b"\\xff" * 300,
    "cut.example": b"\\x81\\x80\\x00\\x01",
    "bücher.example".encode("idna").decode(): ["10.0.0.8"],
}}
rows = []
with dns_server("{SERVER}", NAMES) as server:
    for plain in json.loads(sys.argv[1]):
        began = time.monotonic()
        row = looked(plain, seconds=20)
        took = time.monotonic() - began
        rows.append([row.status.value, row.observed, row.message, row.value, row.phase, took])
print(json.dumps(rows))
"""
# One start for all of them: each is what is written, how it comes out, what is observed, and what is said.
CASES: list[tuple[dict[str, Any], str, str, str]] = [
    ({"dns": "db.example"}, "pass", "10.0.0.5", ""),
    ({"dns": "DB.example."}, "pass", "10.0.0.5", ""),
    ({"dns": "bücher.example"}, "pass", "10.0.0.8", ""),
    ({"dns": "in-hosts.example"}, "pass", "10.9.9.9", ""),
    ({"dns": "db.example", "to": ["10.0.0.5"]}, "pass", "10.0.0.5", ""),
    ({"dns": "db.example", "to": ["10.0.0.6"]}, "fail", "10.0.0.5", "10.0.0.6 is not among them"),
    ({"dns": "both.example", "to": ["2001:DB8:0::6"]}, "pass", "10.0.0.6", ""),
    ({"dns": "both.example", "to": ["10.0.0.6"]}, "pass", "2001:db8::6", ""),
    ({"dns": "both.example", "to": ["10.0.0.6"], "exactly": True}, "fail", "10.0.0.6", "2001:db8::6 is there too"),
    ({"dns": "both.example", "to": ["10.0.0.6"], "exactly": True, "family": "ipv4"}, "pass", "10.0.0.6", ""),
    ({"dns": "both.example", "family": "ipv6"}, "pass", "2001:db8::6", ""),
    ({"dns": "six.example"}, "pass", "2001:db8::7", ""),
    ({"dns": "six.example", "family": "ipv4"}, "fail", "0 addresses", "it has no IPv4 address"),
    ({"dns": "db.example", "family": "ipv6"}, "fail", "0 addresses", "it has no IPv6 address"),
    ({"dns": "many.example"}, "pass", " and 21 more", ""),
    ({"dns": "many.example", "expect": ">= 25"}, "pass", "25", ""),
    ({"dns": "many.example", "expect": "< 25"}, "fail", "25", ""),
    ({"dns": "db.example", "expect": "time < 5s"}, "pass", "", ""),
    ({"dns": "gone.example"}, "fail", "", "resolve: name or service not known"),
    ({"dns": "gone.example", "expect": "> 0"}, "unknown", "", "resolve: name or service not known"),
    ({"dns": "empty.example"}, "fail", "", "resolve: no address associated with hostname"),
    ({"dns": "broken.example"}, "fail", "", "resolve: temporary failure in name resolution"),
    ({"dns": "refused.example"}, "fail", "", "resolve: temporary failure in name resolution"),
    ({"dns": "silent.example", "timeout": 0.5}, "fail", "timed out", "resolve: no address within 0.5 s"),
    ({"dns": "rubbish.example", "timeout": 0.5}, "fail", "", "resolve: "),
    ({"dns": "cut.example", "timeout": 0.5}, "fail", "", "resolve: "),
]  # fmt: skip


def test_what_the_system_says_of_a_name(tmp_path: Path) -> None:
    (tmp_path / "resolv.conf").write_text(f"nameserver {SERVER}\noptions timeout:1 attempts:1\n", "utf-8")
    (tmp_path / "hosts").write_text("127.0.0.1 localhost\n10.9.9.9 in-hosts.example\n", "utf-8")
    mounts = 'mount --bind "$2/resolv.conf" /etc/resolv.conf\nmount --bind "$2/hosts" /etc/hosts'
    asked = json.dumps([plain for plain, *_ in CASES])
    done = run_with_mounts(mounts, IN_ANOTHER_WORLD, asked, str(tmp_path))
    assert done.returncode == 0, done.stderr
    for (plain, status, observed, message), row in zip(CASES, json.loads(done.stdout), strict=True):
        assert row[0] == status, (plain, row)
        assert observed in row[1], (plain, row)
        assert row[2].startswith(message), (plain, row)
        assert bool(row[2]) == bool(message), (plain, row)
        assert row[4] == ("resolve" if message.startswith("resolve") else ""), (plain, row)
        assert row[5] < 2.5, (plain, row)


def test_a_name_that_every_machine_knows() -> None:
    found = looked({"dns": "localhost"})
    assert found.status is Status.PASS
    assert set(found.phases) == {"resolve"}
    assert measured({"dns": "localhost"}).value == found.value >= 1


@pytest.mark.parametrize(
    "value", ["a b", "x/y", "a:80", "user@host", "", "a" * 300, "x..y", "http://a", "a\nb", "\x1b[2J"]
)
def test_a_value_that_is_no_name_is_not_asked_for(value: str) -> None:
    found = looked({"dns": "${NAME:-/}"}, variables=Variables(process={"NAME": value}))
    assert found.status is Status.UNKNOWN
    assert "nothing was asked" in found.message
    assert found.message.isprintable()


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("12345", "ends in a number"),
        ("127.1", "ends in a number"),
        ("0x7f000001", "ends in a number"),
        ("0X7F.1.", "ends in a number"),
        ("0x", "ends in a number"),
        ("db.internal.42", "ends in a number"),
        ("１２７.１", "ends in a number"),
        ("127.0.0.1", "is an address already"),
        ("127.0.0.1.", "ends in a number"),
    ],
)
def test_a_value_that_the_resolver_takes_for_an_address_is_not_asked_for(value: str, said: str) -> None:
    found = looked({"dns": "${NAME}"}, variables=Variables(process={"NAME": value}))
    assert (found.status, found.reason) == (Status.UNKNOWN, Reason.ERROR), found
    assert said in found.message
    assert said in a_check({"dns": value}).options.problems()[0]


def test_values_of_the_playbook() -> None:
    variables = Variables(process={"NAME": "localhost", "TO": "127.0.0.1", "BAD": "here"})
    assert looked({"dns": "${NAME}", "to": ["${TO}"]}, variables=variables).status is Status.PASS
    assert looked({"dns": "${NAME}", "to": ["${BAD}"]}, variables=variables).status is Status.UNKNOWN
    assert looked({"dns": "${GONE}"}, variables=variables).status is Status.UNKNOWN


@pytest.mark.parametrize(
    ("plain", "count"),
    [
        ({"dns": "db.internal", "to": ["10.0.0.5", "::1"], "exactly": True}, 0),
        ({"dns": "${NAME}", "to": ["${TO}"]}, 0),
        ({"dns": "_sip._tcp.example"}, 0),
        ({"dns": "db1.rack-2.x9"}, 0),
        ({"dns": "0xbeef.example"}, 0),
        ({"dns": "http://db.internal"}, 1),
        ({"dns": "db:5432"}, 1),
        ({"dns": ""}, 1),
        ({"dns": "10.0.0.5"}, 1),
        ({"dns": "::1"}, 1),
        ({"dns": "a", "to": ["b", "10.0.0.5.6"]}, 2),
        ({"dns": "a", "exactly": True}, 1),
    ],
)
def test_options_that_can_be_wrong(plain: dict[str, Any], count: int) -> None:
    options = a_check(plain).options
    assert len(options.problems()) == count
    assert options.presence()
    assert options.only_looks()


@pytest.mark.needs("getent")
def test_the_line_by_hand_asks_the_same() -> None:
    for family in (None, "ipv4"):
        words = shlex.split(a_check({"dns": "localhost", "family": family}).options.by_hand(None))
        assert subprocess.run(words, capture_output=True, timeout=20, check=False).returncode == 0
    gone = shlex.split(a_check({"dns": "no-such-host.invalid"}).options.by_hand(None))
    assert subprocess.run(gone, capture_output=True, timeout=20, check=False).returncode != 0
