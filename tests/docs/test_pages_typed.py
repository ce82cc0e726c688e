"""The commands of each page, typed in order in a new folder, end as the page says and print what it shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.tutorial import DOCS, leave, pages, steps_of, walk

PAGES = [path.relative_to(DOCS).as_posix() for path in pages()]


def first_word(printed: str) -> str:
    """The word that a reader sees first: GO, NO-GO, SAFE, a mark."""
    return next(iter(printed.split()), "")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_can_be_typed(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "search"
    folder.mkdir()
    try:
        for step, came in walk(steps_of(DOCS / name), folder):
            assert came.status == step.status, f"{step.body}{came.printed}"
            if step.printed is not None:
                told = f"{step.body}printed now:\n{came.printed}\nnext: python -m tools.tutorial docs/{name}"
                assert first_word(came.printed) == first_word(step.printed), told
    finally:
        leave(folder)


def test_the_tutorial_shows_every_output() -> None:
    steps = [step for step in steps_of(DOCS / "tutorial.md") if not step.file]
    assert len(steps) > 15
    assert [step.body for step in steps if step.printed is None] == []


def test_a_command_that_ends_otherwise_is_told(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```sh run exit=3\nexit 2\n```\n\n```text output\nshown\n```\n", "utf-8")
    ((step, came),) = walk(steps_of(page), tmp_path)
    assert (step.status, came.status, step.printed) == (3, 2, "shown\n")
