"""YAML within limits: what it means, where it stands, and that a hostile text costs a problem and nothing else."""

from __future__ import annotations

import time

import pytest

from runbook.playbook.nodes import ListNode, MapNode, ScalarNode, node_of, plain_of
from tests.playbook.reads import tree_of

LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join(['*' + before] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
HOSTILE = {
    "a python object": ("a: !!python/object:os.system x", "the tag !!python/object:os.system", 1, 4),
    "a call": ("a: !!python/object/apply:os.system [ls]", "the tag !!python/object/apply:os.system", 1, 4),
    "a tag of another language": ("a: 1\nb: !ruby/object:X {}", "the tag !ruby/object:X", 2, 4),
    "binary": ("a: !!binary aGVsbG8=", "the tag !!binary", 1, 4),
    "a set": ("a: !!set {x}", "the tag !!set", 1, 4),
    "laughs": (LAUGHS, "aliases repeat more than 10,000 values", 5, 8),
    "an alias in itself": ("a: &x [1, *x]", "*x stands inside itself", 1, 11),
    "an alias in its own mapping": ("a: &x {b: {c: *x}}", "*x stands inside itself", 1, 15),
    "an alias to nothing": ("a: &one 1\nb: *on", "*on refers to nothing", 2, 4),
    "brackets": ("[" * 3000, "nested deeper than 64 levels", 1, 65),
    "braces": ("{a: " * 3000, "nested deeper than 64 levels", 1, 257),
    "indentation": ("\n".join(" " * n + "a:" for n in range(80)), "nested deeper than 64 levels", 65, 65),
    "nested aliases": (
        "a: &a " + "[" * 40 + "]" * 40 + "\nb: " + "[" * 40 + "*a" + "]" * 40,
        "nested deeper than 64 levels",
        2,
        44,
    ),
    "two documents": ("a: 1\n---\nb: 2", "a second document begins here", 2, 1),
    "a long number": ("a: " + "9" * 5000, "a number of 5,000 characters is too long", 1, 4),
    "a large number": ("a: 1e999", "the number 1e999 is too large", 1, 4),
    "a key that stands twice": ("a: 1\nb: 2\na: 3", "the key 'a' stands twice", 3, 1),
    "a key that stands twice in braces": ("x: {a: 1, a: 2}", "the key 'a' stands twice", 1, 11),
    "a number as key": ("1: x", "the key 1 is no text", 1, 1),
    "a truth value as key": ("a: {true: x}", "the key true is no text", 1, 5),
    "a list as key": ("? [a]\n: x", "a key has to be text", 1, 3),
    "a merge of a value": ("<<: 5\na: 1", "'<<' takes a mapping", 1, 5),
    "nothing": ("", "the file is empty", 1, 1),
    "only a comment": ("# soup\n", "the file is empty", 1, 1),
}
NO_YAML = {
    "a quote left open": ('a: 1\nb: "x\nc: 2', "a quote is opened here and never closed", 2, 4),
    "a bracket left open": ("a: [1, 2\nb: 3", "a '[' is opened here and not closed", 1, 4),
    "a tab": ("a:\n\tb: 1", "a tab cannot indent", 2, 1),
    "a colon too many": ("a: b: c", "a ': ' cannot stand here", 1, 5),
    "an at sign": ("a: @home", "a value cannot begin with '@'", 1, 4),
    "a percent sign": ("a: %home", "a value cannot begin with '%'", 1, 4),
    "a backtick": ("a: `ls`", "a value cannot begin with '`'", 1, 4),
    "a bare comparison": ("a: > 0.1", "'>' and '|' at the start of a value begin a block", 1, 4),
    "a list in the line of its key": ("a: - b", "a list cannot begin here", 1, 4),
    "a bracket too many": ("a: ]", "a value was expected here", 1, 4),
    "an unknown escape": ('a: "\\q"', "an unknown \\ escape", 1, 5),
    "a list that ends badly": ("- a\nb: 1", "a list ends in something that is no item", 2, 1),
    "an undefined handle": ("a: !x!y 1", "a tag is not part of the language", 1, 4),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_are_problems_with_places(name: str) -> None:
    text, message, line, column = HOSTILE[name]
    started = time.monotonic()
    _, reading = tree_of(text)
    assert time.monotonic() - started < 1
    problem = reading.problems[0]
    assert message in problem.message
    assert problem.place is not None
    assert (problem.place.line, problem.place.column) == (line, column)


@pytest.mark.parametrize("name", NO_YAML)
def test_what_is_no_yaml_is_one_problem_in_plain_words(name: str) -> None:
    text, message, line, column = NO_YAML[name]
    tree, reading = tree_of(text)
    assert tree is None
    (problem,) = reading.problems
    assert message in problem.message and problem.message.startswith("this is no YAML")
    assert problem.place is not None
    assert (problem.place.line, problem.place.column) == (line, column)


AS_WRITTEN = [
    "on", "off", "yes", "no", "y", "n", "On", "NO", "0777", "0o777", "0x1F", "0b11", "12:30:45", "190:20:30", "1_000",
    "2025-12-20", "2025-12-20T10:00:00Z", "1.2.3", "1e", ".5", "5.", "0.", "+", "1,000", "5%", "24h", ".inf",
    "-.inf", ".nan", "NaN", "Infinity", "nUll", "tRue", "=", "<", "1 000", "0.1.0", "٣", "+-",
]  # fmt: skip
MEANING = {
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "null": None, "~": None, "": None,
    "0": 0, "-7": -7, "+5": 5, "10": 10, "0.050": 0.05, "-1.5": -1.5, "1e3": 1000.0, "1.5E-3": 0.0015,
    "'5'": "5", '"true"': "true", "''": "", "!!str 5": "5", "! 5": "5",
}  # fmt: skip


@pytest.mark.parametrize("text", AS_WRITTEN)
def test_other_words_stay_as_written(text: str) -> None:
    tree, reading = tree_of(f"a: {text}")
    assert not reading.problems
    assert tree is not None and plain_of(tree) == {"a": text}


@pytest.mark.parametrize("text", MEANING)
def test_few_words_mean_something(text: str) -> None:
    tree, _ = tree_of(f"a: {text}")
    assert tree is not None
    value = plain_of(tree)["a"]
    assert value == MEANING[text] and type(value) is type(MEANING[text])


def test_the_text_is_kept_beside_the_value() -> None:
    tree, _ = tree_of("a: 0.050")
    assert isinstance(tree, MapNode)
    node = tree.get("a")
    assert isinstance(node, ScalarNode) and (node.value, node.text) == (0.05, "0.050")


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_places_are_those_that_an_editor_shows(mark: str, end: str) -> None:
    tree, reading = tree_of(mark + end.join(["first: {ä: 'x', b: [1, \"two\"]}", "# …", "second:", "  - third: a b"]))
    assert isinstance(tree, MapNode) and not reading.problems
    first = tree.get("first")
    assert isinstance(first, MapNode)
    assert (first.entries["ä"].place.line, first.entries["ä"].place.column) == (1, 9)
    quoted = first.get("ä")
    assert isinstance(quoted, ScalarNode)
    assert (quoted.place.column, quoted.place.width, quoted.part(0, 1).column, quoted.part(0, 1).width) == (
        12,
        3,
        13,
        1,
    )
    second = tree.get("second")
    assert isinstance(second, ListNode) and isinstance(second.items[0], MapNode)
    third = second.items[0].entries["third"]
    assert (third.place.line, third.place.column, third.place.width) == (4, 5, 5)
    assert (third.node.place.column, third.node.place.width) == (12, 3)


@pytest.mark.parametrize("text", ['"a\\tb"', "|\n  a", ">-\n  a\n  b", "&x a", '"a\n  b"', "a\n  b"])
def test_offsets_in_a_text_that_is_not_its_line_are_not_told(text: str) -> None:
    tree, _ = tree_of(f"a: {text}")
    node = tree.get("a") if isinstance(tree, MapNode) else None
    assert isinstance(node, ScalarNode) and node.lead is None
    assert node.part(1, 1) == node.place


def test_aliases_and_merge_keys_mean_what_yaml_says() -> None:
    lines = ["a: &a {x: 1, y: 1}", "b: {<<: *a, y: 2}", "c: {y: 3, <<: [{z: 4}, *a, {z: 5}]}", "d: *a", "'<<': e"]
    tree, reading = tree_of("\n".join(lines))
    assert not reading.problems and tree is not None
    assert plain_of(tree) == {
        "a": {"x": 1, "y": 1},
        "b": {"x": 1, "y": 2},
        "c": {"x": 1, "y": 3, "z": 4},
        "d": {"x": 1, "y": 1},
        "<<": "e",
    }


def test_ten_thousand_aliased_values_are_read() -> None:
    tree, reading = tree_of("a: &a [" + "1," * 98 + "1]\nb: [" + "*a," * 99 + "*a]")
    assert not reading.problems and tree is not None
    _, reading = tree_of("a: &a [" + "1," * 98 + "1]\nb: [" + "*a," * 100 + "*a]")
    assert reading.problems


def test_plain_data_comes_back_out_of_a_tree_over_it() -> None:
    tree, _ = tree_of("a: [1, 2.5, true, null, text, {b: {}}, []]")
    assert isinstance(tree, MapNode)
    plain = plain_of(tree)
    assert plain_of(node_of(plain, tree.place)) == plain == {"a": [1, 2.5, True, None, "text", {"b": {}}, []]}
