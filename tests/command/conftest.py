"""A fresh project for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command.project import Project, made_in


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with made_in(tmp_path / "project") as made:
        yield made


@pytest.fixture
def installed(project: Project) -> Project:
    """A project whose commands are those of the installed script, where the start itself is tried."""
    project.installed = True
    return project


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project at first@10 for tests that change nothing."""
    with made_in(tmp_path_factory.mktemp("standing") / "project") as made:
        yield made.at_first()
