"""Reading within limits, and files of our own: whole, private, durable."""

from __future__ import annotations

import os
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook.system.files import (
    FileTrouble,
    append_durably,
    digest_of,
    ensure_folder,
    read_regular,
    temporary_name,
    write_private,
)
from tests.system.other_worlds import names, run_as_nobody, run_python, run_with_mounts


@pytest.fixture(params=[0o000, 0o077, 0o022])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_digest_is_sha_256() -> None:
    assert digest_of(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_reading_a_file_and_one_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"a\0b")
    (tmp_path / "link").symlink_to("file")
    assert read_regular(tmp_path / "file") == b"a\0b"
    assert read_regular(tmp_path / "link") == b"a\0b"
    assert read_regular(tmp_path / "file", limit=3) == b"a\0b"


def make_trouble(kind: str, path: Path) -> None:
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(path))
    elif kind == "sparse":
        with path.open("wb") as file:
            file.truncate(100 * 1024 * 1024)
    elif kind == "circle":
        path.symlink_to(path.name)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("missing", "is not there"),
        ("folder", "is a folder"),
        ("fifo", "is a named pipe"),
        ("socket", "is a socket"),
        ("sparse", "is too large"),
        ("circle", "is a link"),
    ],
)
def test_what_is_no_plain_file_is_refused_at_once(kind: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "it"
    make_trouble(kind, path)
    with pytest.raises(FileTrouble, match=reason) as caught:
        read_regular(path)
    assert caught.value.path == path
    assert caught.value.hint


def test_devices_endless_files_and_impossible_names(tmp_path: Path) -> None:
    for path, reason in [
        (Path("/dev/zero"), "is a device"),
        (tmp_path / "a\0b", "no file can have"),
        (tmp_path / ("x" * 300), "too long"),
    ]:
        with pytest.raises(FileTrouble, match=reason):
            read_regular(path)
    with pytest.raises(FileTrouble, match="too large"):
        read_regular(Path("/proc/self/environ"), limit=1)


def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "secret").write_bytes(b"x")
    (tmp_path / "secret").chmod(0o600)
    code = """
import sys, pathlib
from runbook.system.files import *
try:
    read_regular(pathlib.Path(sys.argv[1]))
except FileTrouble as trouble:
    print(trouble.reason)
"""
    assert "may not be used by this user" in run_as_nobody(code, str(tmp_path / "secret")).stdout


def test_a_private_file_and_its_folders(tmp_path: Path, umask: int) -> None:
    path = tmp_path / "a" / "b" / "file"
    write_private(path, b"one")
    write_private(path, b"two")
    assert path.read_bytes() == b"two"
    assert (mode(path), mode(path.parent), mode(path.parent.parent)) == (0o600, 0o700, 0o700)
    assert names(path.parent) == ["file"]


def test_a_private_file_takes_the_place_of_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"theirs")
    (tmp_path / "link").symlink_to("elsewhere")
    write_private(tmp_path / "link", b"ours")
    assert (tmp_path / "elsewhere").read_bytes() == b"theirs"
    assert not (tmp_path / "link").is_symlink()


def test_a_name_of_the_greatest_length(tmp_path: Path) -> None:
    path = tmp_path / ("é" * 127)
    write_private(path, b"x")
    assert path.read_bytes() == b"x"
    assert len(os.fsencode(temporary_name(path.name))) <= 255


def test_a_folder_in_the_way_is_told_and_left(tmp_path: Path) -> None:
    (tmp_path / "it").mkdir()
    with pytest.raises(FileTrouble, match="is a folder"):
        write_private(tmp_path / "it", b"x")
    assert names(tmp_path) == ["it"]
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileTrouble):
        ensure_folder(tmp_path / "file" / "below")
    with pytest.raises(FileTrouble, match="not a folder"):
        ensure_folder(tmp_path / "file")


def test_appending(tmp_path: Path, umask: int) -> None:
    path = tmp_path / "journal" / "lines"
    for number in range(3):
        append_durably(path, f"{number}\n".encode())
    assert path.read_bytes() == b"0\n1\n2\n"
    assert (mode(path), mode(path.parent)) == (0o600, 0o700)


def test_appending_from_many_threads_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "lines"

    def append(name: str) -> None:
        for number in range(20):
            append_durably(path, f"{name}{number}\n".encode())

    threads = [threading.Thread(target=append, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(path.read_text().split()) == sorted(f"{name}{number}" for name in "abcd" for number in range(20))


def test_appending_follows_no_link_and_waits_for_no_pipe(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("elsewhere")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe"):
        with pytest.raises(FileTrouble):
            append_durably(tmp_path / name, b"x")
    assert not (tmp_path / "elsewhere").exists()


FILL = """
import sys, pathlib
from runbook.system.files import *
folder = pathlib.Path(sys.argv[1])
write_private(folder / "own", b"old")
append_durably(folder / "lines", b"old\\n")
for write, name in ((write_private, "own"), (append_durably, "lines")):
    try:
        write(folder / name, b"n" * 60000)
    except FileTrouble as trouble:
        print(trouble.reason)
print((folder / "own").read_bytes(), (folder / "lines").read_bytes(), sorted(path.name for path in folder.iterdir()))
"""


def test_a_full_disk_leaves_the_old_file_whole(tmp_path: Path) -> None:
    done = run_with_mounts('mount -t tmpfs -o size=32k none "$1"', FILL, str(tmp_path))
    assert done.stdout.splitlines() == [
        "does not fit: its file system is full",
        "does not fit: its file system is full",
        "b'old' b'old\\n' ['lines', 'own']",
    ], done.stderr


def test_a_limit_for_file_sizes_leaves_the_old_file_whole(tmp_path: Path) -> None:
    done = run_python(FILL, "sh", "-c", 'ulimit -f 1; exec "$@"', "sh", arguments=(str(tmp_path),))
    assert done.stdout.splitlines() == [
        "does not fit under the limit for file sizes",
        "does not fit under the limit for file sizes",
        "b'old' b'old\\n' ['lines', 'own']",
    ], done.stderr
