"""Flag files as they are found: edited to the byte, or refused with a reason, exit 4, and nothing changed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.command.project import FLAGS, Project

PLACES = """
  local:
    url: http://127.0.0.1:PORT
    flags_in: [{env: ranker.env}, {env: more.env}]
    redeploy: {command: [sh, restart.sh], timeout: 10s, verify_within: 3s}"""


def missing(path: Path) -> None:
    path.unlink()


def read_only(path: Path) -> None:
    path.chmod(0o444)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def huge(path: Path) -> None:
    os.truncate(path, 100 << 20)


def binary(path: Path) -> None:
    path.write_bytes(b"\x7fELF\x02\x01\x01\x00" + bytes(range(256)) * 40)


def utf16(path: Path) -> None:
    path.write_bytes(FLAGS.encode("utf-16"))


def empty(path: Path) -> None:
    path.write_bytes(b"")


def dangling(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere.env")


def circle(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def open_quote(path: Path) -> None:
    path.write_text(FLAGS.replace("'plain'", "'plain"))


@pytest.mark.parametrize(
    "spoil", [missing, read_only, folder, pipe, huge, binary, utf16, empty, dangling, circle, open_quote]
)
def test_a_file_that_cannot_be_edited_exactly(project: Project, spoil: Callable[[Path], None]) -> None:
    spoil(project.flags)
    before = os.lstat(project.flags) if project.flags.is_symlink() or project.flags.exists() else None
    for command in (["ramp", "10", "--yes"], ["ramp", "10", "--dry-run"], ["adopt", "first@10", "--reason", "it is"]):
        ran = project.json(*command)
        assert ran.code == 4, (command, ran)
        assert "ranker.env" in ran.document["message"] and ran.document["next"]
    after = os.lstat(project.flags) if project.flags.is_symlink() or project.flags.exists() else None
    assert (before and (before.st_ino, before.st_size)) == (after and (after.st_ino, after.st_size))
    assert project.restarts() == 0
    assert project.run("status").code == 0, "status needs no readable flag file"
    assert project.run("preflight").code != 0 or spoil in (read_only, empty, open_quote)


def test_only_the_values_bytes_change(project: Project) -> None:
    text = b'\xef\xbb\xbf# b\r\nRANKER_SHARE=0 # share\r\n\r\n  export   RANKER_MODEL = "plain"\t# x\r\nlast=\xc3\xa9'
    project.flags.write_bytes(text)
    project.flags.chmod(0o640)
    project.at_first()
    wanted = text.replace(b"SHARE=0", b"SHARE=10").replace(b'"plain"', b'"small"')
    assert project.flags.read_bytes() == wanted
    assert project.flags.stat().st_mode & 0o777 == 0o640
    assert project.run("rollback", "--yes").code == 0
    assert project.flags.read_bytes() == text


def test_a_missing_key_is_appended_said_and_removed_by_the_undo(project: Project) -> None:
    text = "# no model here\nRANKER_SHARE=0"
    project.flags.write_text(text)
    (project.folder / "fail-restart").touch()
    assert project.run("ramp", "--yes").code == 4
    assert project.flags.read_text() == text, "the undo removes what was appended"
    (project.folder / "fail-restart").unlink()
    assert "+ RANKER_MODEL=plain" in project.run("ramp", "--dry-run").out
    project.json("ramp", "--yes")
    assert project.flags.read_text() == "# no model here\nRANKER_SHARE=0\nRANKER_MODEL=plain\n"
    assert project.json("status").document["stage"] == "off"
    assert project.run("ramp", "10", "--yes").code == 0
    assert project.flags.read_text() == "# no model here\nRANKER_SHARE=10\nRANKER_MODEL=small\n"


def test_a_file_without_any_of_our_keys_enters_the_first_stage(project: Project) -> None:
    project.flags.write_text("# nothing of ours yet\n")
    assert project.run("ramp", "--yes").code == 0
    assert sorted(project.flags.read_text().splitlines()[1:]) == ["RANKER_MODEL=plain", "RANKER_SHARE=0"]


def test_a_key_that_stands_twice_gets_the_value_twice(project: Project) -> None:
    project.flags.write_text("RANKER_SHARE=0\nRANKER_MODEL=plain\n#RANKER_SHARE=7\nRANKER_SHARE=0\n")
    project.at_first()
    assert project.flags.read_text() == "RANKER_SHARE=10\nRANKER_MODEL=small\n#RANKER_SHARE=7\nRANKER_SHARE=10\n"


def test_a_fraction_keeps_its_decimals(project: Project) -> None:
    project.write(
        flags="\n  percent: {name: RANKER_SHARE, as: fraction}\n  safe: {RANKER_SHARE: 0, RANKER_MODEL: plain}",
        verify="\n  - {check: Up, http: /health}",
    )
    project.flags.write_text("RANKER_SHARE=0.000\nRANKER_MODEL=plain\n")
    project.at_first()
    assert project.flags.read_text() == "RANKER_SHARE=0.100\nRANKER_MODEL=small\n"
    assert project.json("status").document["percent"] == 10
    assert project.run("gate").code == 0, "0.100 is no drift"
    assert project.run("ramp", "50", "--yes").code == 0
    assert "RANKER_SHARE=0.500\n" in project.flags.read_text()
    assert project.run("rollback", "--emergency", "--yes").code == 0


def test_several_files_each_get_what_they_have(project: Project) -> None:
    project.write(environments=PLACES)
    project.flags.write_text("RANKER_SHARE=0\n")
    more = project.folder / "more.env"
    more.write_text("RANKER_MODEL=plain\nRANKER_SHARE=0\n")
    project.at_first()
    assert project.flags.read_text() == "RANKER_SHARE=10\n"
    assert more.read_text() == "RANKER_MODEL=small\nRANKER_SHARE=10\n"
    assert project.run("rollback", "--yes").code == 0
    assert more.read_text() == "RANKER_MODEL=plain\nRANKER_SHARE=0\n"


def test_one_of_several_files_cannot_be_edited_so_none_is(project: Project) -> None:
    project.write(environments=PLACES)
    more = project.folder / "more.env"
    more.write_text("RANKER_MODEL=plain\n")
    more.chmod(0o444)
    ran = project.json("ramp", "10", "--yes")
    assert ran.code == 4 and "more.env" in ran.document["message"]
    assert project.flags.read_text() == FLAGS and more.read_text() == "RANKER_MODEL=plain\n"


def test_a_link_is_followed_and_stays_a_link(project: Project) -> None:
    real = project.folder / "conf" / "real.env"
    real.parent.mkdir()
    project.flags.rename(real)
    project.flags.symlink_to("conf/real.env")
    project.at_first()
    assert project.flags.is_symlink() and "= 10" in real.read_text()
    assert sorted(path.name for path in real.parent.iterdir()) == ["real.env"]


def test_a_file_that_changes_between_plan_and_edit_keeps_the_other_hand(project: Project) -> None:
    project.at_first()
    project.flags.write_text(project.flags.read_text() + "OTHER=1\n")
    assert project.run("ramp", "50", "--yes").code == 0
    assert project.flags.read_text().endswith("OTHER=1\n")
