"""Text of others: nothing that a terminal obeys comes through, nothing honest is lost."""

from __future__ import annotations

import html.parser
import json
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from runbook.system.harmless import harmless, harmless_html, harmless_markdown
from tests.places import shared

ESCAPES = [
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\",
    "\x1b]52;c;Y2F0\x07",
    "\x9b31m",
    "\x90q\x9c",
    "a\rb",
    "a\x08b",
    "\u202egpj.exe",
    "\u2066x\u2069",
    "a\u200bb\ufeff",
    "\U000e0041",
    "\ud800",
    "\x7f",
    "\u2028\u2029",
]


def is_dangerous(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")


def naughty() -> list[str]:
    text = shared("corpora/fuzzseeds/minimaxir__big-list-of-naughty-strings__blns.json").read_text()
    found: list[str] = json.loads(text)
    return found


def test_every_code_point_that_does_not_show_is_written_out() -> None:
    through = [
        f"U+{code:04X}"
        for code in range(sys.maxunicode + 1)
        if is_dangerous(chr(code)) and harmless(chr(code)) == chr(code)
    ]
    assert through == []


@pytest.mark.parametrize("text", ESCAPES)
def test_escapes_become_text(text: str) -> None:
    for lines in (False, True):
        shown = harmless(text, lines=lines)
        assert not any(is_dangerous(character) for character in shown)
        assert shown != text
    assert harmless("\x1b[31m\u202e\U000e0041\r\n") == "\\x1b[31m\\u202e\\U000e0041\\r\\n"


def test_naughty_strings() -> None:
    strings = naughty()
    assert len(strings) > 500
    for text in strings:
        for shown in (harmless(text), harmless(text, lines=True).replace("\n", ""), harmless_markdown(text)):
            assert not any(is_dangerous(character) for character in shown), text


@given(st.text(st.characters(), max_size=80))
def test_idempotent_and_clean(text: str) -> None:
    for lines in (False, True):
        shown = harmless(text, lines=lines)
        assert harmless(shown, lines=lines) == shown
        assert not any(is_dangerous(character) and character != "\n" for character in shown)
        cut = harmless(text, lines=lines, limit=10)
        assert len(cut) <= 10
        assert harmless(cut, lines=lines, limit=10) == cut


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=80))
def test_honest_text_is_unchanged(text: str) -> None:
    if not set(text) & set("\u115f\u1160\u3164\uffa0\u2800"):
        assert harmless(text) == text


def test_lines_are_kept_where_asked() -> None:
    assert harmless("a\r\nb\n\tc\rd", lines=True) == "a\nb\n    c\\rd"
    assert harmless("a\nb") == "a\\nb"


def test_ten_megabytes_on_one_line_are_cut() -> None:
    assert len(harmless("\x1b" * 10_000_000, limit=200)) == 200


MARKDOWN = [
    "[x](javascript:alert(1))",
    "![b](http://evil/b.png)",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "| a | b |",
    "```\nbreak out\n```",
    "~~~",
    "# heading",
    "- list",
    "+ list",
    "1. list",
    "1) list",
    "> quote",
    "**bold** __bold__ *it* _it_ ~~no~~",
    "http://evil.example/x",
    "https://evil.example",
    "www.evil.example",
    "me@evil.example",
    "<http://evil>",
    "&lt;script&gt;",
    "&#60;script&#62;",
    "[ref]: http://evil",
    "a\n\n---\n\nb",
    "    code",
    "line\\",
    "setext\n===",
    "$math$",
    "---",
]


@pytest.mark.parametrize("text", MARKDOWN)
@pytest.mark.parametrize("around", ["{}", "x {} y", "| {} | 1 |"])
def test_markdown_shows_it_as_it_is(text: str, around: str) -> None:
    written = around.format(harmless_markdown(text))
    if "|" in around:
        written = f"| a | b |\n| --- | --- |\n{written}\n"
    rendered = MarkdownIt("gfm-like", {"linkify": False, "html": True}).disable("linkify").render(written)
    tags = Tags()
    tags.feed(rendered)
    assert set(tags.seen) <= {"p", "table", "thead", "tbody", "tr", "th", "td"}
    assert tags.seen.count("td") in (0, 2)
    assert "".join(harmless(text).split()) in "".join(tags.text.split())


@pytest.mark.parametrize("text", [*MARKDOWN, '" onmouseover="x', "' x='"])
def test_html_has_no_active_content(text: str) -> None:
    tags = Tags()
    tags.feed(f'<i title="{harmless_html(text)}">{harmless_html(text)}</i>')
    assert tags.seen == ["i"]
    assert tags.attributes == [("title", harmless(text, lines=True))]


class Tags(html.parser.HTMLParser):
    """The tags, attributes and text of a piece of HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data
