"""The commands of `runbook incident`, as the installed command, in a project of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

COMMAND = Path(sys.executable).with_name("runbook")
PLAYBOOK = """\
runbook: 1
service: menu
title: Menu translation
flags: {percent: MENU_PERCENT, safe: {MENU_PERCENT: 0}}
environments:
  local: {flags_in: {env: menu.env}, redeploy: {command: ["true"]}}
metrics:
  load: {command: [cat, load.txt], reads: true, jq: ., unit: count, critical: "> 5"}
stages:
  - {stage: dark, percent: 0}
  - {stage: tasters, percent: 10}
rollback: {set: safe, incident: P1}
severities: {P0: {respond: 0m, when: "load > 5"}, P1: {respond: 15m}}
"""


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Project:
    """A project in a folder of its own."""

    folder: Path

    def run(self, *arguments: str) -> Ran:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("RUNBOOK_")}
        ran = subprocess.run(
            [COMMAND, *arguments], cwd=self.folder, env={**clean, "NO_COLOR": "1"}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        return Ran(ran.returncode, ran.stdout, ran.stderr)

    def json(self, *arguments: str, status: int = 0) -> Any:
        ran = self.run(*arguments, "--format", "json")
        assert ran.status == status, ran.out + ran.err
        assert {"schema", "command", "service", "environment", "verdict", "exit_reason"} <= ran.document.keys()
        return ran.document


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "playbooks/menu.yaml").write_text(PLAYBOOK)
    (tmp_path / "menu.env").write_text("MENU_PERCENT=0\n")
    (tmp_path / "load.txt").write_text("9\n")
    return Project(tmp_path)


def test_the_life_of_an_incident(project: Project) -> None:
    opened = project.json("incident", "open", "soup is cold | <b>")
    (row,) = opened["incidents"]
    assert opened["command"] == "incident open" and opened["incident"] == 1
    assert (row["id"], row["title"], row["severity"], row["state"]) == (1, "soup is cold | <b>", "P0", "open")
    assert row["respond_by"] == row["opened_at"] and "load > 5: 9" in opened["message"]

    again = project.run("incident", "open", "once more")
    assert again.status == 1 and "incident 1 (P0, soup is cold | <b>) is open already" in again.err

    assert project.json("incident", "note", "the oven was off")["incident"] == 1
    assert project.json("incident", "severity", "low")["incidents"][0]["severity"] == "P3"
    resolved = project.json("incident", "resolve", "oven on")
    assert resolved["incidents"][0]["state"] == "resolved" and resolved["incidents"][0]["resolved_at"]
    assert project.run("incident", "resolve", "--incident", "1").status == 1

    shown = project.json("incident", "show")
    assert [event["kind"] for event in shown["events"]] == [
        "incident.opened", "incident.noted", "incident.severity", "incident.resolved",
    ]  # fmt: skip
    assert shown["events"][1]["payload"] == {"id": 1, "text": "the oven was off"}
    listed = project.json("incident", "list")
    assert [one["id"] for one in listed["incidents"]] == [1] and listed["incident"] is None


def test_the_severity_is_the_default_with_the_reason_when_nothing_can_be_measured(project: Project) -> None:
    (project.folder / "load.txt").unlink()
    opened = project.json("incident", "open", "dark")
    assert opened["incidents"][0]["severity"] == "P1" and "could not be judged" in opened["message"]


def test_several_open_incidents_have_to_be_named(project: Project) -> None:
    project.json("incident", "open", "one", "--severity", "P2")
    assert project.json("incident", "open", "two", "--severity", "P3", "--another")["incident"] == 2
    refused = project.run("incident", "note", "which")
    assert refused.status == 2 and "--incident ID" in refused.err
    assert project.json("incident", "note", "this", "--incident", "1")["incident"] == 1
    assert project.json("incident", "report")["incident"] == 2  # of several, the one opened last
    assert project.json("incident", "report", "1")["path"].endswith("incident_report-1.md")


def test_the_report_tells_of_an_emergency(project: Project) -> None:
    (project.folder / "menu.env").write_text("MENU_PERCENT=10\n")
    assert project.run("rollback", "--emergency", "--yes", "--reason", "cold").status == 0
    report = project.json("incident", "report")
    path = project.folder / "incident_report.md"
    assert report["path"] == str(path) and report["incidents"][0]["severity"] == "P1"
    text = path.read_text()
    assert "| `MENU_PERCENT` | `10` | `0` | menu.env |" in text and "began: cold" in text
    assert (project.folder / "incidents/1/incident_report.md").read_text() == text
    path.write_text(text + "\nWritten by people.\n")
    assert project.json("incident", "postmortem")["path"] == str(project.folder / "post_mortem.md")
    assert project.run("incident", "report").status == 0
    assert path.read_text().endswith("\nWritten by people.\n")
    markdown = project.run("incident", "report", "--format", "markdown")
    assert markdown.out == path.read_text()


def test_output_names_the_file_and_json_still_goes_to_standard_output(project: Project) -> None:
    project.json("incident", "open", "one", "--severity", "P2")
    elsewhere = project.folder / "elsewhere.md"
    assert project.json("incident", "report", "-o", str(elsewhere))["path"] == str(elsewhere)
    assert elsewhere.read_text().startswith("<!-- runbook:begin title")
    assert not (project.folder / "incident_report.md").exists()


def test_a_broken_template_is_refused_with_its_place(project: Project) -> None:
    project.json("incident", "open", "one", "--severity", "P2")
    (project.folder / "templates").mkdir()
    (project.folder / "templates/mine.md").write_text("fine\n{{ wrong }}\n")
    document = project.json("incident", "report", "--template", "mine", status=2)
    assert (document["problems"][0]["file"], document["problems"][0]["line"]) == ("templates/mine.md", 2)
    assert not (project.folder / "incident_report.md").exists()


def test_a_broken_playbook_does_not_stop_the_papers(project: Project) -> None:
    project.json("incident", "open", "one", "--severity", "P2")
    (project.folder / "playbooks/menu.yaml").write_text(PLAYBOOK + "dashboard: {panles: [}\n")
    assert project.json("incident", "note", "the playbook broke, too")["incident"] == 1
    ran = project.run("incident", "report")
    assert ran.status == 0 and "broken" in ran.err
    assert "the playbook broke, too" in (project.folder / "incident_report.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (("show",), 1, "has had no incident"),
        (("report",), 1, "has had no incident"),
        (("note", "x"), 2, "no incident is open"),
        (("severity", "P9"), 2, "there is no severity 'P9'"),
        (("open", "x", "--severity", "hihg"), 2, "did you mean high?"),
    ],
)
def test_refusals_say_what_and_what_next(project: Project, arguments: tuple[str, ...], status: int, says: str) -> None:
    ran = project.run("incident", *arguments)
    assert ran.status == status and says in ran.out + ran.err
    assert "Next:" in ran.out + ran.err


def test_with_the_store_away_nothing_is_pretended(project: Project) -> None:
    project.json("incident", "open", "one", "--severity", "P2")
    for path in (project.folder / ".runbook").glob("state.db*"):
        path.unlink()
    (project.folder / ".runbook/state.db").mkdir()
    ran = project.run("incident", "note", "x")
    assert ran.status == 4 and "the store is away" in ran.err
