"""Answers that mean harm, or are merely broken: told in time, in little memory, never taken for an answer."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from runbook.system.http import HttpTrouble, Request, Response, fetch_now
from tests.hostile import BROKEN
from tests.servers import scripted

WITH_STATUS = {
    "401",
    "403",
    "404",
    "429",
    "500",
    "503",
    "304",
    "redirect elsewhere",
    "redirect to a file",
    "redirect to itself",
}


@pytest.mark.parametrize("name", BROKEN)
def test_told_within_the_deadline(name: str) -> None:
    with scripted({"/": BROKEN[name]}) as server:
        began = time.monotonic()
        answered = fetch_now(Request(f"{server.url}/"), 0.8)
        assert time.monotonic() - began < 1.5
    if name in WITH_STATUS:
        assert isinstance(answered, Response)
        assert answered.status // 100 != 2
    else:
        assert isinstance(answered, HttpTrouble)
        assert answered.message
        assert answered.phase in ("connect", "send", "wait", "read")
        assert answered.timed_out == (name in ("slow drip", "hang", "hang in the body", "endless interim answers"))


def test_memory_stays_small() -> None:
    """All of them in one process of their own, whose largest size is looked at."""
    code = """
import resource
from tests.hostile import BROKEN, BOMB
from tests.servers import scripted
from runbook.system.http import Request, fetch_now
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for name in ("a gigabyte", "endless chunks", "endless headers", "gzip bomb", "deflate bomb", "bomb in a bomb", "large"):
    with scripted({"/": BROKEN[name]}) as server:
        fetch_now(Request(server.url + "/"), 2)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    grown = int(done.stdout) * (1 if sys.platform == "darwin" else 1024)
    assert grown < 60 << 20
