"""Projects at a position, made once and copied for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fault.calls import Call, record
from tests.fault.practice import Practice, copy, end_started, make
from tests.fault.scenarios import RAMP

ARRIVE = {"dark@0": (), "tasters@10": ("10",), "tables@50": ("10", "50")}


@pytest.fixture(autouse=True)
def nothing_left_running() -> Iterator[None]:
    yield
    end_started()


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


@pytest.fixture(scope="session")
def ramp_calls(made: Callable[[str], Practice], tmp_path_factory: pytest.TempPathFactory) -> list[Call]:
    """The calls of a ramp from 10 to 50 that touch the project, in order: the same in every copy."""
    # Once before it counts: the first run in a new checkout compiles modules, which are calls that none makes again.
    record(copy(made("tasters@10"), tmp_path_factory.mktemp("warm").resolve() / "p"), *RAMP)
    calls, ran = record(copy(made("tasters@10"), tmp_path_factory.mktemp("recorded").resolve() / "p"), *RAMP)
    assert ran.code == 0, ran
    return calls
