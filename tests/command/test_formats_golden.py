"""What is printed in each format, held against golden files: tests/golden/SCENE.EXIT.FORMAT holds the exit status.

Times, durations and ports are made the same before they are compared. To write the files again, and see what changed:

    RUNBOOK_TEST_GOLDEN=write .venv/bin/pytest -q tests/command/test_formats_golden.py && git diff tests/golden
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.command.held_formats import FORMATS, hold_to_the_format
from tests.command.project import Project
from tests.command.scenes import SCENES, normalised
from tests.places import PROJECT

GOLDEN = PROJECT / "tests" / "golden"
WRITES = os.environ.get("RUNBOOK_TEST_GOLDEN") == "write"


@pytest.mark.parametrize("name", SCENES)
def test_every_format_is_as_it_was(name: str, project: Project) -> None:
    scene = SCENES[name]
    scene.before(project)
    for wanted in FORMATS:
        ran = project.run(*scene.words, "--format", wanted, env={"RUNBOOK_OPERATOR": "mira"})
        printed = ran.out or ran.err
        assert "\x1b" not in ran.said
        hold_to_the_format(wanted, ran.code, printed)
        golden = GOLDEN / f"{name}.{ran.code}.{wanted}"
        came = normalised(printed.replace(str(project.folder), "/project"))
        if WRITES:
            for old in GOLDEN.glob(f"{name}.*.{wanted}"):
                old.unlink()
            golden.write_text(came, "utf-8")
        assert golden.is_file(), f"{name} ends with {ran.code}, and no golden file says so: {printed}"
        assert came == golden.read_text("utf-8")


def test_there_is_a_golden_file_for_each_and_no_other() -> None:
    found = sorted((path.name.split(".")[0], path.suffix[1:]) for path in GOLDEN.iterdir())
    assert found == sorted((name, wanted) for name in SCENES for wanted in FORMATS)


@pytest.mark.needs("promtool")
@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.prometheus")), ids=lambda path: path.name)
def test_promtool_reads_what_is_written(path: Path) -> None:
    promtool = shutil.which("promtool")
    assert promtool is not None
    ran = subprocess.run([promtool, "check", "metrics"], input=path.read_bytes(), capture_output=True, check=False)
    assert (ran.returncode, ran.stdout + ran.stderr) == (0, b"")
