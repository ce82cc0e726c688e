"""Generated parts are replaced; what people wrote around them stays to the byte."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runbook.reports.parts import PartsDamaged, begin_marker, end_marker, marked, merge, owner_of, parts_of

OWNER = "menu-local/1"


def part(name: str, text: str) -> str:
    return f"{begin_marker(name, OWNER)}\n{text}\n{end_marker(name)}\n"


def test_parts_are_found_with_their_owner() -> None:
    text = "# head\n" + part("one", "1") + "between\n" + part("two", "2\n2")
    assert [(one.name, one.owner, one.first, one.last) for one in parts_of(text)] == [
        ("one", OWNER, 1, 3),
        ("two", OWNER, 5, 8),
    ]
    assert owner_of(text) == OWNER and owner_of("nobody's\n") is None


def test_each_part_is_replaced_and_the_rest_stays() -> None:
    present = "mine\n" + part("one", "old") + "also mine  \n\n" + part("two", "old") + "end, without a line feed"
    merged = merge(present, part("one", "new") + "generated between\n" + part("two", "new\nand more"))
    assert merged.text == (
        "mine\n" + part("one", "new") + "also mine  \n\n" + part("two", "new\nand more") + "end, without a line feed"
    )
    assert merged.left_out == ()


def test_a_part_that_people_removed_stays_removed_and_is_named() -> None:
    merged = merge(part("one", "old"), part("one", "new") + part("two", "new"))
    assert merged.text == part("one", "new") and merged.left_out == ("two",)


def test_a_part_that_is_made_no_more_stays() -> None:
    assert merge(part("old", "kept") + part("one", "old"), part("one", "new")).text == part("old", "kept") + part(
        "one", "new"
    )


def test_parts_may_be_put_in_another_order_and_indented_text_is_no_marker() -> None:
    present = (
        part("two", "old") + "    " + part("one", "an example").replace("\n", "\n    ") + "\n" + part("one", "old")
    )
    made = part("one", "1") + part("two", "2")
    assert merge(present, made).text == present.replace(part("two", "old"), part("two", "2")).replace(
        "\n" + part("one", "old"), "\n" + part("one", "1")
    )


def test_line_ends_stay_as_they_are() -> None:
    present = ("mine\n" + part("one", "old")).replace("\n", "\r\n")
    assert merge(present, part("one", "a\nb")).text == ("mine\n" + part("one", "a\nb")).replace("\n", "\r\n")


def test_a_last_line_without_its_end_stays_without() -> None:
    assert merge(part("one", "old").rstrip("\n"), part("one", "new")).text == part("one", "new").rstrip("\n")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"{begin_marker('one', OWNER)}\nx\n", 1),
        (f"x\n{end_marker('one')}\n", 2),
        (f"{begin_marker('one', OWNER)}\n{begin_marker('two', OWNER)}\n{end_marker('two')}\n", 2),
        (f"{begin_marker('one', OWNER)}\n{end_marker('two')}\n", 2),
    ],
)
def test_markers_that_do_not_go_together_are_told_with_their_line(text: str, line: int) -> None:
    with pytest.raises(PartsDamaged) as damaged:
        parts_of(text)
    assert damaged.value.line == line


def test_a_document_without_markers_is_one_part() -> None:
    text = marked("somebody's own\n", OWNER)
    assert [(one.name, one.owner) for one in parts_of(text)] == [("report", OWNER)]
    assert marked(text, OWNER) == text


@settings(max_examples=200, deadline=None)
@given(
    around=st.lists(st.text(alphabet="ab #-<!>\r\n\t\x0c\u2028", max_size=12), min_size=3, max_size=3),
    old=st.text(alphabet="xy\n", max_size=8),
)
def test_whatever_stands_around_stays(around: list[str], old: str) -> None:
    before, between, after = (f"{text}\n" if text and not text.endswith("\n") else text for text in around)
    present = before + part("one", old) + between + part("two", old) + after
    merged = merge(present, part("one", "new") + part("two", "new")).text
    assert merged.startswith(before) and merged.endswith(after)
    again = merge(merged, part("one", "new") + part("two", "new"))
    assert again.text == merged
