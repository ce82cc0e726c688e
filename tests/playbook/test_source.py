"""From bytes to text: one encoding, nothing hidden."""

from __future__ import annotations

import pytest

from tests.playbook.reads import tree_of

HIDDEN = {
    "right-to-left override": "\u202e", "isolate": "\u2066", "zero width space": "\u200b", "word joiner": "\u2060",
    "joiner between letters": "\u200dx", "byte order mark inside": "\ufeff", "soft hyphen": "\u00ad",
    "line separator": "\u2028", "next line": "\u0085", "escape": "\x1b", "null": "\x00", "backspace": "\x08",
    "tag": "\U000e0041", "hangul filler": "\u3164", "arabic letter mark": "\u061c", "form feed": "\x0c",
}  # fmt: skip


@pytest.mark.parametrize("name", HIDDEN)
def test_hidden_characters_are_errors_where_they_stand(name: str) -> None:
    tree, reading = tree_of(f"a: 1\r\nb: ä{HIDDEN[name]}")
    assert tree is None
    (problem,) = reading.problems
    assert f"(U+{ord(HIDDEN[name][0]):04X})" in problem.message
    assert problem.place is not None and (problem.place.line, problem.place.column) == (2, 5)


@pytest.mark.parametrize("text", ["👩‍💻", "👨‍👩‍👧", "é", "e\u0301", "日本語", "عربى", "a\tb", "☎️"])
def test_what_people_write_is_no_hidden_character(text: str) -> None:
    tree, reading = tree_of(f"a: '{text}'")
    assert tree is not None and not reading.problems


def test_a_flood_of_hidden_characters_is_a_short_list() -> None:
    _, reading = tree_of("a: " + "\u200b" * 200_000)
    assert len(reading.problems) == 21
    assert reading.problems[-1].message == "199,980 more hidden characters"


ENCODINGS = {
    "utf-16": ("a: 1".encode("utf-16"), "UTF-16", 1, 1),
    "utf-16-be": (b"\xfe\xff" + "a: 1".encode("utf-16-be"), "UTF-16", 1, 1),
    "utf-32": ("a: 1".encode("utf-32"), "UTF-32", 1, 1),
    "latin-1": ("a: 1\nb: Käse".encode("latin-1"), "byte 0xe4 is not UTF-8", 2, 5),
    "surrogates": (b"a: \xed\xa0\x80", "byte 0xed is not UTF-8", 1, 4),
    "overlong": (b"a: \xc0\xaf", "byte 0xc0 is not UTF-8", 1, 4),
}


@pytest.mark.parametrize("name", ENCODINGS)
def test_another_encoding_is_named(name: str) -> None:
    data, message, line, column = ENCODINGS[name]
    _, reading = tree_of(data)
    (problem,) = reading.problems
    assert message in problem.message
    assert problem.place is not None and (problem.place.line, problem.place.column) == (line, column)


def test_a_mebibyte_is_read_and_a_byte_more_is_not() -> None:
    _, reading = tree_of("a: 1 # " + "x" * (1024 * 1024 - 7))
    assert not reading.problems
    _, reading = tree_of("a: 1 # " + "x" * (1024 * 1024 - 6))
    assert "1,048,577 bytes" in reading.problems[0].message
