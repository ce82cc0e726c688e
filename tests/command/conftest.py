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
