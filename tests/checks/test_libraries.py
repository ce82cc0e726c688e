"""Libraries that only some kinds need: what is told where one is missing can be typed, and brings the right thing."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import pytest

from runbook.checks.libraries import LIBRARIES, PROGRAMS, Library, installing, not_here
from runbook.checks.registry import BUILT_IN
from tests.checks.looking import looked
from tests.places import PROJECT

EXTRAS = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]


def test_the_line_is_one_of_the_interpreter_in_use() -> None:
    assert shlex.split(installing("psycopg[binary]")) == [sys.executable, "-m", "pip", "install", "psycopg[binary]"]
    assert not_here("psycopg", "a", "b").startswith("psycopg is not here; next: ")


@pytest.mark.parametrize("with_pip", [True, False])
def test_the_line_fits_the_environment(tmp_path: Path, with_pip: bool) -> None:
    """In an environment whose path needs quotes, with pip and as uv makes them."""
    folder = tmp_path / "two words"
    venv.create(folder, with_pip=False)
    if with_pip:
        (packages,) = folder.glob("lib/python*/site-packages")
        (packages / "pip.py").touch()
    code = "from runbook.checks.libraries import installing; print(installing('psycopg[binary]'))"
    python = folder / "bin/python"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True, cwd=PROJECT)
    words = shlex.split(done.stdout)
    assert words[-1] == "psycopg[binary]"
    assert str(python) in words
    assert words[0] == (str(python) if with_pip else "uv")


@pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: library.module)
def test_the_extra_brings_it(library: Library) -> None:
    assert library.package in [re.split(r"[<>=!~]", requirement)[0] for requirement in EXTRAS[library.extra]]


def test_each_is_of_a_kind_that_there_is() -> None:
    assert {each.kind for each in (*LIBRARIES, *PROGRAMS)} <= set(BUILT_IN)


def test_what_is_installed_has_its_version_and_nothing_is_imported() -> None:
    code = """
import sys
from runbook.checks.libraries import LIBRARIES
print([each.version for each in LIBRARIES])
print(sorted({each.module.partition(".")[0] for each in LIBRARIES} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PROJECT)
    versions, imported = done.stdout.splitlines()
    assert "None" not in versions
    assert imported == "[]"


def test_cosmos_without_a_key_names_what_finds_an_account() -> None:
    code = """
import sys
for name in NAMES:
    sys.modules[name] = None
from tests.checks.looking import looked
row = looked({"cosmos": "https://127.0.0.1:1", "database": "d", "container": "c", "query": "q", "expect": "== 1"})
print(row.status.value, row.message)
"""
    for names, told in (
        (["azure.identity"], ["azure-identity"]),
        (["azure.cosmos"], ["azure-cosmos", "azure-identity"]),
    ):
        typed = code.replace("NAMES", repr(names))
        done = subprocess.run([sys.executable, "-c", typed], capture_output=True, text=True, check=True, cwd=PROJECT)
        assert done.stdout.startswith("unknown ")
        assert done.stdout.strip().endswith(f"; next: {installing(*told)}")


def test_a_driver_that_is_missing_is_named_with_its_line() -> None:
    row = looked({"sql": "oracle://u:canary@h/d", "query": "select 1", "expect": "== 1"})
    assert row.message.endswith(f"; next: {installing('oracledb')}")


def test_no_message_sends_to_a_package_of_the_same_name() -> None:
    for path in sorted((PROJECT / "runbook").rglob("*.py")):
        assert not re.search(r"install [\"']*runbook\b", path.read_text("utf-8")), path
