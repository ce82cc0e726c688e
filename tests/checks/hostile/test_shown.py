"""What reaches the screen when every kind is told what would move a cursor: in each format of the command."""

from __future__ import annotations

import contextlib
import subprocess
from pathlib import Path

import pytest

from tests.checks.hostile.kinds import ROWS, told
from tests.checks.hostile.peers import peer
from tests.checks.hostile.poisons import POISONS
from tests.checks.hostile.test_memory import playbook_of
from tests.checks.hostile.test_poison import filled
from tests.command.project import CONTROL, REASONS, RUNBOOK, environment

FORMATS = ["table", "plain", "json", "markdown", "junit", "tap", "prometheus", "github"]
WORST = "\x1b[2J\x1b[1A\x1b]0;pass\x07\x9b31m\r\b\u202epass\u200b | [x](http://e) <b> ::error::x"


def preflight(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    argv = [str(RUNBOOK), "preflight", "--automatic", *options]
    return subprocess.run(
        argv,
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize("format_", FORMATS)
def test_in_every_format(format_: str, tmp_path: Path) -> None:
    """Each kind beside a server of its own, which answers it what it would show."""
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "ranker.env").write_text("SHARE=10\n")
    with contextlib.ExitStack() as running:
        checks = []
        for number, row in enumerate(row for row in ROWS if row.poisoned and row.kind != "cosmos"):
            (tmp_path / str(number)).mkdir()
            other = running.enter_context(peer(told(filled(row.poisoned[0], WORST)), tmp_path / str(number)))
            checks.append(row.against(other))
        (tmp_path / "playbooks" / "ranker.yaml").write_text(playbook_of(checks))
        ran = preflight(tmp_path, "--format", format_)
        assert REASONS[ran.returncode] in ("no-go", "unknown"), ran
        assert CONTROL.search(ran.stdout + ran.stderr) is None, ran.stdout
        verbose = preflight(tmp_path, "--format", format_, "--verbose")
        assert CONTROL.search(verbose.stdout + verbose.stderr) is None, verbose.stdout
    assert "x1b" in ran.stdout or format_ == "prometheus"


def test_names_of_the_playbook_are_shown_harmless_too(tmp_path: Path) -> None:
    """A title or an option may hold anything that YAML can: what is printed of it moves nothing."""
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "ranker.env").write_text("SHARE=10\n")
    short = [one for one in POISONS if len(one) < 60 and one.isprintable() is False][:60]
    with peer(told("{}")) as honest:
        checks = [{"http": f"{honest.url}/", "header": "x", "expect": "== 1", "advice": f"do {one}"} for one in short]
        (tmp_path / "playbooks" / "ranker.yaml").write_text(playbook_of(checks))
        for format_ in ("table", "plain", "markdown"):
            ran = preflight(tmp_path, "--format", format_)
            assert CONTROL.search(ran.stdout + ran.stderr) is None, ran.stdout
