"""The file of `-o` is written whole: a reader sees the old text or the new one."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from runbook.cli.output_file import append_within, refuse_unwritable, write_whole
from runbook.system.refusals import Exit, Refusal


def test_a_new_file_can_be_read_by_others(tmp_path: Path) -> None:
    path, mask = tmp_path / "out", os.umask(0o022)
    try:
        write_whole(path, "new\n")
    finally:
        os.umask(mask)
    assert path.read_text() == "new\n"
    assert path.stat().st_mode & 0o777 == 0o644


def test_the_mask_of_the_process_holds_and_stays(tmp_path: Path) -> None:
    mask = os.umask(0o077)
    try:
        write_whole(tmp_path / "out", "x")
        assert os.umask(0o077) == 0o077
    finally:
        os.umask(mask)
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o600


def test_a_reader_never_sees_half(tmp_path: Path) -> None:
    path, ended = tmp_path / "out", threading.Event()
    whole = {letter * 200_000 for letter in "ab"}
    write_whole(path, "a" * 200_000)
    seen: set[str] = set()

    def read() -> None:
        while not ended.is_set():
            seen.add(path.read_text())

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(60):
        write_whole(path, "ab"[number % 2] * 200_000)
    ended.set()
    reader.join()
    assert seen and seen <= whole
    assert [one.name for one in tmp_path.iterdir()] == ["out"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    link.symlink_to(target)
    write_whole(link, "new")
    assert link.is_symlink() and target.read_text() == "new"


def test_a_pipe_is_written_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(path.read_text()))
    reader.start()
    write_whole(path, "through")
    reader.join()
    assert read == ["through"] and path.is_fifo()


@pytest.mark.parametrize("name", ["no/such/folder", ".", "a\0b"])
def test_what_cannot_be_written_leaves_nothing(tmp_path: Path, name: str) -> None:
    with pytest.raises((OSError, ValueError)):
        write_whole(tmp_path / name, "x")
    assert list(tmp_path.iterdir()) == []


def test_what_does_not_fit_is_not_appended(tmp_path: Path) -> None:
    path = tmp_path / "summary"
    assert append_within(path, "12345", 8)
    assert not append_within(path, "6789", 8)
    assert append_within(path, "678", 8)
    assert path.read_text() == "12345678"


def test_a_character_that_no_file_holds_is_written_out(tmp_path: Path) -> None:
    write_whole(tmp_path / "out", "a\udcffb")
    assert (tmp_path / "out").read_text() == "a\\udcffb"


@pytest.mark.parametrize(
    ("name", "why", "next_"),
    [
        ("nope/x.json", "there is no folder", "mkdir -p "),
        ("folder", "this is a folder", "-o "),
        ("file/x", "there is no folder", "mkdir -p "),
        ("link", "", "-o answer"),
        ("n" * 300, "file name too long", "-o answer"),
    ],
)
def test_what_cannot_be_written_is_refused_beforehand(tmp_path: Path, name: str, why: str, next_: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "link")
    with pytest.raises(Refusal) as refused:
        refuse_unwritable(tmp_path / name)
    assert refused.value.exit is Exit.USAGE
    assert f"{tmp_path / name}: {why}" in refused.value.message
    assert next_ in refused.value.next_steps[0]


@pytest.mark.parametrize("name", ["new.json", "file", "/dev/stdout", "/dev/null", "dangling"])
def test_what_can_be_written_is_not_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch(mode=0o444)
    (tmp_path / "dangling").symlink_to(tmp_path / "later")
    refuse_unwritable(tmp_path / name)
    assert not (tmp_path / "new.json").exists()
