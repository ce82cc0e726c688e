"""Text from elsewhere stays text: no link, image, HTML, fence, heading, table cell or line of its own comes of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runbook.reports.parts import parts_of
from runbook.reports.templates import Templates, readable
from runbook.system.harmless import harmless
from tests.reports.making import OWNER, gone_wrong, make_site, parser, rendered

PAYLOADS = (
    "[click](http://evil.example/)",
    "![beacon](http://evil.example/x.png)",
    "<img src=http://evil.example/x.png onerror=alert(1)>",
    "<script>alert(1)</script>",
    "<!-- hidden",
    "--> shown <!--",
    "<!-- runbook:end timeline -->",
    "\n<!-- runbook:end timeline -->\n",
    "<details><summary>more</summary>",
    "a | b | c",
    "|---|---|",
    "\\| | escaped twice",
    "`` ` code ```",
    "```\nfence\n```",
    "~~~ fence ~~~",
    "\n# heading\n",
    "# heading",
    "\n\n---\n\n",
    "- item\n- item",
    "1. one",
    "> quote",
    "**bold** __bold__ *it* _it_ ~~gone~~",
    "[x]: http://evil.example/ \"t\"",
    "[^1]: note",
    "<http://evil.example/>",
    "http://evil.example/ www.evil.example",
    "mailto:a@evil.example a@evil.example",
    "@everyone #1 :boom:",
    "&lt;b&gt; &#60; &nbsp;",
    "$$x^2$$ $`x`$",
    "\x1b[31mred\x1b[0m \x07 \x9b2J",
    "\u202egnp.exe \u200b\u2066",
    "line one\r\nline two\rline three\u2028four",
    "\ud800 half",
    "{{ report }} {% raw %} {# #}",
    "${HOME} %s {0.__class__}",
    "x" * 5_000,
    "=cmd|' /C calc'!A0",
    "\t\tindented",
    "    code by indent",
)  # fmt: skip
PLACES = ("title", "note", "observed", "hold", "step", "message", "place", "key", "value", "to", "reason")
DOCUMENTS = ("incident_report.md", "post_mortem.md")
ALLOWED = {"text", "text_special", "code_inline", "strong_open", "strong_close", "em_open", "em_close", "softbreak"}


@pytest.fixture(scope="module")
def innocent(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The documents as they are with harmless words."""
    site = make_site(tmp_path_factory.mktemp("innocent"))
    gone_wrong(site)
    return {name: rendered(site, name) for name in DOCUMENTS}


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_comes_of_hostile_text(tmp_path: Path, payload: str, innocent: dict[str, str]) -> None:
    site = make_site(tmp_path)
    gone_wrong(site, **dict.fromkeys(PLACES, payload))
    for name in DOCUMENTS:
        text = rendered(site, name)
        assert _shape(text) == _shape(innocent[name])
        assert [part.name for part in parts_of(text)] == [part.name for part in parts_of(innocent[name])]
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)


def _shape(text: str) -> list[tuple[str, str]]:
    """The blocks of a document, and that nothing inside them is more than text and the template's own emphasis."""
    tokens = parser().parse(text)
    for token in tokens:
        kinds = {child.type for child in token.children or ()}
        assert kinds <= ALLOWED, f"{kinds - ALLOWED} in {token.content[:200]}"
        if token.type == "html_block":
            assert re.fullmatch(r"(<!-- .* -->\s*)+", token.content), token.content
    return [(token.type, token.tag) for token in tokens if token.type != "inline"]


@settings(max_examples=600, deadline=None)
@given(st.text(max_size=80))
@example("a_b _c_ d_ > e -> f@10 g@1.5 h@10.x --> i")
@example("snake_case_ _x y_ 2 > 1 a@10, b@10.")
def test_what_is_shown_is_the_text_itself(text: str) -> None:
    """Read as Markdown, a harmless text is one run of plain text and says what the text said."""
    shown = readable(text)
    (inline,) = [token for token in parser().parse(f"begin {shown} end") if token.type == "inline"]
    assert inline.children is not None
    assert {child.type for child in inline.children} <= {"text", "text_special"}
    assert "".join(child.content for child in inline.children) == f"begin {harmless(text.strip())} end"


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="a1_ >-&<;@|`*.\\[]()!#\n", max_size=40))
def test_a_cell_of_a_table_stays_one_cell(text: str) -> None:
    table = f"| h | i |\n|---|---|\n| {readable(text)} | end |\n"
    tokens = parser().parse(table)
    cells = [tokens[n + 1].content for n, token in enumerate(tokens) if token.type == "td_open"]
    assert len(cells) == 2 and cells[1] == "end"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("error_rate > 5% -> rollback", "error_rate > 5% -> rollback"),
        ("canary@10", "canary@10"),
        ("canary@12.5", "canary\\@12.5"),
        ("ana@app.example", "ana\\@app.example"),
        ("_x_ > y", "\\_x\\_ > y"),
        ("x --> y", "x --&gt; y"),
        ("> x", "&gt; x"),
        ("a--> x", "a--&gt; x"),
        ("< 5 &gt; x", "&lt; 5 &amp;gt; x"),
    ],
)
def test_only_needless_escapes_are_left_out(text: str, shown: str) -> None:
    assert readable(text) == shown


def test_code_is_code_or_plain_text(tmp_path: Path) -> None:
    folder = tmp_path / "templates"
    folder.mkdir()
    rows = "{% for x in given %}\n| {{ x|code }} | end |\n{% endfor %}"
    (folder / "mine.md").write_text(f"| a | b |\n|---|---|\n{rows}")
    tokens = parser().parse(Templates(tmp_path).render("mine", OWNER, {"given": PAYLOADS}))
    cells = [tokens[n + 1] for n, token in enumerate(tokens) if token.type == "td_open"]
    assert [cell.content for cell in cells[1::2]] == ["end"] * len(PAYLOADS)
    for cell in cells[::2]:
        assert {child.type for child in cell.children or ()} <= {"text", "text_special", "code_inline"}
