"""Writing in place: the old bytes come back from every half-written state."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import msgspec
import pytest

from runbook.system.files import FileTrouble, digest_of, write_private
from runbook.system.in_place import Backup, ensure_writable_in_place, recover_in_place, write_in_place
from tests.system.other_worlds import names, run_with_mounts

OLD, NEW = b"A=old value\nB=1\n", b"A=new\nB=1\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path.resolve() / "flags.env"
    made.write_bytes(OLD)
    return made


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    return tmp_path.resolve() / "state" / "it.backup"


def kept(path: Path, backup: Path, old: bytes = OLD, new: bytes = NEW) -> None:
    write_private(backup, msgspec.msgpack.encode(Backup(str(path), old, new)))


@pytest.mark.parametrize("new", [NEW, b"", OLD + b"C=3\n" * 5000])
def test_the_file_itself_stays_the_same_one(path: Path, backup: Path, new: bytes) -> None:
    path.chmod(0o640)
    os.link(path, path.with_name("other name"))
    before = path.stat()
    write_in_place(path, new, expected_digest=digest_of(OLD), backup=backup)
    assert path.read_bytes() == path.with_name("other name").read_bytes() == new
    assert (path.stat().st_ino, stat.S_IMODE(path.stat().st_mode)) == (before.st_ino, 0o640)
    assert names(backup.parent) == []


def test_a_file_changed_meanwhile_is_let_alone(path: Path, backup: Path) -> None:
    with pytest.raises(FileTrouble, match="changed by somebody else"):
        write_in_place(path, NEW, expected_digest=digest_of(b"else"), backup=backup)
    assert path.read_bytes() == OLD
    assert not backup.exists()


@pytest.mark.parametrize(("old", "new"), [(OLD, NEW), (NEW, OLD), (b"", OLD), (OLD, b"")])
def test_every_half_written_state_is_undone(path: Path, backup: Path, old: bytes, new: bytes) -> None:
    """A write goes on byte by byte from the start, then the length changes."""
    halves = [new[:cut] + old[cut:] for cut in range(len(new) + 1)]
    for half in halves:
        path.write_bytes(half)
        kept(path, backup, old, new)
        assert recover_in_place(path, backup) is (half not in (old, new))
        assert path.read_bytes() == (new if half == new else old)
        assert names(backup.parent) == []
    assert recover_in_place(path, backup) is False


def test_what_somebody_else_wrote_afterwards_is_left(path: Path, backup: Path) -> None:
    kept(path, backup)
    for theirs in (b"A=theirs\nB=1\n", OLD + b"more", b""):
        path.write_bytes(theirs)
        with pytest.raises(FileTrouble, match="changed by somebody else") as caught:
            recover_in_place(path, backup)
        assert str(backup) in caught.value.hint
        assert path.read_bytes() == theirs
        assert backup.exists()


def test_a_spoilt_record_is_told(path: Path, backup: Path) -> None:
    write_private(backup, b"\xff\xff")
    with pytest.raises(FileTrouble, match="cannot be understood"):
        recover_in_place(path, backup)
    assert path.read_bytes() == OLD


def test_what_cannot_be_written_is_refused(path: Path, backup: Path) -> None:
    path.chmod(0o444)
    with pytest.raises(FileTrouble, match="read-only"):
        ensure_writable_in_place(path)
    with pytest.raises(FileTrouble, match="read-only"):
        write_in_place(path, NEW, expected_digest=None, backup=backup)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(FileTrouble, match="named pipe"):
        ensure_writable_in_place(path)


TRY = """
import sys, pathlib
from runbook.system.files import *
from runbook.system.in_place import *
path, size, backup = pathlib.Path(sys.argv[1]), int(sys.argv[2]), pathlib.Path(sys.argv[3])
old = path.read_bytes()
ensure_writable_in_place(path)
try:
    write_in_place(path, b"n" * size, expected_digest=digest_of(old), backup=backup)
    print("done", path.read_bytes() == b"n" * size)
except FileTrouble as trouble:
    print(trouble.reason)
    print(path.read_bytes() == old)
recover_in_place(path, backup)
print(backup.exists())
"""


def test_a_bind_mounted_file_is_written(path: Path, backup: Path) -> None:
    mount = 'cp "$1" "$1.source"; mount --bind "$1.source" "$1"'
    done = run_with_mounts(mount, TRY, str(path), "6", str(backup))
    assert done.stdout.splitlines() == ["done True", "False"], done.stderr
    assert path.with_name("flags.env.source").read_bytes() == b"nnnnnn"


def test_a_full_disk_gives_the_old_bytes_back(tmp_path: Path, backup: Path) -> None:
    inside = tmp_path / "small"
    inside.mkdir()
    mount = 'mount -t tmpfs -o size=32k none "${1%/*}"; printf "A=old\\n%05000d" 7 > "$1"'
    done = run_with_mounts(mount, TRY, str(inside.resolve() / "flags.env"), "60000", str(backup))
    assert done.stdout.splitlines() == ["does not fit: its file system is full", "True", "False"], done.stderr
