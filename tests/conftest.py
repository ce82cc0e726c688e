"""What holds for every test: a clean environment, and programs of the system that are asked for by name.

`@pytest.mark.needs("strace")` skips a test, saying so, where the program is missing; in CI it fails instead.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import hypothesis
import pytest

from tests.places import PROJECT

FOR_TESTS = "RUNBOOK_TEST_"
# What makes a terminal program look different on somebody else's machine.
LOOKS = (
    "NO_COLOR",
    "FORCE_COLOR",
    "CLICOLOR_FORCE",
    "PY_COLORS",
    "COLUMNS",
    "LINES",
    "TERMINAL_WIDTH",
    "GITHUB_ACTIONS",
)
IN_CI = os.environ.get("CI") == "true"


# Where servers lie that are in nobody's PATH: Debian keeps some apart, and the project installs one by npm for itself.
SERVER_FOLDERS = ("/usr/sbin", "/usr/lib/postgresql/*/bin", str(PROJECT / ".servers/node_modules/.bin"))


def pytest_configure(config: pytest.Config) -> None:
    found = [str(folder) for pattern in SERVER_FOLDERS for folder in Path("/").glob(pattern.lstrip("/"))]
    os.environ["PATH"] = os.pathsep.join([os.environ["PATH"], *found])
    config.addinivalue_line("markers", "needs(program): a program of the system that the test starts")
    _clean_environment()
    # Two cores serve several workers and their servers: how long one example takes says nothing.
    hypothesis.settings.register_profile("here", deadline=None)
    hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
    hypothesis.settings.load_profile("ci" if IN_CI else "here")


def _clean_environment() -> None:
    """Nothing of the person who runs the tests reaches the tool, and nothing that it keeps reaches their home."""
    for name in list(os.environ):
        if name in LOOKS or (name.startswith("RUNBOOK_") and not name.startswith(FOR_TESTS)):
            del os.environ[name]
    own = Path(tempfile.mkdtemp(prefix="runbook-tests-"))
    for name in ("STATE", "CONFIG", "CACHE", "DATA"):
        os.environ[f"XDG_{name}_HOME"] = str(own / name.lower())
    _MADE.append(own)


_MADE: list[Path] = []


def pytest_unconfigure() -> None:
    while _MADE:
        shutil.rmtree(_MADE.pop(), ignore_errors=True)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Names that a person can read and that are the same in every worker: packed bytes hold the time of packing."""
    return f"{argname}_{len(val)}_bytes" if isinstance(val, bytes) and len(val) > 12 else None


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("needs"):
        for program in mark.args:
            if shutil.which(program) is None:
                _miss(f"{program} is not on this machine; next: make servers")


def _miss(why: str) -> None:
    if IN_CI:
        pytest.fail(why, pytrace=False)
    pytest.skip(why)
