"""All kinds at once against bodies that grow in memory: the installed command stays small and ends in time."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from runbook.checks.answers import parse_json
from runbook.checks.findings import NotTaken
from tests.checks.hostile.kinds import ROWS, told
from tests.checks.hostile.peers import peer
from tests.command.project import REASONS, RUNBOOK, environment
from tests.hostile import BOMB, BROKEN, MORE_BROKEN, packed
from tests.servers import Script

MOST = 200 << 20  # bytes
DEADLINE = 4  # seconds
LIMIT = 5 << 20  # of a body, decoded


def wide(one: bytes, begin: bytes = b"[", end: bytes = b"]") -> Script:
    """A body just below the limit, of so many small parts."""
    return told(begin + one * ((LIMIT - 100) // len(one)) + one.rstrip(b",\n ") + end)


BODIES: dict[str, Script] = {
    "a gigabyte": BROKEN["a gigabyte"],
    "endless chunks": BROKEN["endless chunks"],
    "one byte a chunk": MORE_BROKEN["one byte a chunk, for ever"],
    "gzip bomb": packed(BOMB, "gzip"),
    "lists": wide(b"[],"),
    "objects of one key": wide(b'{"a":1},'),
    "texts": wide(b'"a",'),
    "keys": told("{" + ",".join(f'"k{number}":0' for number in range(430_000)) + "}"),
    "series": wide(
        b'{"metric":{},"value":[1,"1"]},', b'{"status":"success","data":{"resultType":"vector","result":[', b"]}}"
    ),
    "models": wide(b'{"name":"m"},', b'{"models":[', b"]}"),
    "lines": wide(b"a 1\n", b"", b""),
    "labels": wide(b'a="b",', b"shares{", b"} 1\n"),
    "a text": told('{"value": "' + "x" * (LIMIT - 20) + '"}'),
    "escapes": told('{"value": "' + "\\u0000" * ((LIMIT - 20) // 6) + '"}'),
    "deep": told(b"[" * (LIMIT - 10)),
}


def playbook_of(checks: list[dict[str, Any]]) -> str:
    """A playbook whose one checklist has these checks; YAML reads JSON."""
    named = [{"check": f"Number {number}", **check} for number, check in enumerate(checks)]
    document = {
        "runbook": 1, "service": "ranker", "environments": {"local": {"flags_in": {"env": "ranker.env"}}},
        "flags": {"percent": "SHARE", "safe": {"SHARE": 0}}, "checklists": {"ready": named},
    }  # fmt: skip
    return json.dumps(document)


# A process begins as large as the one that starts it: so it is started by one that is small.
START = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[2:], stdout=open(sys.argv[1], "wb"), stderr=subprocess.STDOUT)
_, status, usage = os.wait4(process.pid, 0)
process.returncode = os.waitstatus_to_exitcode(status)
print(process.returncode, usage.ru_maxrss)
"""


def measured(argv: list[str], folder: Path, env: Mapping[str, str]) -> tuple[int, str, int]:
    """How a command ended, what it said, and how large it or a child of it was at most, in bytes."""
    said = folder / "said.txt"
    started = [sys.executable, "-I", "-S", "-c", START, str(said), *argv]
    done = subprocess.run(started, cwd=folder, env=dict(env), stdin=subprocess.DEVNULL, capture_output=True, check=True)
    code, size = map(int, done.stdout.split())
    return code, said.read_text("utf-8"), size * (1 if sys.platform == "darwin" else 1024)


@pytest.mark.parametrize("name", BODIES)
def test_every_kind_at_once(name: str, tmp_path: Path) -> None:
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "ranker.env").write_text("SHARE=10\n")
    with peer(BODIES[name], tmp_path) as bomb:
        checks = [row.against(bomb) for row in ROWS if row.name not in ("http is there", "load")]
        (tmp_path / "playbooks" / "ranker.yaml").write_text(playbook_of(checks))
        argv = [str(RUNBOOK), "preflight", "--automatic", "--deadline", f"{DEADLINE}s", "--format", "json"]
        began = time.monotonic()
        code, said, size = measured(argv, tmp_path, environment())
        took = time.monotonic() - began
    assert REASONS[code] in ("no-go", "unknown"), said
    assert size < MOST, f"{size >> 20} MiB"
    assert took < DEADLINE + 3
    rows = json.loads(said)["checks"]
    assert {row["status"] for row in rows if row["title"].startswith("Number")} <= {"fail", "unknown"}
    assert "fault of the tool" not in said


def test_what_is_just_small_enough_is_read() -> None:
    """A list of as many parts as may be: the limit refuses nothing that is honest and large."""
    many = b"[" + b'{"a":1},' * 99_000 + b'{"a":1}]'
    assert len(parse_json(many)) == 99_001
    with pytest.raises(NotTaken, match="ask for less"):
        parse_json(b"[" + b"{}," * 100_001 + b"{}]")
    with pytest.raises(NotTaken, match="ask for less"):
        parse_json(b"[" + b"1," * 250_001 + b"1]")
