"""The operator's file is replaced whole, or stands untouched with no other file beside it."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from runbook.system.files import FileTrouble, digest_of
from runbook.system.replacement import clear_leftovers, ensure_replaceable, read_real, replace_atomically
from tests.system.other_worlds import NOBODY, names, run_as_nobody, run_python, run_with_mounts

OLD, NEW = b"A=old\n", b"A=new\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path.resolve() / "flags.env"
    made.write_bytes(OLD)
    return made


def replace(path: Path, data: bytes = NEW) -> None:
    replace_atomically(path, data, expected_digest=digest_of(OLD))


def ensure_untouched(path: Path) -> None:
    assert path.read_bytes() == OLD
    assert names(path.parent) == ["flags.env"]


@pytest.mark.parametrize("umask", [0o000, 0o077])
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o755, 0o606])
def test_the_mode_stays(path: Path, mode: int, umask: int) -> None:
    path.chmod(mode)
    before = os.umask(umask)
    try:
        replace(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert path.read_bytes() == NEW
    assert names(path.parent) == ["flags.env"]


def test_owner_group_and_attributes_stay(path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give files away: not tried")
    os.chown(path, NOBODY, NOBODY)
    try:
        os.setxattr(path, "user.note", b"kept")
    except OSError:
        pytest.skip("this file system has no extended attributes: not tried")
    replace(path)
    status = path.stat()
    assert (status.st_uid, status.st_gid) == (NOBODY, NOBODY)
    assert os.getxattr(path, "user.note") == b"kept"


def test_a_file_changed_meanwhile_is_let_alone(path: Path) -> None:
    path.write_bytes(b"A=theirs\n")
    with pytest.raises(FileTrouble, match="changed by somebody else"):
        replace(path)
    assert path.read_bytes() == b"A=theirs\n"
    assert names(path.parent) == ["flags.env"]


def test_without_a_digest_it_is_replaced_whatever_it_holds(path: Path) -> None:
    replace_atomically(path, NEW, expected_digest=None)
    assert path.read_bytes() == NEW


def make_folder(path: Path) -> None:
    path.mkdir()


def make_dangling_link(path: Path) -> None:
    path.symlink_to("other")


def make_circle(path: Path) -> None:
    path.symlink_to(path.name)


@pytest.mark.parametrize("make", [make_folder, make_dangling_link, make_circle, os.mkfifo])
def test_what_is_no_file_is_refused(path: Path, make: object) -> None:
    path.unlink()
    assert callable(make)
    make(path)
    for doing in (lambda: replace(path), lambda: ensure_replaceable(path), lambda: read_real(path)):
        with pytest.raises(FileTrouble):
            doing()
    assert names(path.parent) == ["flags.env"]


def test_a_missing_file_is_not_made(path: Path) -> None:
    path.unlink()
    with pytest.raises(FileTrouble, match="is not there"):
        replace(path)
    assert names(path.parent) == []


def test_a_folder_that_became_a_link_is_not_followed(path: Path) -> None:
    real = path.parent / "real"
    real.mkdir()
    (real / "flags.env").write_bytes(OLD)
    (path.parent / "link").symlink_to("real")
    for through in (path.parent / "link" / "flags.env", real / ".." / "real" / "flags.env", Path("flags.env")):
        with pytest.raises(FileTrouble):
            replace(through)
    assert (real / "flags.env").read_bytes() == OLD


def test_hard_links_are_refused(path: Path) -> None:
    os.link(path, path.with_name("other"))
    ways: list[Callable[[], object]] = [lambda: replace(path), lambda: ensure_replaceable(path)]
    for doing in ways:
        with pytest.raises(FileTrouble, match="hard links") as caught:
            doing()
        assert "in_place" in caught.value.hint
    assert path.read_bytes() == OLD


def test_a_file_without_any_write_bit_is_refused_to_root_too(path: Path) -> None:
    path.chmod(0o444)
    with pytest.raises(FileTrouble, match="is read-only") as caught:
        replace(path)
    assert "chmod u+w" in caught.value.hint
    ensure_untouched(path)


def test_leftovers_of_ours_alone_are_cleared(path: Path) -> None:
    for name in (".flags.env.runbook-0123abcd", ".flags.env.runbook-ffffffff"):
        path.with_name(name).write_bytes(b"half")
    kept = [".flags.env.runbook-xyz", ".flags.env.swp", ".other.env.runbook-0123abcd", "flags.env"]
    for name in kept[:3]:
        path.with_name(name).write_bytes(b"theirs")
    path.with_name(".flags.env.runbook-00000000").mkdir()
    assert clear_leftovers(path) == [".flags.env.runbook-0123abcd", ".flags.env.runbook-ffffffff"]
    assert names(path.parent) == [".flags.env.runbook-00000000", *kept]


TRY = """
import sys, pathlib
from runbook.system.files import *
from runbook.system.replacement import *
path = pathlib.Path(sys.argv[1])
size = int(sys.argv[2]) if len(sys.argv) > 2 else 6
for doing in (ensure_replaceable, lambda path: replace_atomically(path, b"n" * size, expected_digest=None)):
    try:
        doing(path)
        print("done")
    except FileTrouble as trouble:
        print(trouble.reason, "|", trouble.hint)
