"""`${...}`: what is a reference, what is plain text, and where a mistake is shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.language.substitution import Reference, TemplateError, names_in, parse_template


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", ()),
        ("plain", ("plain",)),
        ("${HOME}", (Reference("HOME", None, 0, 7),)),
        ("a${B}c", ("a", Reference("B", None, 1, 4), "c")),
        ("${A:-x y}", (Reference("A", "x y", 0, 9),)),
        ("${A:-}", (Reference("A", "", 0, 6),)),
        ("${A:-http://h:1/x}", (Reference("A", "http://h:1/x", 0, 18),)),
        ("${percent}", (Reference("percent", None, 0, 10),)),
        ("${ask:eta}", (Reference("ask:eta", None, 0, 10),)),
        ("$40 and $HOME and $$", ("$40 and $HOME and $$",)),
        ("$${A}", ("${A}",)),
        ("$$${A}", ("$${A}",)),
        ("${A}${B}", (Reference("A", None, 0, 4), Reference("B", None, 4, 4))),
        ("{{ 7*7 }} %s {x.__class__}", ("{{ 7*7 }} %s {x.__class__}",)),
    ],
)
def test_pieces(text: str, pieces: tuple[object, ...]) -> None:
    assert parse_template(text).pieces == pieces


@pytest.mark.parametrize(
    ("text", "start", "width", "in_message", "in_hint"),
    [
        ("ab ${", 3, 2, "never closed", "$${"),
        ("${A", 0, 3, "never closed", "}"),
        ("x ${}", 2, 3, "'' is not a name", "${NAME}"),
        ("${Home}", 0, 7, "'Home' is not a name", "${HOME}"),
        ("${A-b}", 0, 6, "not a name", "$${"),
        ("${A%suffix}", 0, 11, "not a name", "$${"),
        ("${1}", 0, 4, "not a name", ""),
        ("${A:-${B}}", 0, 9, "cannot hold another", "write the default out"),
        ("${A\n}", 0, 5, "not a name", ""),
    ],
)
def test_mistakes_have_a_place(text: str, start: int, width: int, in_message: str, in_hint: str) -> None:
    with pytest.raises(TemplateError) as raised:
        parse_template(text)
    assert (raised.value.start, raised.value.width) == (start, width)
    assert in_message in raised.value.message
    assert in_hint in raised.value.hint


def test_names_in_order_each_once() -> None:
    assert names_in("${B} ${a} ${B} $${C}") == ("B", "a")


def test_context_is_lower_case() -> None:
    upper, lower = parse_template("${A}${a}").references
    assert not upper.is_context
    assert lower.is_context


@given(st.text(alphabet="$${}AB:-a x\n", max_size=40))
def test_any_text_is_read_or_refused_inside_itself(text: str) -> None:
    try:
        template = parse_template(text)
    except TemplateError as trouble:
        assert 0 <= trouble.start < len(text)
        assert trouble.start + trouble.width <= len(text)
        return
    for reference in template.references:
        assert text[reference.start : reference.start + reference.width].startswith("${" + reference.name)


@given(st.text(max_size=60))
def test_doubling_the_dollar_gives_the_text_back(text: str) -> None:
    escaped = text.replace("${", "$${")
    if "$$${" not in escaped:
        assert "".join(str(piece) for piece in parse_template(escaped).pieces) == text
