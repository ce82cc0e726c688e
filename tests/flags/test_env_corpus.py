"""Every real env file: one key changed, one appended; no other byte differs, and the undo gives all bytes back."""

from __future__ import annotations

import random

from runbook.flags import env
from runbook.flags.changes import EditRefused
from runbook.flags.env_document import parse
from tests.flags.variants import UTF16, derived, keys_of, real_files, real_texts

NEW = "RUNBOOK_ADDED"


def outside_of_values(data: bytes, key: str) -> list[str]:
    """The text of a file around the values of `key`."""
    document = parse(data)
    place, parts = 0, []
    for one in document.occurrences(key):
        parts.append(document.text[place : one.start])
        place = one.end
    return [document.mark.hex(), *parts, document.text[place:]]


def ensure_exact(data: bytes, key: str, value: str) -> None:
    edited = env.edit(data, {key: value})
    assert env.values(edited.data, [key]) == {key: value}
    if edited.changes and edited.changes[0].appended:
        assert edited.data == data + edited.changes[0].appended.encode()
    else:
        assert outside_of_values(edited.data, key) == outside_of_values(data, key)
    undone = env.undo(edited.data, edited.changes)
    assert undone.data == data
    assert undone.left == ()


def test_every_real_file_takes_a_value_and_gives_it_back() -> None:
    chosen = random.Random(3)
    tried = 0
    for name, data in real_texts():
        keys = keys_of(data)
        for key in [*chosen.sample(keys, min(1, len(keys))), NEW]:
            for value in ("0.05", "two words"):
                try:
                    ensure_exact(data, key, value)
                except (AssertionError, EditRefused) as error:
                    raise AssertionError(f"{name}: {key}={value}") from error
                tried += 1
    print(f"{tried} edits of {len(real_files())} files, all exact")
    assert tried >= 2 * len(real_files())


def test_every_key_of_the_larger_files() -> None:
    for name, data in sorted(real_texts(), key=lambda file: -len(file[1]))[:12]:
        for key in keys_of(data)[:40]:
            edited = env.edit(data, {key: "on"})
            assert env.undo(edited.data, edited.changes).data == data, (name, key)


def test_derived_files_are_exact_or_refused_with_a_reason() -> None:
    chosen = random.Random(4)
    tried, refused = 0, []
    for name, data in real_texts():
        for variant, made in chosen.sample(list(derived(data)), 3):
            keys = keys_of(made)
            for key in [*chosen.sample(keys, min(1, len(keys))), NEW]:
                tried += 1
                try:
                    ensure_exact(made, key, "10")
                except EditRefused as refusal:
                    assert refusal.reason
                    refused.append((name, variant, key))
    print(f"{tried} edits of derived files, {len(refused)} refused")
    assert tried > 900
    assert len(refused) <= tried // 100, refused


def test_the_file_in_utf_16_is_refused() -> None:
    (path,) = [path for path in real_files() if path.name in UTF16]
    try:
        env.edit(path.read_bytes(), {"A": "1"})
    except EditRefused as refusal:
        assert "UTF-16" in refusal.reason
    else:
        raise AssertionError("edited")
