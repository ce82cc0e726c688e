"""The formats as options: which fit where, into which file they go, and what a refusal is in each."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command.held_formats import FORMATS, hold_to_the_format
from tests.command.project import Project, hold_to_the_schema
from tests.command.scenes import SCENES
from tests.show.readers import read_junit, read_markdown, read_nagios


@pytest.mark.parametrize("wanted", FORMATS[2:])
def test_a_format_goes_into_a_file_whole(standing: Project, tmp_path: Path, wanted: str) -> None:
    path = tmp_path / "out"
    path.write_text("old")
    path.chmod(0o640)
    number = path.stat().st_ino
    ran = standing.run("health-check", "-f", wanted, "-o", str(path))
    assert (ran.code, ran.out) == (0, "")
    hold_to_the_format(wanted, 0, path.read_text())
    assert path.stat().st_mode & 0o777 == 0o640
    assert path.stat().st_ino != number, "a reader that has the old file open goes on reading that"
    assert [one.name for one in tmp_path.iterdir()] == ["out"]


MISFITS = [("ramp", "10"), ("rollback",), ("hold",), ("history",), ("doctor",), ("incident", "open"), ("sign", "x")]


@pytest.mark.parametrize("words", MISFITS, ids=lambda words: words[0])
@pytest.mark.parametrize("wanted", ["junit", "tap", "prometheus", "github"])
def test_a_format_that_does_not_fit_is_refused_before_anything_is_done(
    standing: Project, words: tuple[str, ...], wanted: str
) -> None:
    before, events = standing.files(), len(standing.events())
    ran = standing.run(*words, "--format", wanted)
    assert (ran.code, ran.out) == (2, "")
    assert "table, plain, json, markdown" in ran.err and wanted in ran.err
    assert (standing.files(), len(standing.events())) == (before, events)


@pytest.mark.parametrize(
    "words",
    [
        ["ramp", "10"], ["preflight", "--nope"], ["preflight", "nowhere"], ["nope"], ["gate", "--deadline", "soon"],
        ["preflight", "-e", "moon"], ["preflight", "-p", "moon"], ["incident", "opne"], ["status", "--all"],
    ],
)  # fmt: skip
@pytest.mark.parametrize("option", [["-f", "nagios"], ["--format=nagios"], ["-fnagios"]])
def test_whatever_goes_wrong_a_plugin_ends_with_unknown(standing: Project, words: list[str], option: list[str]) -> None:
    ran = standing.run(*words, *option)
    assert ran.code == 3
    assert read_nagios(ran.out).word == "FAILED"


def test_a_refusal_is_a_document_in_the_file_too(standing: Project, tmp_path: Path) -> None:
    path = tmp_path / "report.xml"
    for words in (["preflight", "nowhere"], ["preflight", "--nope"]):
        path.write_text("<testsuites/>")
        assert standing.run(*words, "-f", "junit", "-o", str(path)).code == 2
        assert [point.outcome for point in read_junit(path.read_text())] == ["unknown"]


def test_a_file_that_cannot_be_written_is_no_go(standing: Project) -> None:
    path = "/nonexistent/out.prom"
    assert standing.run("health-check", "-f", "nagios", "-o", path).code == 3
    ran = standing.run("health-check", "-f", "prometheus", "-o", path)
    assert (ran.code, ran.out) == (2, "") and path in ran.err


def test_the_summary_of_a_step_is_appended(standing: Project, tmp_path: Path) -> None:
    path = tmp_path / "summary.md"
    path.write_text("# before\n")
    ran = standing.run("health-check", "-f", "github", env={"GITHUB_STEP_SUMMARY": str(path)})
    assert ran.code == 0
    text = path.read_text()
    assert text.startswith("# before\n") and read_markdown(text.removeprefix("# before\n"))[1][1] == "Up"
    path.write_bytes(b"x" * (1024 * 1024 - 10))
    assert standing.run("health-check", "-f", "github", env={"GITHUB_STEP_SUMMARY": str(path)}).code == 0
    assert path.stat().st_size == 1024 * 1024 - 10
    assert standing.run("gate", "-f", "github", env={"GITHUB_STEP_SUMMARY": "/nonexistent/x"}).code in (0, 1)


def test_where_a_service_stands_for_what_watches_it(standing: Project) -> None:
    for words in (["status"], ["now"]):
        plugin = read_nagios(standing.run(*words, "-f", "nagios").out)
        assert plugin.word in ("BAKED", "BAKING", "STALE", "QUIET", "UNKNOWN")
        text = standing.run(*words, "-f", "prometheus").out
        assert 'stage="first"} 10' in text and f'state="{plugin.word}"}} 1' in text


def test_the_documents_hold_to_the_schema(project: Project) -> None:
    SCENES["preflight-no-go"].before(project)
    ran = project.json("preflight")
    hold_to_the_schema(ran, "preflight")
    row = ran.rows("checks")["words_are_there"]
    assert row["last_good"]["observed"] and row["since_then"][0]["text"] == "deploy: build 7"
    assert (row["counts"], row["checklist"]) == (True, "ready")
    requests = project.json("preflight", "--curl").document["requests"]
    assert [one["id"] for one in requests] == ["ready/answers", "ready/words_are_there"]


def test_the_table_of_exit_statuses_tells_the_plugins_too(standing: Project) -> None:
    details = standing.json("exit-codes").document["details"]
    assert {code: row["nagios"] for code, row in details.items()} == {
        "0": 0, "1": 2, "2": 3, "3": 3, "4": 3, "5": 3, "70": 3, "130": 3, "143": 3,
    }  # fmt: skip
    assert "nagios" in standing.run("exit-codes").out.splitlines()[0]
