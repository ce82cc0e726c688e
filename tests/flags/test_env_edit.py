"""What an edit makes of each shape of line."""

from __future__ import annotations

import codecs

import pytest

from runbook.flags import env
from runbook.flags.changes import EditRefused, FlagChange

SHAPES = [
    (b"A=old\n", "new", b"A=new\n"),
    (b"A='old'\n", "new", b"A='new'\n"),
    (b'A="old"\n', "new", b'A="new"\n'),
    (b"A=old # note\n", "new", b"A=new # note\n"),
    (b"A='old' # 'note'\n", "new", b"A='new' # 'note'\n"),
    (b"export A=old\n", "new", b"export A=new\n"),
    (b"  A\t=\told  \n", "new", b"  A\t=\tnew  \n"),
    (b"A=\n", "new", b"A=new\n"),
    (b"A=   \n", "new", b"A=new   \n"),
    (b"A= # note\n", "new", b"A=new # note\n"),
    (b"A=old\n", "", b"A=\n"),
    (b"A=old # note\n", "", b"A='' # note\n"),
    (b"A= old\n", "", b"A= ''\n"),
    (b"A='old'\n", "", b"A=''\n"),
    (b"A=old\n", "two words", b"A='two words'\n"),
    (b"A='old'\n", "it's", b'A="it\'s"\n'),
    (b'A="old"\n', "$HOME", b"A='$HOME'\n"),
    (b"A=two words # note\n", "three more words", b"A='three more words' # note\n"),
    (b'A="one\ntwo"\nB=1\n', "new", b'A="new"\nB=1\n'),
    (b"A=old\r\nB=1\r\n", "new", b"A=new\r\nB=1\r\n"),
    (b"A=old\rB=1\r", "new", b"A=new\rB=1\r"),
    (b"A=old", "new", b"A=new"),
    (codecs.BOM_UTF8 + b"A=old\n", "new", codecs.BOM_UTF8 + b"A=new\n"),
    (b"#A=old\nA=old\n# A=old\n", "new", b"#A=old\nA=new\n# A=old\n"),
    (b"A=1\nB=2\nexport A='3'\n", "new", b"A=new\nB=2\nexport A='new'\n"),
    (b"A=new\nA=old\n", "new", b"A=new\nA=new\n"),
    (b"B=caf\xe9\nA=old\n", "new", b"B=caf\xe9\nA=new\n"),
    (b'B="x\nA=inside\n"\nA=old\n', "new", b'B="x\nA=inside\n"\nA=new\n'),
    (b"AA=old\nA=old\nA_A=old\n", "new", b"AA=old\nA=new\nA_A=old\n"),
    (b"", "new", b"A=new\n"),
    (b"B=1\n", "new", b"B=1\nA=new\n"),
    (b"B=1", "new", b"B=1\nA=new\n"),
    (b"B=1\r\nC=2", "new", b"B=1\r\nC=2\r\nA=new\r\n"),
    (b"export B=1\n", "new", b"export B=1\nexport A=new\n"),
    (b"# A=old\n", "new", b"# A=old\nA=new\n"),
    (b"B=1\n\n\n", "two words", b"B=1\n\n\nA='two words'\n"),
]


@pytest.mark.parametrize(("before", "value", "after"), SHAPES)
def test_only_the_value_changes(before: bytes, value: str, after: bytes) -> None:
    edited = env.edit(before, {"A": value})
    assert edited.data == after
    assert env.undo(edited.data, edited.changes).data == before


def test_a_value_that_is_there_already_changes_nothing() -> None:
    edited = env.edit(b"A='on'\nB=1\n", {"A": "on", "B": "1"})
    assert (edited.data, edited.changes, edited.diff) == (b"A='on'\nB=1\n", (), ())


def test_several_keys_at_once_with_the_lines_shown() -> None:
    edited = env.edit(b"# flags\nexport A='off'  # main\nB=1\nA=off", {"A": "on", "C": "5", "D": "x y"})
    assert edited.data == b"# flags\nexport A='on'  # main\nB=1\nA=on\nC=5\nD='x y'\n"
    assert edited.diff == (
        "- export A='off'  # main",
        "+ export A='on'  # main",
        "- A=off",
        "+ A=on",
        "+ C=5",
        "+ D='x y'",
    )
    assert edited.changes == (
        FlagChange(key="A", old="off", new="on", old_raw=("'off'", "off")),
        FlagChange(key="C", old=None, new="5", appended="\nC=5\n"),
        FlagChange(key="D", old=None, new="x y", appended="D='x y'\n"),
    )


def test_a_value_in_several_lines_is_shown_whole() -> None:
    assert env.edit(b'A="one\ntwo"\n', {"A": "x"}).diff == ('- A="one', '- two"', '+ A="x"')


REFUSED = [
    (b"A=1\n", "a\nb", "line break"),
    (b"A=1\n", "a\rb", "line break"),
    (b"A=1\n", "a\0b", "invisible"),
    (b"A=1\n", "\u202eb", "invisible"),
    (b"A=1\n", "a\\", "differently"),
    (b"A=1\n", 'it\'s "x"', "differently"),
    (b"A=1\n", "${HOME}", "differently"),
    (b"A: 1\n", "2", "only some readers"),
    (b"B='x\nA: 1\n", "2", "only some readers"),
    (b'B="x\nA=1\nC="y"\n', "2", "only some readers"),
    (b"A=`one\n`\n", "2", "backticks"),
    (b"B=`x\nA=1\n`\n", "2", "unclosed quote"),
    (b"A=caf\xe9\n", "2", "not UTF-8"),
    (b"A=1\n# caf\xe9\n", "é", "not in UTF-8"),
    (b"A=\x001\n", "2", "NUL"),
    ("A=1\n".encode("utf-16"), "2", "UTF-16"),
]


@pytest.mark.parametrize(("data", "value", "reason"), REFUSED)
def test_what_cannot_be_exact_is_refused(data: bytes, value: str, reason: str) -> None:
    with pytest.raises(EditRefused, match=reason):
        env.edit(data, {"A": value})


def test_a_refusal_names_the_line_and_what_to_do() -> None:
    with pytest.raises(EditRefused) as caught:
        env.edit(b"# one\n\nA: 1\n", {"A": "2"})
    assert (caught.value.key, caught.value.line) == ("A", 3)
    assert caught.value.hint == "write it as A=2, outside any quotes"


@pytest.mark.parametrize("key", ["A B", "A=B", "", "1A", "A#", "-A", "Ä", "A\nB"])
def test_a_new_key_must_be_a_plain_name(key: str) -> None:
    with pytest.raises(EditRefused):
        env.edit(b"X=1\n", {key: "1"})


def test_values_as_readers_see_them() -> None:
    data = b"A=1\nA='two' # note\nB=\"x\\ty\"\nC\n D = a#b #c\n"
    expected = {"A": "two", "B": "x\ty", "C": None, "D": "a#b", "E": None}
    assert env.values(data, ["A", "B", "C", "D", "E"]) == expected
