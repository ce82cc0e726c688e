"""An undo gives back exact old text, but only where the present value is the one that the edit wrote."""

from __future__ import annotations

import msgspec
import pytest

from runbook.flags import env
from runbook.flags.changes import FlagChange
from runbook.flags.env_by_force import by_hand, force

BEFORE = b"export A='off' # main\nB=1\nA=no"


def written() -> tuple[bytes, tuple[FlagChange, ...]]:
    edited = env.edit(BEFORE, {"A": "on", "B": "2", "C": "3", "D": "4"})
    assert edited.data == b"export A='on' # main\nB=2\nA=on\nC=3\nD=4\n"
    return edited.data, edited.changes


def test_all_is_given_back() -> None:
    data, changes = written()
    undone = env.undo(data, changes)
    assert undone.data == BEFORE
    assert undone.restored == ("A", "B", "C", "D")
    assert undone.left == ()
    assert undone.diff[:2] == ("- export A='on' # main", "+ export A='off' # main")


def test_the_changes_survive_the_journal() -> None:
    data, changes = written()
    again = msgspec.json.decode(msgspec.json.encode(changes), type=tuple[FlagChange, ...])
    assert env.undo(data, again).data == BEFORE


def test_undone_twice_is_undone_once() -> None:
    data, changes = written()
    once = env.undo(data, changes)
    twice = env.undo(once.data, changes)
    assert (twice.data, twice.restored, twice.left) == (BEFORE, ("A", "B", "C", "D"), ())


def test_a_value_that_somebody_changed_is_left_and_told() -> None:
    data, changes = written()
    undone = env.undo(data.replace(b"B=2", b"B=9"), changes)
    assert undone.data == BEFORE.replace(b"B=1", b"B=9")
    assert undone.restored == ("A", "C", "D")
    assert undone.left == (("B", "9"),)


def test_one_of_two_places_that_somebody_changed_is_left() -> None:
    data, changes = written()
    undone = env.undo(data.replace(b"\nA=on\n", b"\nA=maybe\n"), changes)
    assert undone.data == BEFORE.replace(b"A=no", b"A=maybe")
    assert undone.left == (("A", "maybe"),)


def test_a_key_that_somebody_removed_is_left() -> None:
    data, changes = written()
    undone = env.undo(data.replace(b"B=2\n", b""), changes)
    assert undone.left == (("B", None),)
    assert b"B=" not in undone.data


def test_one_more_place_with_our_value_is_given_back_where_the_old_text_is_plain() -> None:
    edited = env.edit(b"A=1\n", {"A": "2"})
    assert env.undo(edited.data + b"A=2\n", edited.changes).data == b"A=1\nA=1\n"


def test_one_place_less_is_left_where_the_old_texts_differ() -> None:
    edited = env.edit(b"A=1\nA=2\n", {"A": "3"})
    undone = env.undo(b"A=3\n", edited.changes)
    assert (undone.data, undone.left) == (b"A=3\n", (("A", "3"),))


@pytest.mark.parametrize(
    ("now", "after"),
    [
        (b"B=1\nA=2\n", b"B=1"),
        (b"B=1\nA=2", b"B=1"),
        (b"B=1\nA=2\nC=3\n", b"B=1\nC=3\n"),
        (b"B=1\n\n# moved\nA=2\n", b"B=1\n\n# moved"),
        (b"B=1\n", b"B=1\n"),
    ],
)
def test_an_appended_key_is_removed_with_its_line_break(now: bytes, after: bytes) -> None:
    edited = env.edit(b"B=1", {"A": "2"})
    undone = env.undo(now, edited.changes)
    assert (undone.data, undone.restored) == (after, ("A",))


@pytest.mark.parametrize("now", [b"B=1\nA=3\n", b"B=1\nA=2 # kept\n", b"A=2\nA=2\n"])
def test_an_appended_key_that_somebody_touched_is_left(now: bytes) -> None:
    edited = env.edit(b"B=1", {"A": "2"})
    undone = env.undo(now, edited.changes)
    assert undone.data == now
    assert undone.left == (("A", env.values(now, ["A"])["A"]),)


def test_only_some_of_the_appended_keys() -> None:
    edited = env.edit(b"B=1", {"C": "3", "D": "4"})
    assert env.undo(edited.data, edited.changes[:1]).data == b"B=1\nD=4\n"
    assert env.undo(edited.data, edited.changes[1:]).data == b"B=1\nC=3\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"A='on' # kept\n", b"A='off' # kept\n"),
        (b"A: on\nB=1\n", b"A=off\nB=1\n"),
        (b'B="x\nA=on\nC="y"\n', b'B="x\nA=off\nC="y"\nA=off\n'),
        (b'A="on\n', b"A=off\n"),
        (b"A=caf\xe9\n", b"A=off\n"),
        (b"B='x\nA: 1\n'\nA: on", b"B='x\nA: 1\n'\nA=off"),
        (b"export A = \"x\" 'y'\r\nB=1\r\n", b"export A=off\r\nB=1\r\n"),
    ],
)
def test_an_emergency_rewrites_what_cannot_be_exact(before: bytes, after: bytes) -> None:
    forced = force(before, {"A": "off"})
    assert forced.data == after
    assert env.values(forced.data, ["A"]) == {"A": "off"}
    assert forced.changes[0].new == "off"


def test_an_emergency_stays_exact_for_the_other_keys() -> None:
    forced = force(b"A: on\nB='1' # note\n", {"A": "off", "B": "0", "C": "x"})
    assert forced.data == b"A=off\nB='0' # note\nC=x\n"


def test_lines_to_write_by_hand() -> None:
    assert by_hand({"A": "on", "B": "two words"}) == ["A=on", "B='two words'"]
