"""A page is written once and printed three ways: the words are the same, and nothing in them is obeyed."""

from __future__ import annotations

import io
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.show.page import MARKS, STYLES, Page, Span, columns
from runbook.show.printing import as_markdown, as_plain, print_page

HOSTILE = [
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "\x1b]52;c;cHduZWQ=\x07",
    "\x9b31m",
    "\x90q\x9c",
    "over\rwritten",
    "\b\b\b",
    "\u202eevil\u202c",
    "zero\u200bwidth",
    "[/x]",
    "[link=https://x.test]here[/link]",
    "[bold]",
    ":smile:",
    "{x.__class__}",
    "{{ 7 * 7 }}",
    "%s%n",
    "```\n# heading",
    "| a | b |",
    "<script>alert(1)</script>",
    "![x](https://x.test/beacon)",
    "half \udc80 surrogate",
    "a\nb\u2028c",
    "\x00",
    "x" * 5_000,
]


def sample() -> Page:
    page = Page()
    page.verdict("NO-GO", "checkout · production", "", "canary@10")
    page.mark("ok", "Gate", "0.1 %", "< 2 %", width=20)
    page.mark("??", "A longer title than that", width=20)
    page.under("do: runbook release", "bold")
    page.blank()
    page.table(("name", "value"), [("a", 1), ("b", None), ("c", "x y")])
    page.text("two\nlines")
    page.next("runbook gate", "runbook status")
    return page


def drawn(page: Page, *, width: int = 80) -> str:
    """The page as rich draws it on a terminal of this width."""
    stream = Terminal()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", str(width))
        patch.setenv("TERM", "xterm-256color")
        print_page(page, stream, colour=True)
    return stream.getvalue()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def uncoloured(text: str) -> str:
    """Without the colours that rich puts in; any other escape stays."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def words(text: str) -> list[str]:
    return re.findall(r"[\w@%.·-]+", text)


def test_plain_is_one_line_a_line() -> None:
    assert as_plain(sample()).splitlines() == [
        "NO-GO  checkout · production  canary@10",
        "  ok  Gate                  0.1 %  < 2 %",
        "  ??  A longer title than that",
        "      do: runbook release",
        "",
        "name    value",
        "a       1",
        "b",
        "c       x y",
        "two",
        "lines",
        "Next: runbook gate",
        "      runbook status",
    ]


def test_the_three_ways_say_the_same_words() -> None:
    page = sample()
    plain = words(as_plain(page))
    assert words(uncoloured(drawn(page, width=200))) == plain
    markdown = as_markdown(page).replace("```text", "").replace("```", "")
    assert [word for word in words(markdown) if not set(word) <= {"-"}] == plain


def test_markdown_has_fenced_lines_and_real_tables() -> None:
    text = as_markdown(sample())
    assert text.count("```text\n") == 2
    assert text.count("```\n") == 2
    assert re.search(r"^\|\s*name\s*\|\s*value\s*\|$", text, re.MULTILINE)


def test_every_mark_and_verdict_has_a_colour_of_its_own() -> None:
    assert set(MARKS.values()) <= set(STYLES)
    coloured = drawn(sample())
    assert "\x1b[" in coloured
    assert "\x1b[" not in as_plain(sample()) + as_markdown(sample())


def hostile_page(text: str) -> Page:
    page = Page()
    page.verdict("GO", text)
    page.mark("ok", text, text, text, width=20)
    page.under(text)
    page.line(Span(text, "bold"), text)
    page.next(text, text)
    page.table(("h", "i"), [(text, text)])
    page.text(text)
    return page


def obeyed(text: str) -> set[str]:
    """The characters that a terminal obeys or does not show; line ends are ours."""
    return {one for one in text if one != "\n" and unicodedata.category(one) in ("Cc", "Cf", "Cs", "Zl", "Zp")}


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:20]))
def test_hostile_text_is_shown_and_not_obeyed(text: str) -> None:
    page = hostile_page(text)
    for printed in (as_plain(page), uncoloured(drawn(page)), as_markdown(page)):
        assert obeyed(printed) == set()
        printed.encode()


def test_markup_of_rich_is_only_text() -> None:
    page = Page()
    page.line("[/x] [bold]b[/bold] [link=https://x.test]here[/link] :smile: \\[")
    told = uncoloured(drawn(page, width=200))
    assert told == "[/x] [bold]b[/bold] [link=https://x.test]here[/link] :smile: \\[\n"
    assert "\x1b]8" not in drawn(page)


@pytest.mark.parametrize("text", ["```", "````", "`````js", "a ``` b", "~~~", "```\n```"])
def test_no_text_leaves_its_fence(text: str) -> None:
    page = Page()
    page.line("before")
    page.text(text)
    page.line("after")
    lines = as_markdown(page).splitlines()
    assert [number for number, line in enumerate(lines) if line.startswith("```")] == [0, len(lines) - 1]


@given(st.lists(st.text(), min_size=1, max_size=5))
def test_a_table_of_markdown_keeps_its_cells(cells: list[str]) -> None:
    page = Page()
    page.table([f"h{number}" for number in range(len(cells))], [cells])
    lines = as_markdown(page).rstrip("\n").split("\n")
    assert len(lines) == 3
    bars = [len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) for line in lines]
    assert bars == [len(cells) + 1] * 3


@given(st.text())
def test_whatever_is_said_is_one_line_and_harmless(text: str) -> None:
    page = Page()
    page.line("a", text, "b")
    told = as_plain(page)
    assert told.count("\n") == 1
    assert told.startswith("a")
    assert told.endswith("b\n")
    assert obeyed(told) == set()


def test_the_column_of_titles_is_as_wide_as_it_has_to_be_and_no_wider() -> None:
    assert columns([]) == 20
    assert columns(["x" * 25, "y"]) == 25
    assert columns(["x" * 99]) == 40
