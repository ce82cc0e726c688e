"""Kinds that packages bring: found, refused with the reason, and looked for where packages are installed only."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook.checks.packages import plugins
from runbook.checks.packages.plugins import COMMON_WORDS, plugin, plugin_keys
from runbook.playbook.items import ACTION_KEYS, CHECK_KEYS
from runbook.playbook.metrics import FED_KEYS, METRIC_KEYS, METRICS_NOT_YET
from tests.plugin.wheels import Package, spool_package, unpacked

GOOD = """
from typing import ClassVar
from runbook.checks.api import Finding, Kind, Status

class Good(Kind, frozen=True, kw_only=True):
    '''Always there.'''
    KEY: ClassVar[str] = "pong"
    LOOKS_AT: ClassVar[str] = "nothing"
    EXAMPLE: ClassVar[str] = "{check: Good, pong: x}"
    pong: str

    async def look(self, around):
        return Finding(Status.PASS, value=1)
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder behind the standard library on the path, as site-packages is; what was found and loaded is forgotten."""
    folder = tmp_path / "wheels/site"
    monkeypatch.setattr(sys, "path", [*sys.path, str(folder)])
    before = set(sys.modules)
    forget()
    yield folder.parent
    forget()
    for name in set(sys.modules) - before:
        if name.startswith("runbook_"):
            del sys.modules[name]


def forget() -> None:
    plugins._offers.cache_clear()
    plugins._loaded.cache_clear()


def one(text: str, key: str = "pong", reference: str = "runbook_good:Good", version: str = "2.1") -> Package:
    return Package("runbook-good", text, {key: reference}, version)


def test_a_package_brings_its_kind(site: Path) -> None:
    unpacked(site, spool_package())
    found = plugin("spool")
    assert found is not None and found.trouble == "" and found.package == "runbook-spool 1.0"
    assert found.kind is not None and found.kind.KEY == "spool"
    assert plugin_keys() == ("spool",)
    assert plugin("nothing") is None


WRONG = [
    ("import gone_for_good\n" + GOOD, "cannot be imported: ModuleNotFoundError: No module named 'gone_for_good'"),
    ("raise SystemExit(3)", "cannot be imported: SystemExit: 3"),
    ("class Good(", "cannot be imported: SyntaxError"),
    ("class Good: pass", "Good is no subclass of runbook.checks.api.Kind"),
    ("Good = 5", "5 is no subclass"),
    ("from runbook.checks.api import Kind as Good", "Kind is no subclass"),
    ("other = 1", "there is no Good in its module runbook_good"),
    (GOOD.replace("    LOOKS_AT", "    LOOKED_AT"), "its class Good has no LOOKS_AT"),
    (GOOD.replace('"nothing"', '" "'), "its class Good has no LOOKS_AT"),
    (GOOD.replace("    EXAMPLE: ClassVar[str]", "    EXAMPLES: ClassVar[str]"), "has no EXAMPLE"),
    (GOOD.replace('= "pong"', '= "fine"'), "its entry point is called 'pong' and the KEY of its class is 'fine'"),
    (GOOD.replace("    pong: str", "    what: str"), "has no field 'pong'"),
    (GOOD.replace("    pong: str", "    pong: str\n    timeout: str = ''"), "its option 'timeout' is a word of every"),
    (GOOD.replace("    pong: str", "    pong: complex"), "cannot be imported: TypeError"),
    (GOOD.replace("async def look", "def look"), "has no method 'async def look'"),
    (GOOD.replace("async def look", "async def watch"), "has no method 'async def look'"),
    (GOOD.replace("    pong: str", "    TIMEOUT: ClassVar[float] = 0\n    pong: str"), "TIMEOUT of its class is 0"),
    (GOOD.replace("    pong: str", "    NEEDS: ClassVar[str] = '>= 99'\n    pong: str"), "it needs runbook >= 99, and"),
    (GOOD.replace("    pong: str", "    NEEDS: ClassVar[str] = '< 0.0.1'\n    pong: str"), "it needs runbook < 0.0.1,"),
    (GOOD.replace("    pong: str", "    NEEDS: ClassVar[str] = 'new'\n    pong: str"), "NEEDS names no version: 'new'"),
]


@pytest.mark.parametrize(("text", "why"), WRONG, ids=[why[:40] for _, why in WRONG])
def test_what_cannot_be_used_says_which_package_and_why(site: Path, text: str, why: str) -> None:
    unpacked(site, one(text))
    found = plugin("pong")
    assert found is not None and found.kind is None
    assert found.trouble.startswith("runbook-good 2.1") and why in found.trouble


@pytest.mark.parametrize(
    "reference", ["runbook_good", "runbook_good:", ":Good", "runbook good:Good", "runbook_good:a.b"]
)
def test_an_entry_point_that_leads_nowhere(site: Path, reference: str) -> None:
    unpacked(site, one(GOOD, reference=reference))
    found = plugin("pong")
    assert found is not None and found.kind is None and "runbook-good 2.1" in found.trouble


def test_what_its_import_prints_is_not_on_standard_output(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    unpacked(site, one("print('hello')\n" + GOOD))
    found = plugin("pong")
    assert found is not None and found.kind is not None
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("key", ["http", "all", "check", "timeout", "unit"])
def test_nothing_of_ours_can_be_replaced(site: Path, key: str) -> None:
    unpacked(site, one(GOOD.replace('= "pong"', f'= "{key}"'), key=key))
    assert plugin(key) is None
    (told,) = plugins.plugins()
    assert told.key == key and "is ignored" in told.trouble and told.trouble.startswith("runbook-good 2.1: ")


def test_two_packages_with_one_key_are_both_named(site: Path) -> None:
    unpacked(site, one(GOOD), Package("runbook-other", GOOD, {"pong": "runbook_other:Good"}, "3.0"))
    found = plugin("pong")
    assert found is not None and found.kind is None
    assert "runbook-good 2.1 and runbook-other 3.0; uninstall one" in found.trouble
    assert [each.package for each in plugins.plugins()] == ["runbook-good 2.1", "runbook-other 3.0"]


def test_a_broken_package_hides_no_other(site: Path) -> None:
    target = unpacked(site, spool_package(), one(GOOD))
    (target / "runbook_good-2.1.dist-info/entry_points.txt").write_bytes(b"[runbook.checks\n\xff\xfe")
    assert plugin_keys() == ("spool",)


def test_the_words_of_every_item_are_known_here() -> None:
    assert {*CHECK_KEYS, *METRIC_KEYS, *FED_KEYS, *METRICS_NOT_YET} <= COMMON_WORDS
    assert {key for key in ACTION_KEYS if key not in ("undo", "when")} <= COMMON_WORDS


def test_the_current_folder_is_not_searched(tmp_path: Path) -> None:
    planted = unpacked(tmp_path / "wheels", one(GOOD))
    code = "from runbook.checks.packages.plugins import plugin_keys; print(plugin_keys())"
    for path in (str(planted), "", ":/nowhere"):
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=planted, env={**os.environ, "PYTHONPATH": path}, text=True,
            capture_output=True, check=True, timeout=60,
        )  # fmt: skip
        assert done.stdout == "()\n"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(planted)}, text=True,
        capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout == "('pong',)\n"
