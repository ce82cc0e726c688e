"""Where a report goes, what it never overwrites, and the copy that the project keeps."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from runbook.reports.parts import begin_marker, end_marker
from runbook.reports.writing import Document, write
from runbook.system.refusals import Exit, Refusal


def document(number: int = 1, text: str = "made", chain: str = "menu-local") -> Document:
    owner = f"{chain}/{number}"
    part = f"{begin_marker('all', owner)}\n{text}\n{end_marker('all')}\n"
    return Document("incident_report.md", f"# Report\n{part}", chain, number)


@pytest.fixture
def here(tmp_path: Path) -> Path:
    folder = tmp_path / "here"
    folder.mkdir()
    return folder / "incident_report.md"


def test_it_is_written_and_kept(here: Path, tmp_path: Path) -> None:
    written = write(document(), here, tmp_path)
    assert written.path == here and written.kept == tmp_path / "incidents/1/incident_report.md"
    assert here.read_text() == written.text == written.kept.read_text()
    assert written.said == () and "made" in written.text


def test_what_is_written_is_for_the_owner_alone_whatever_the_umask(here: Path, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        written = write(document(), here, tmp_path)
    finally:
        os.umask(before)
    assert written.kept is not None
    assert stat.S_IMODE(here.stat().st_mode) == stat.S_IMODE(written.kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(written.kept.parent.stat().st_mode) == 0o700


def test_made_again_the_words_of_people_stay_in_both_files(here: Path, tmp_path: Path) -> None:
    first = write(document(), here, tmp_path)
    assert first.kept is not None
    here.write_text("For the board.\n" + here.read_text() + "\nWe are sorry.\n")
    first.kept.write_text(first.kept.read_text() + "Only in the copy.\n")
    here.chmod(0o640)
    second = write(document(text="made again"), here, tmp_path)
    assert here.read_text().startswith("For the board.\n# Report\n") and here.read_text().endswith("\nWe are sorry.\n")
    assert "made again" in here.read_text() and "made\n" not in here.read_text()
    assert second.kept is not None
    assert second.kept.read_text().endswith("Only in the copy.\n") and "sorry" not in second.kept.read_text()
    assert stat.S_IMODE(here.stat().st_mode) == 0o640


def test_the_report_of_another_incident_is_not_overwritten(here: Path, tmp_path: Path) -> None:
    write(document(1), here, tmp_path)
    before = here.read_bytes()
    second = write(document(2, "second"), here, tmp_path)
    assert here.read_bytes() == before
    assert second.path == here.with_name("incident_report-2.md") and "second" in second.path.read_text()
    assert second.said == (
        f"{here} holds the report of another incident (menu-local/1), so incident_report-2.md was written instead",
    )
    assert write(document(2, "again"), here, tmp_path).path == second.path


def test_somebody_elses_file_is_not_overwritten(here: Path, tmp_path: Path) -> None:
    here.write_bytes(b"my own notes \xff\n")
    written = write(document(), here, tmp_path)
    assert here.read_bytes() == b"my own notes \xff\n"
    assert written.path.name == "incident_report-1.md" and "holds something else" in written.said[0]


def test_incidents_of_two_services_with_one_number_have_a_file_each(here: Path, tmp_path: Path) -> None:
    paths = [write(document(1, chain, chain), here, tmp_path) for chain in ("a-local", "b-local", "c-local")]
    assert [one.path.name for one in paths] == [
        "incident_report.md", "incident_report-1.md", "incident_report-c-local-1.md",
    ]  # fmt: skip
    assert all(one.kept and one.text == one.kept.read_text() for one in paths)


def test_where_every_name_is_taken_nothing_is_written(here: Path, tmp_path: Path) -> None:
    for name in ("incident_report.md", "incident_report-1.md", "incident_report-menu-local-1.md"):
        here.with_name(name).write_text("taken")
    with pytest.raises(Refusal, match="nothing was written") as refused:
        write(document(), here, tmp_path)
    assert refused.value.exit is Exit.FAILED
    assert not (tmp_path / "incidents").exists()


def test_bytes_that_are_no_text_stay(here: Path, tmp_path: Path) -> None:
    write(document(), here, tmp_path)
    here.write_bytes(here.read_bytes() + b"caf\xe9\n")
    write(document(text="again"), here, tmp_path)
    assert here.read_bytes().endswith(b"caf\xe9\n") and b"again" in here.read_bytes()


def test_a_link_is_followed_and_stays_a_link(here: Path, tmp_path: Path) -> None:
    real = tmp_path / "real.md"
    here.symlink_to(real)
    write(document(), here, tmp_path)
    write(document(text="again"), here, tmp_path)
    assert here.is_symlink() and "again" in real.read_text()


def test_written_where_the_copy_would_be_it_is_written_once(tmp_path: Path) -> None:
    folder = tmp_path / "incidents/1"
    folder.mkdir(parents=True)
    written = write(document(), folder / "incident_report.md", tmp_path)
    assert written.kept == written.path and [path.name for path in folder.iterdir()] == ["incident_report.md"]


def test_damaged_markers_are_refused_with_their_line_and_nothing_is_lost(here: Path, tmp_path: Path) -> None:
    write(document(), here, tmp_path)
    spoilt = here.read_text().replace(end_marker("all"), "")
    here.write_text(spoilt)
    with pytest.raises(Refusal, match=r"incident_report\.md:2: the part all begins here and has no end"):
        write(document(text="again"), here, tmp_path)
    assert here.read_text() == spoilt


def test_a_copy_that_cannot_be_kept_is_said(here: Path, tmp_path: Path) -> None:
    (tmp_path / "incidents").write_text("a file in its place")
    written = write(document(), here, tmp_path)
    assert written.kept is None and here.exists()
    assert written.said[0].startswith("no copy was kept:")


@pytest.mark.parametrize("kind", ["folder", "pipe", "missing folder"])
def test_what_is_no_file_is_refused(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "place"
    if kind == "folder":
        place.mkdir()
    elif kind == "pipe":
        os.mkfifo(place)
    else:
        place = place / "deep" / "report.md"
    with pytest.raises(Refusal):
        write(document(), place, tmp_path / "project")
    assert not (tmp_path / "project").exists()


def test_no_temporary_file_is_left(here: Path, tmp_path: Path) -> None:
    write(document(), here, tmp_path)
    write(document(text="again"), here, tmp_path)
    assert [path.name for path in here.parent.iterdir()] == ["incident_report.md"]
