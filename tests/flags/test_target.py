"""A flag file from planning to writing to undo, on the real file system."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from runbook.flags.changes import FlagTrouble
from runbook.flags.formats import FORMATS
from runbook.flags.target import FlagFile
from runbook.system.files import digest_of, write_private
from runbook.system.locks import file_locked

TEXT = b"# flags\nexport MODE='off' # main\nPERCENT=0\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    made = tmp_path.resolve() / "project"
    made.mkdir()
    (made / ".env.production").write_bytes(TEXT)
    return made


@pytest.fixture(params=[False, True], ids=["renamed", "in place"])
def flags(request: pytest.FixtureRequest, project: Path) -> FlagFile:
    return FlagFile(project, ".env.production", request.param, project / ".runbook")


def text(project: Path) -> bytes:
    return (project / ".env.production").read_bytes()


def lock_of(flags: FlagFile) -> Path:
    return flags.state_folder / "locks" / f"{digest_of(bytes(flags.real_path()))}.lock"


def ensure_tidy(project: Path) -> None:
    """Nothing but the file itself beside it, and nothing of ours readable by others."""
    assert {path.name for path in project.iterdir()} <= {".env.production", ".runbook", "link", "file"}
    for path in (project / ".runbook").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
        assert path.suffix != ".backup"


def test_reading_takes_no_lock_and_makes_nothing(flags: FlagFile, project: Path) -> None:
    state = flags.read(["MODE", "PERCENT", "MISSING"])
    assert state.values == {"MODE": "off", "PERCENT": "0", "MISSING": None}
    assert state.digest == digest_of(TEXT)
    assert state.real_path == project / ".env.production"
    assert not flags.state_folder.exists()
    assert flags.shown == ".env.production"


def test_prepared_shown_applied_undone(flags: FlagFile, project: Path) -> None:
    prepared = flags.prepare({"MODE": "on", "PERCENT": "10", "NEW": "x"})
    assert text(project) == TEXT
    assert prepared.diff == (
        "- export MODE='off' # main",
        "+ export MODE='on' # main",
        "- PERCENT=0",
        "+ PERCENT=10",
        "+ NEW=x",
    )
    flags.apply(prepared)
    assert text(project) == b"# flags\nexport MODE='on' # main\nPERCENT=10\nNEW=x\n"
    assert flags.read(prepared.wanted).values == prepared.wanted
    undone = flags.undo(prepared.changes)
    assert text(project) == TEXT
    assert undone.restored == ("MODE", "PERCENT", "NEW")
    ensure_tidy(project)


def test_applied_twice_is_applied_once(flags: FlagFile, project: Path) -> None:
    prepared = flags.prepare({"PERCENT": "10"})
    flags.apply(prepared)
    flags.apply(prepared)
    assert b"PERCENT=10\n" in text(project)


def test_nothing_to_change(flags: FlagFile, project: Path) -> None:
    before = (project / ".env.production").stat()
    prepared = flags.prepare({"PERCENT": "0"})
    assert (prepared.changes, prepared.diff) == ((), ())
    flags.apply(prepared)
    assert (project / ".env.production").stat().st_mtime_ns == before.st_mtime_ns


def test_a_file_edited_since_the_plan_is_let_alone(flags: FlagFile, project: Path) -> None:
    prepared = flags.prepare({"PERCENT": "10"})
    (project / ".env.production").write_bytes(TEXT + b"OTHER=1\n")
    with pytest.raises(FlagTrouble, match="changed by somebody else since this was planned"):
        flags.apply(prepared)
    assert text(project) == TEXT + b"OTHER=1\n"
    ensure_tidy(project)


def test_an_undo_keeps_what_others_wrote(flags: FlagFile, project: Path) -> None:
    prepared = flags.prepare({"MODE": "on", "PERCENT": "10"})
    flags.apply(prepared)
    (project / ".env.production").write_bytes(text(project).replace(b"PERCENT=10", b"PERCENT=50") + b"OTHER=1\n")
    undone = flags.undo(prepared.changes)
    assert undone.left == (("PERCENT", "50"),)
    assert text(project) == TEXT.replace(b"=0", b"=50") + b"OTHER=1\n"


def test_a_link_stays_a_link(flags: FlagFile, project: Path) -> None:
    (project / "link").symlink_to(".env.production")
    linked = FlagFile(project, "link", flags.in_place, flags.state_folder)
    linked.apply(linked.prepare({"PERCENT": "10"}))
    assert (project / "link").is_symlink()
    assert b"PERCENT=10\n" in text(project)
    assert lock_of(linked) == lock_of(flags)


def test_a_link_that_leads_elsewhere_since_the_plan_is_refused(flags: FlagFile, project: Path) -> None:
    (project / "link").symlink_to(".env.production")
    linked = FlagFile(project, "link", flags.in_place, flags.state_folder)
    prepared = linked.prepare({"PERCENT": "10"})
    (project / "file").write_bytes(TEXT)
    (project / "link").unlink()
    (project / "link").symlink_to("file")
    with pytest.raises(FlagTrouble, match="another file than when this was planned"):
        linked.apply(prepared)
    assert text(project) == (project / "file").read_bytes() == TEXT


def test_a_held_lock_is_told_with_its_holder(flags: FlagFile, project: Path) -> None:
    flags = replace(flags, lock_wait=0.1)
    prepared = flags.prepare({"PERCENT": "10"})
    with file_locked(lock_of(flags)), pytest.raises(FlagTrouble, match=f"written by process {os.getpid()} since"):
        flags.apply(prepared)
    assert text(project) == TEXT


def test_an_emergency_does_not_wait_for_a_lock_for_ever(flags: FlagFile, project: Path) -> None:
    flags = replace(flags, lock_wait=0.1)
    with file_locked(lock_of(flags)):
        written = flags.force({"PERCENT": "0", "MODE": "safe"})
    assert text(project) == TEXT.replace(b"'off'", b"'safe'")
    assert [change.key for change in written.changes] == ["MODE"]


def test_an_emergency_rewrites_a_line_that_no_exact_edit_can_change(flags: FlagFile, project: Path) -> None:
    (project / ".env.production").write_bytes(b"PERCENT: 50\nOTHER='x' # kept\n")
    with pytest.raises(FlagTrouble, match=r"PERCENT \(line 1\) is set there"):
        flags.prepare({"PERCENT": "0"})
    flags.force({"PERCENT": "0"})
    assert text(project) == b"PERCENT=0\nOTHER='x' # kept\n"
    ensure_tidy(project)


def test_an_emergency_needs_no_state_folder(project: Path) -> None:
    (project / "file").write_bytes(b"")
    flags = FlagFile(project, ".env.production", False, project / "file" / "impossible")
    flags.force({"PERCENT": "5"})
    assert b"PERCENT=5\n" in text(project)
    with pytest.raises(FlagTrouble):
        flags.undo(())


def test_an_emergency_goes_on_over_a_spoilt_record(project: Path) -> None:
    flags = FlagFile(project, ".env.production", True, project / ".runbook")
    write_private(flags.state_folder / "in_place" / f"{digest_of(bytes(flags.real_path()))}.backup", b"\xff")
    with pytest.raises(FlagTrouble, match="cannot be understood"):
        flags.prepare({"PERCENT": "0"})
    flags.force({"PERCENT": "5"})
    assert b"PERCENT=5\n" in text(project)
    ensure_tidy(project)


def test_what_a_killed_edit_left_is_cleared(flags: FlagFile, project: Path) -> None:
    (project / "..env.production.runbook-0123abcd").write_bytes(b"half")
    flags.recover()
    assert text(project) == TEXT
    ensure_tidy(project)


def test_lines_to_write_by_hand(flags: FlagFile) -> None:
    assert flags.by_hand({"MODE": "two words", "PERCENT": "0"}) == ["MODE='two words'", "PERCENT=0"]


def make_missing(path: Path) -> None:
    path.unlink()


def make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def make_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def make_large(path: Path) -> None:
    os.truncate(path, 100 * 1024 * 1024)


def make_binary(path: Path) -> None:
    path.write_bytes(b"\x7fELF\0\0\0")


def make_read_only(path: Path) -> None:
    path.chmod(0o444)


def make_circle(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def make_utf16(path: Path) -> None:
    path.write_bytes("A=1\n".encode("utf-16"))


TROUBLES = [
    (make_missing, "is not there"),
    (make_folder, "is a folder"),
    (make_pipe, "is a named pipe"),
    (make_large, "is too large"),
    (make_binary, "is not a text file"),
    (make_read_only, "is read-only"),
    (make_circle, "is a link"),
    (make_utf16, "UTF-16"),
]


@pytest.mark.parametrize(("make", "reason"), TROUBLES)
def test_what_cannot_be_edited_is_refused_before_any_change(
    flags: FlagFile, project: Path, make: object, reason: str
) -> None:
    assert callable(make)
    make(project / ".env.production")
    for doing in (flags.prepare, flags.force):
        with pytest.raises(FlagTrouble, match=reason) as caught:
            doing({"PERCENT": "10"})
        assert caught.value.path == ".env.production"
        assert caught.value.hint
    assert sorted(path.name for path in project.iterdir() if path.name != ".runbook") == (
        [] if reason == "is not there" else [".env.production"]
    )


def test_an_empty_file_is_refused_but_not_in_an_emergency(flags: FlagFile, project: Path) -> None:
    (project / ".env.production").write_bytes(b"")
    with pytest.raises(FlagTrouble, match="is empty"):
        flags.prepare({"A": "1"})
    flags.force({"A": "1"})
    assert text(project) == b"A=1\n"


def test_each_format_has_its_row() -> None:
    assert sorted(FORMATS) == ["env"]
