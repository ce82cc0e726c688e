"""Printing: at any width nothing is lost; an output that fails stops no work; and who gets colour."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from runbook.show.page import Page
from runbook.show.printing import as_plain, is_terminal, print_page, wants_colour, write_text
from tests.places import PROJECT
from tests.show.test_page import Terminal, drawn, sample, uncoloured

LONG = "the error rate of the treated users was above the limit of two percent for more than five minutes in a row"


def long_page() -> Page:
    page = Page()
    page.verdict("NO-GO", "checkout · production", LONG)
    page.mark("NO", "error_rate < 2%", "now 7.5 %, bake 4.9 %", LONG, width=20)
    page.under(f"do: {LONG}")
    page.next(f"runbook incident note --incident 1 '{LONG}'")
    page.line("x" * 300)
    return page


def as_one_word(text: str) -> str:
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize("width", [1, 20, 21, 40, 80, 200])
def test_at_any_width_no_word_is_lost(width: int) -> None:
    told = uncoloured(drawn(long_page(), width=width))
    assert as_one_word(told) == as_one_word(as_plain(long_page()))


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    lines = uncoloured(drawn(long_page(), width=width)).splitlines()
    assert max(len(line) for line in lines) <= width


@pytest.mark.parametrize("width", [60, 80, 100])
def test_what_does_not_fit_is_moved_in_under_its_own_text(width: int) -> None:
    page = Page()
    page.mark("NO", "error_rate < 2%", LONG, width=20)
    first, *rest = uncoloured(drawn(page, width=width)).splitlines()
    assert first.startswith("  NO  error_rate < 2%")
    assert rest
    assert all(line.startswith("      ") and not line.startswith("       ") for line in rest)


def test_a_narrow_terminal_still_shows_a_table() -> None:
    page = Page()
    page.table(("when", "who", "what"), [("14:10:07", "ana", LONG)])
    told = uncoloured(drawn(page, width=40))
    assert max(len(line) for line in told.splitlines()) <= 40
    assert "ana" in told


def test_wide_characters_are_counted_by_their_columns() -> None:
    from rich.cells import cell_len

    page = Page()
    page.line("値" * 60, indent=4)
    lines = uncoloured(drawn(page, width=40)).splitlines()
    assert max(cell_len(line) for line in lines) <= 40
    assert "".join(line.strip() for line in lines) == "値" * 60


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("markdown", [False, True])
def test_a_full_disk_stops_nothing(colour: bool, markdown: bool) -> None:
    with pytest.raises(OSError, match="No space left"), Path("/dev/full").open("w") as full:
        print_page(sample(), full, colour=colour, markdown=markdown)
        write_text("x" * 100_000, full)
        full.write("only what is not printed by us raises, and so does closing")


@pytest.mark.parametrize("colour", [False, True])
def test_a_reader_that_went_away_stops_nothing(colour: bool) -> None:
    code = (
        "import os, sys\n"
        "from tests.show.test_page import sample\n"
        "from runbook.show.printing import print_page, write_text\n"
        "from runbook.cli.boundary import leave\n"
        "for _ in range(300):\n"
        f"    print_page(sample(), sys.stdout, colour={colour})\n"
        "write_text('the end')\n"
        "open(sys.argv[1], 'w').write('worked on')\n"
        "leave(0)\n"
    )
    marker = Path(os.environ["XDG_STATE_HOME"]).parent / f"reader-{colour}"
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(marker)], cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(10)
    process.stdout.close()
    assert process.wait(timeout=60) == 0
    assert process.stderr.read() == b""
    process.stderr.close()
    assert marker.read_text() == "worked on"


def test_a_closed_stream_stops_nothing() -> None:
    closed = io.StringIO()
    closed.close()
    print_page(sample(), closed, colour=False)
    write_text("x", closed)
    assert not is_terminal(closed)
    assert not is_terminal(None)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_where_a_character_cannot_be_shown_the_rest_is(encoding: str, tmp_path: Path) -> None:
    """The arrow of the marks and the dots of the screens are in no old encoding; the words around them are."""
    folder = tmp_path / "値"
    folder.mkdir()
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "RUNBOOK_PROJECT": str(folder)}
    argv = [sys.executable, "-m", "runbook", "playbooks"]
    done = subprocess.run(argv, cwd=PROJECT, env=environment, capture_output=True, timeout=60, check=False)
    assert "enrichment" in (done.stdout + done.stderr).decode(encoding)
    status = subprocess.run([*argv[:-1], "status"], cwd=PROJECT, env=environment, capture_output=True, check=False)
    told = (status.stdout + status.stderr).decode(encoding)
    assert "no playbook in" in told
    assert "\\u5024" in told


@pytest.mark.parametrize(
    ("environment", "no_color", "coloured"),
    [
        ({}, False, True),
        ({"NO_COLOR": "1"}, False, False),
        ({"NO_COLOR": ""}, False, True),
        ({"TERM": "dumb"}, False, False),
        ({}, True, False),
    ],
)
def test_who_gets_colour(
    environment: dict[str, str], no_color: bool, coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert wants_colour(Terminal(), no_color) is coloured
    assert not wants_colour(io.StringIO(), no_color)


def test_printing_changes_nothing_in_the_page() -> None:
    page = sample()
    before = as_plain(page)
    drawn(page)
    assert as_plain(page) == before
