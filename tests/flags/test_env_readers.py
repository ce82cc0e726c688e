"""The same value for every reader: python-dotenv itself, the shell itself, and dotenv for JavaScript as modelled."""

from __future__ import annotations

import io
import json
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest
from dotenv import dotenv_values
from hypothesis import given, settings
from hypothesis import strategies as st

from runbook.flags import env
from runbook.flags.changes import EditRefused
from runbook.flags.env_document import parse, read_as_javascript
from runbook.flags.env_values import forms_of
from tests.flags.variants import derived, keys_of, real_texts
from tests.places import shared

# fmt: off
HOSTILE = [
    'true', '0.05', '', ' lead', 'trail ', "it's", 'say "x"', 'a#b', 'a #b', '#', '$HOME', '$(touch canary)',
    '`touch canary`', '${HOME}', 'a\\', 'a\\nb', '\\', 'a\\\\b', "'", '"', "''", 'a\nb', 'a\rb', 'a\x00b',
    'export X=1', 'X=1 Y=2', '~', '~/x', 'a:~', '!x', '*', '?', '[a]', '{a,b}', 'a;touch canary', 'a&b',
    'a|b', 'a>canary', '(a)', 'é', '日本', '\xa0', '\u202e', '\ufeff', 'a\tb', '=', '==x', '-n', '%s',
    '{{7*7}}', '<%= x %>', '\x1b[0m', "a" * 5000, 'a\'b"c', '$', 'a$', '$$', 'a$b', 'a${', '\\$x', "\\'",
    'a\\"b', 'true # x', 'null', '1e3', '[1, 2]', '{"a": 1}', 'http://u:p@h/x?y=1&z=2#f', 'a,b,c',
]
# fmt: on
READ_BACK = 'set -a; . "$1" >/dev/null 2>&1; if [ -v "$2" ]; then printf "=%s" "${!2}"; fi'


def python_reads(data: bytes, key: str) -> str | None:
    return dotenv_values(stream=io.StringIO(data.decode("utf-8", "surrogateescape"))).get(key)


def shell_reads(data: bytes, key: str, folder: Path) -> str | None:
    """What bash has in `key` after reading the file; no program can be found from there."""
    (folder / "file.env").write_bytes(data)
    command = ["/bin/bash", "-c", READ_BACK, "bash", "./file.env", key]
    done = subprocess.run(command, cwd=folder, env={"PATH": "/nowhere"}, capture_output=True, timeout=20, check=False)
    text = done.stdout.decode("utf-8", "surrogateescape")
    return text[1:] if text.startswith("=") else None


@pytest.mark.parametrize("value", HOSTILE, ids=ascii)
def test_each_value_is_read_alike_or_refused(value: str, tmp_path: Path) -> None:
    if not Path("/bin/bash").exists():
        pytest.skip("there is no /bin/bash here")
    for before in (b"A=old\n", b"A='old'\n", b'A="old"\n', b"export A=old # note\n", b"B=1\n"):
        try:
            edited = env.edit(before, {"A": value})
        except EditRefused:
            assert forms_of(value) == ()
            continue
        assert python_reads(edited.data, "A") == value
        assert shell_reads(edited.data, "A", tmp_path) == value
        assert {one.key: one.value for one in read_as_javascript(edited.data.decode())}["A"] == value
        assert env.undo(edited.data, edited.changes).data == before
    assert [path.name for path in tmp_path.iterdir() if path.name != "file.env"] == []


def test_values_in_real_files_that_the_shell_could_read_before(tmp_path: Path) -> None:
    chosen = random.Random(6)
    texts = list(real_texts())
    tried = compared = 0
    while tried < 250:
        name, data = chosen.choice(texts)
        data = chosen.choice([data, *(made for _, made in derived(data))])
        key = chosen.choice([*keys_of(data), "RUNBOOK_ADDED"])
        value = chosen.choice(HOSTILE)
        old = parse(data).value_of(key)
        try:
            edited = env.edit(data, {key: value}).data
        except EditRefused:
            continue
        tried += 1
        assert python_reads(edited, key) == value, name
        if old is not None and shell_reads(data, key, tmp_path) == old:
            compared += 1
            assert shell_reads(edited, key, tmp_path) == value, (name, key, value)
    print(f"{tried} edits, {compared} of them compared in the shell")
    assert compared > 50


def test_refused_values_are_few() -> None:
    refused = [value for value in HOSTILE if not forms_of(value)]
    assert len(refused) <= 16, refused


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab =#'\"\\$`{}\n\r\t!é:.-", max_size=30), st.sampled_from(["x", "two words", "", "it's", "#"]))
def test_any_text_keeps_its_other_bytes(text: str, value: str) -> None:
    data = text.encode()
    try:
        edited = env.edit(data, {"a": value})
    except EditRefused:
        return
    assert env.values(edited.data, ["a"]) == {"a": value}
    assert [one for one in parse(edited.data).readings if one.key not in ("a", None)] == [
        one for one in parse(data).readings if one.key not in ("a", None)
    ]
    assert env.undo(edited.data, edited.changes).data == data


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_edited_or_refused(data: bytes) -> None:
    try:
        edited = env.edit(data, {"KEY": "1"})
    except EditRefused as refusal:
        assert refusal.reason
    else:
        assert env.undo(edited.data, edited.changes).data == data


def cases(library: str) -> list[dict[str, Any]]:
    """The published cases of one library that concern reading, not the expansion of `${...}`."""
    every = json.loads(shared("conformance/dotenv_semantics.json").read_text("utf-8"))
    wanted = (case for case in every if case["source"].startswith(library))
    return [case for case in wanted if not case["interpolate"] and case["match"] != "none"]


def test_the_published_cases_of_python_dotenv() -> None:
    chosen = cases("python-dotenv:")
    assert len(chosen) >= 25
    for case in chosen:
        document = parse(case["text"].encode())
        seen = {one.key: one.value for one in document.readings if one.key is not None}
        assert seen == case["expected"], case["id"]
        for key, value in case["expected"].items():
            assert value is None or document.value_of(key) == value, case["id"]


def test_the_published_cases_of_dotenv_for_javascript() -> None:
    chosen = cases("motdotla/dotenv:")
    assert len(chosen) >= 25
    for case in chosen:
        seen = {one.key: one.value for one in read_as_javascript(case["text"])}
        for key, value in case["expected"].items():
            assert seen.get(str(key)) == value, case["id"]


def test_published_edits_change_the_same_key_to_the_same_value() -> None:
    for case in json.loads(shared("conformance/dotenv_edits.json").read_text("utf-8")):
        edited = env.edit(case["before"].encode(), {case["key"]: case["value"]}).data
        assert python_reads(edited, case["key"]) == python_reads(case["after"].encode(), case["key"])
