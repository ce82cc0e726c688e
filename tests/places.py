"""Where the tests find the project, and the shared test data that may stand beside it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("RUNBOOK_TEST_SHARED", PROJECT.parent / "shared"))


def shared(relative: str) -> Path:
    """A file or folder of the shared test data; the test is skipped, saying so, where it is absent."""
    path = SHARED / relative
    if not path.exists():
        pytest.skip(f"shared test data is absent: {relative}")
    return path