print(path.read_bytes()[:6], sorted(found.name for found in path.parent.iterdir()))
"""


def test_a_full_disk(tmp_path: Path) -> None:
    mount = 'mount -t tmpfs -o size=32k none "$1"; printf "A=old\\n" > "$1/flags.env"; set -- "$1/flags.env" "$2"'
    done = run_with_mounts(mount, TRY, str(tmp_path.resolve()), "40000")
    assert done.stdout.splitlines()[1:] == [
        "does not fit: its file system is full | free some space; df -h shows how much there is",
        "b'A=old\\n' ['flags.env']",
    ], done.stderr


def test_a_limit_for_file_sizes(path: Path) -> None:
    done = run_python(TRY, "sh", "-c", 'ulimit -f 1; exec "$@"', "sh", arguments=(str(path), "40000"))
    assert "limit for file sizes" in done.stdout, done.stderr
    ensure_untouched(path)


def test_a_bind_mounted_file_is_refused_beforehand(path: Path) -> None:
    mount = 'cp "$1" "$1.source"; mount --bind "$1.source" "$1"'
    done = run_with_mounts(mount, TRY, str(path))
    first, second, last = done.stdout.splitlines()
    assert first == second
    assert first.startswith("is mounted by itself")
    assert "write: in_place" in first
    assert last == "b'A=old\\n' ['flags.env', 'flags.env.source']"


def test_a_read_only_file_system(path: Path) -> None:
    done = run_with_mounts('mount --bind "${1%/*}" "${1%/*}"; mount -o remount,ro,bind "${1%/*}"', TRY, str(path))
    assert done.stdout.splitlines() == [
        "lies on a file system that is read-only | mount it writable",
        "lies on a file system that is read-only | mount it writable",
        "b'A=old\\n' ['flags.env']",
    ], done.stderr


def test_an_immutable_file(path: Path) -> None:
    if shutil.which("chattr") is None or subprocess.run(["chattr", "+i", path], check=False).returncode:
        pytest.skip("no file can be made immutable here: not tried")
    try:
        ways: list[Callable[[], object]] = [lambda: replace(path), lambda: ensure_replaceable(path)]
        for doing in ways:
            with pytest.raises(FileTrouble, match="may not be"):
                doing()
        ensure_untouched(path)
    finally:
        subprocess.run(["chattr", "-i", path], check=True)


@pytest.mark.parametrize(
    ("owner", "file_mode", "folder_mode", "reason"),
    [
        (NOBODY, 0o600, 0o755, "lies in a folder in which this user may not write"),
        (0, 0o644, 0o777, "may not be written by this user"),
        (0, 0o666, 0o777, "belongs to another user"),
        (0, 0o666, 0o1777, "belongs to another user"),
    ],
)
def test_a_user_without_the_right(path: Path, owner: int, file_mode: int, folder_mode: int, reason: str) -> None:
    if os.geteuid() == 0:
        os.chown(path, owner, owner)
        for folder in (path.parent, *path.parents[1:-2]):
            folder.chmod(0o755)
    path.chmod(file_mode)
    path.parent.chmod(folder_mode)
    done = run_as_nobody(TRY, str(path))
    first, second, last = done.stdout.splitlines()
    assert first == second
    assert first.startswith(reason)
    assert last == "b'A=old\\n' ['flags.env']"


def test_readers_see_the_old_or_the_new_text_and_nothing_else(path: Path) -> None:
    old, new = b"A=" + b"o" * 50_000, b"A=" + b"n" * 70_000
    path.write_bytes(old)
    stop = threading.Event()
    seen: set[bytes] = set()

    def look() -> None:
        while not stop.is_set():
            seen.add(path.read_bytes())

    looking = threading.Thread(target=look)
    looking.start()
    for _ in range(20):
        replace_atomically(path, new, expected_digest=digest_of(old))
        replace_atomically(path, old, expected_digest=digest_of(new))
    stop.set()
    looking.join()
    assert seen <= {old, new}
