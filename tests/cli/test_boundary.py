"""The boundary: refusal, interruption and bug are three ends, each with its status and its words."""

from __future__ import annotations

import io
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from runbook.actions.steps import Act
from runbook.cli.boundary import answer_with, of_bug
from runbook.cli.exit_codes import MEANING
from runbook.cli.options import JUDGED, SCREENS, Format, Shared
from runbook.cli.speech import deliver
from runbook.cli.talk import Telling, can_ask, confirm, plan_page
from runbook.language.places import Place, Problem
from runbook.rollout.ramp import carry_out
from runbook.show.answer import Answer
from runbook.show.page import Page
from runbook.show.printing import as_plain
from runbook.system.refusals import Exit, Refusal
from tests.actions.making import run as shell
from tests.command.project import RUNBOOK
from tests.rollout.site import make_house


def raising(error: BaseException) -> Callable[[], Answer]:
    def work() -> Answer:
        raise error

    return work


def ended(error: BaseException, capsys: pytest.CaptureFixture[str], **shared: object) -> tuple[int, str, str]:
    code = answer_with(Shared(**shared), "status", raising(error))  # type: ignore[arg-type]
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.parametrize("exit_", list(Exit))
def test_every_status_has_a_meaning_a_reason_and_a_verdict(exit_: Exit) -> None:
    assert MEANING[exit_]
    assert exit_.reason == exit_.reason.lower()
    assert exit_.verdict in ("go", "no-go", "unknown", "failed")


def test_a_refusal_says_what_why_and_what_to_type(capsys: pytest.CaptureFixture[str]) -> None:
    problems = [Problem("it is wrong", Place("playbooks/a.yaml", 3, 7))]
    refusal = Refusal("nothing was run", exit_=Exit.NO_GO, problems=problems, next_steps=["runbook lint"])
    code, out, err = ended(refusal, capsys)
    assert (code, out) == (1, "")
    assert "nothing was run" in err
    assert "playbooks/a.yaml:3:7" in err
    assert "Next: runbook lint" in err


def test_a_refusal_is_a_document_under_json(capsys: pytest.CaptureFixture[str]) -> None:
    refusal = Refusal("busy: ana is at work\x1b[31m", exit_=Exit.BUSY, next_steps=["--wait 5m"])
    code, out, err = ended(refusal, capsys, format=Format.JSON)
    document = json.loads(out)
    assert (code, err) == (5, "")
    assert (document["schema"], document["command"], document["verdict"]) == ("runbook/1", "status", "failed")
    assert (document["exit_reason"], document["next"]) == ("busy", ["--wait 5m"])
    assert "\x1b" not in out


def test_an_interruption_has_its_own_status(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, _ = ended(KeyboardInterrupt(), capsys)
    assert code == 130


def test_a_bug_is_one_line_and_a_report_without_secrets(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("DEPLOY_TOKEN", "hunter2-hunter2")
    code, out, err = ended(ZeroDivisionError("with hunter2-hunter2"), capsys)
    assert code == 70
    told = out + err
    assert "a bug of this tool: ZeroDivisionError" in told
    assert "Traceback" not in told
    [report] = tmp_path.rglob("*.txt")
    assert str(report) in told.replace("\n", "").replace("  ", "")
    text = report.read_text()
    assert "Traceback" in text
    assert "hunter2" not in text + told
    assert report.stat().st_mode & 0o777 == 0o600


def test_a_bug_is_told_even_where_no_report_can_be_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    assert of_bug(ValueError("odd")).message == "a bug of this tool: ValueError: odd"


@pytest.mark.parametrize("format_", list(Format))
def test_an_answer_is_printed_as_it_was_asked_for(format_: Format, capsys: pytest.CaptureFixture[str]) -> None:
    answer = Answer(Exit.UNKNOWN, "two were not answered", service="checkout", environment="production")
    answer.page.verdict("UNKNOWN", "checkout")
    assert deliver(answer, Shared(format=format_), "gate", 0.0, 0.25) == 3
    out = capsys.readouterr().out
    if format_ in JUDGED[len(SCREENS) :]:
        assert "two were not answered" in out or 'environment="production",verdict="unknown"} 1' in out
        return
    if format_ is Format.JSON:
        document = json.loads(out)
        assert (document["verdict"], document["exit_reason"]) == ("unknown", "unknown")
        assert (document["started_at"], document["duration_ms"]) == ("1970-01-01T00:00:00.000Z", 250.0)
    else:
        assert "UNKNOWN  checkout" in out
        assert out.startswith("```text") is (format_ is Format.MARKDOWN)


def test_an_answer_goes_into_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = Answer(Exit.GO, "fine")
    answer.page.line("fine")
    assert deliver(answer, Shared(output=tmp_path / "out.txt"), "gate", 0.0, 0.0) == 0
    assert (tmp_path / "out.txt").read_text() == "fine\n"
    assert deliver(answer, Shared(output=tmp_path / "no" / "out.txt"), "gate", 0.0, 0.0) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "No such file" in captured.err


def test_where_nobody_can_be_asked_the_option_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    assert not can_ask()
    with pytest.raises(Refusal) as refused:
        confirm(Shared(), "Go on?", yes=False)
    assert (refused.value.exit, refused.value.next_steps) == (Exit.USAGE, ("give --yes",))
    confirm(Shared(), "Go on?", yes=True)


def test_a_protected_name_is_typed_and_yes_is_not_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(Refusal, match="no terminal"):
        confirm(Shared(), "Go on?", yes=True, typed="production")
    with pytest.raises(Refusal, match="is not production"):
        confirm(Shared(), "Go on?", yes=True, typed="production", confirm_option="prod")
    confirm(Shared(), "Go on?", yes=False, typed="production", confirm_option="production")


def test_output_of_a_step_is_shown_when_it_failed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    house = make_house(tmp_path)
    house.file("deploy.sh").write_text("echo building; echo broken >&2; exit 1")
    carry_out(house.site, house.propose(), Telling(Shared()))
    err = capsys.readouterr().err
    assert "NO  redeploy" in err
    assert "| broken" in err
    assert "ok  undo flags" in err
    Telling(Shared(quiet=True)).ended(Act(shell("true")).record(), "ok", "", 0.0)
    assert capsys.readouterr().err == ""


def test_a_plan_is_shown_with_every_step_and_its_undo(tmp_path: Path) -> None:
    page = Page()
    plan_page(page, make_house(tmp_path).propose().plan, bake="1 h from then", watching="nobody")
    told = as_plain(page)
    assert "1  flags" in told
    assert "undo: restore 3 values" in told
    assert "- PERCENT=0" in told
    assert "+ PERCENT=5" in told
    assert "sh deploy.sh" in told
    assert "4  bake      1 h from then" in told


def test_the_bare_command_shows_its_help(tmp_path: Path) -> None:
    ran = subprocess.run([RUNBOOK], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 2 and "Tonight" in ran.stdout and "Traceback" not in ran.stderr
