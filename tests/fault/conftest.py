"""Projects at a position, made once and copied for each test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fault.practice import Practice, copy, make

ARRIVE = {"dark@0": (), "tasters@10": ("10",), "tables@50": ("10", "50")}


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Practice]:
    """The one project at a position from which copies are taken."""
    projects: dict[str, Practice] = {}

    def at(position: str) -> Practice:
        if position not in projects:
            practice = make(tmp_path_factory.mktemp("made").resolve() / "p")
            for percent in ARRIVE[position]:
                practice.went("ramp", percent, "--yes")
            projects[position] = practice
        return projects[position]

    return at


@pytest.fixture
def project_at(tmp_path: Path, made: Callable[[str], Practice]) -> Callable[[str], Practice]:
    """A project of the test's own at a position."""
    return lambda position: copy(made(position), tmp_path.resolve() / "p")
