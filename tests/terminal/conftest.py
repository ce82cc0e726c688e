"""A fresh project for each test."""

from __future__ import annotations

from tests.command.conftest import project

__all__ = ["project"]
