"""The project's own files: nothing of one machine in them, every link leads somewhere, what is generated is current."""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import runbook
from tests.house.source import none_of
from tests.places import PROJECT

SKIPPED = {".git", ".venv", ".runbook", ".hypothesis", "__pycache__", "dist", "build"}
# Written in two halves, so that this file holds none of them.
OF_ONE_MACHINE = re.compile(
    "/wor"
    + r"k/|/tmp/"
    + r"spec|/roo"
    + r"t/|\.py"
    + r"env|pypi\."
    + r"org|python"
    + r"hosted|npmjs\."
    + r"org|deb\."
    + "debian"
)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+\s+(.*?)\s*$", re.MULTILINE)


def files() -> list[Path]:
    """What belongs to the project: what git knows or would take; without git, all but what is made."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    if listed.returncode == 0:
        paths = [PROJECT / name for name in listed.stdout.split("\0") if name]
    else:
        paths = [path for path in PROJECT.rglob("*") if not SKIPPED & set(path.relative_to(PROJECT).parts)]
    return sorted(path for path in paths if path.is_file())


def lines() -> Iterator[tuple[str, str]]:
    """Every line of every text file, with its place."""
    for path in files():
        data = path.read_bytes()
        if b"\0" not in data:
            for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
                yield f"{path.relative_to(PROJECT)}:{number}", line


def test_nothing_of_one_machine() -> None:
    none_of(f"{place}: {line.strip()[:120]}" for place, line in lines() if OF_ONE_MACHINE.search(line))


def test_nothing_is_left_of_a_merge() -> None:
    none_of(place for place, line in lines() if re.match(r"(<{7}|>{7}) ", line))


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as they are made from their words."""
    text = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(text)}


def test_every_link_leads_to_a_file() -> None:
    lost = []
    for page in files():
        if page.suffix != ".md" or "tests" in page.relative_to(PROJECT).parts:
            continue
        for target in LINK.findall(page.read_text("utf-8")):
            name, _, anchor = target.partition("#")
            there = page.parent / name if name else page
            if "://" in target or target.startswith("mailto:"):
                continue
            if not there.exists() or (anchor and there.suffix == ".md" and anchor not in anchors(there)):
                lost.append(f"{page.relative_to(PROJECT)}: {target}")
    none_of(lost)


def test_every_folder_of_the_house_is_there() -> None:
    for name in ("runbook", "playbooks", "templates", "completions", "tests", "docs", "benchmarks"):
        assert any(path.is_relative_to(PROJECT / name) for path in files()), name


def test_the_version_is_the_same_everywhere() -> None:
    declared = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert declared == runbook.__version__
    assert f"## {declared}" in (PROJECT / "CHANGELOG.md").read_text("utf-8")


def test_the_licence_is_the_whole_text() -> None:
    text = (PROJECT / "LICENSE").read_text("utf-8")
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_ci_runs_what_the_readme_tells() -> None:
    commands = [line for line in (PROJECT / ".ci/run").read_text("utf-8").splitlines() if line.startswith("make")]
    assert commands == ["make test"]
    assert "make test" in (PROJECT / "README.md").read_text("utf-8")


@pytest.mark.parametrize("command", ["demo", "test"])
def test_the_readme_names(command: str) -> None:
    assert re.search(rf"\bmake {command}\b", (PROJECT / "README.md").read_text("utf-8"))


def test_every_make_rule_has_its_words() -> None:
    text = (PROJECT / "Makefile").read_text("utf-8")
    declared = next(line for line in text.splitlines() if line.startswith(".PHONY:")).split()[1:]
    # Under `make test` an inner make would say which folder it enters.
    command = ["make", "--no-print-directory"]
    told = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    assert [line.split()[1] for line in told.splitlines()] == declared
