"""Where the project is, and where its state lies when the project cannot hold it."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from runbook.playbook.find import find_playbooks
from runbook.system.project import find_project, state_folder
from runbook.system.refusals import Exit, Refusal
from tests.system.other_worlds import NOBODY, run_python


@pytest.fixture
def below(tmp_path: Path) -> Path:
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    return folder


def make(root: Path, mark: str) -> None:
    if mark == "runbook.toml":
        (root / mark).write_text("")
    elif mark == ".runbook":
        (root / mark).mkdir()
    else:
        (root / "playbooks").mkdir()
        (root / "playbooks" / "x.yaml").write_text("# ours\nservice: x\nrunbook: 1\n")


@pytest.mark.parametrize("mark", ["runbook.toml", ".runbook", "playbooks"])
def test_the_nearest_folder_upwards_with_one_of_three_marks(mark: str, below: Path, tmp_path: Path) -> None:
    make(tmp_path, mark)
    found = find_project({}, below)
    assert (found.root, found.source) == (tmp_path, "found upwards")
    make(below, mark)
    found = find_project({}, below)
    assert (found.root, found.source) == (below, "the current folder")


def test_with_nothing_found_it_is_the_current_folder(below: Path) -> None:
    assert find_project({}, below).root == below


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("base.yaml", "severities: {}\n"),
        ("x.yaml", "a: {runbook: 1}\n"),
        ("x.yaml", "a:\n  runbook: 1\n"),
        ("x.yaml", "# runbook: 1\na: 1\n"),
        ("x.yaml", "runbooks: 1\n"),
        ("x.yaml", ""),
        ("x.yml", "runbook: 1\n"),
        ("x.txt", "runbook: 1\n"),
    ],
)
def test_other_yaml_makes_no_project(name: str, text: str, below: Path, tmp_path: Path) -> None:
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "playbooks" / name).write_text(text)
    assert find_project({}, below).root == below


@pytest.mark.parametrize(
    "text",
    [
        "runbook: 1\n",
        "\ufeffrunbook: 1\n",
        "---\nrunbook: 1\n",
        "a: 1\r\nrunbook: 1\r\n",
        "runbook : 1\n",
        '"runbook": 1\n',
        "'runbook': 1\n",
        "{runbook: 1, service: x}\n",
        "  runbook: 1\n  service: x\n",
        "runbook: 99\n",
        "runbook: 1\nservice: [\n",
        "# " + "x" * 70_000 + "\nrunbook: 1\n",
    ],
)
def test_whatever_is_a_playbook_for_the_reader_makes_a_project(text: str, below: Path, tmp_path: Path) -> None:
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "playbooks" / "x.yaml").write_bytes(text.encode())
    assert [found.name for found in find_playbooks(tmp_path)] == ["x"]
    assert find_project({}, below).root == tmp_path


def test_what_is_no_file_hangs_nothing(below: Path, tmp_path: Path) -> None:
    (tmp_path / "playbooks").mkdir()
    os.mkfifo(tmp_path / "playbooks" / "pipe.yaml")
    (tmp_path / "playbooks" / "folder.yaml").mkdir()
    (tmp_path / "playbooks" / "gone.yaml").symlink_to("nowhere")
    assert find_project({}, below).root == below


def test_a_variable_overrides(below: Path, tmp_path: Path) -> None:
    make(below, "runbook.toml")
    found = find_project({"RUNBOOK_PROJECT": str(tmp_path)}, below)
    assert (found.root, found.source) == (tmp_path, "RUNBOOK_PROJECT")
    link = tmp_path / "link"
    link.symlink_to(below)
    assert find_project({"RUNBOOK_PROJECT": str(link)}, tmp_path).root == below


@pytest.mark.parametrize("named", ["gone", "file"])
def test_a_variable_that_names_no_folder_is_refused(named: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Refusal, match="RUNBOOK_PROJECT") as refused:
        find_project({"RUNBOOK_PROJECT": str(tmp_path / named)}, tmp_path)
    assert refused.value.exit is Exit.USAGE


def test_a_folder_that_was_deleted_under_us_is_refused(tmp_path: Path) -> None:
    code = (
        "import os, sys; from runbook.system.project import find_project\n"
        "from runbook.system.refusals import Refusal\n"
        "os.chdir(sys.argv[1]); os.rmdir(sys.argv[1])\n"
        "try: find_project({})\n"
        "except Refusal as refusal: print(int(refusal.exit), refusal.message)\n"
    )
    folder = tmp_path / "doomed"
    folder.mkdir()
    done = run_python(code, arguments=(str(folder),))
    assert done.stdout.startswith("2 the current folder is not there"), done.stderr


def test_state_lies_in_the_project_for_us_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        state = state_folder(tmp_path)
    finally:
        os.umask(before)
    assert (state.path, state.note) == (tmp_path / ".runbook", "")
    assert stat.S_IMODE(state.path.stat().st_mode) == 0o700


def test_where_the_project_cannot_hold_it_the_users_folder_does_and_says_so(tmp_path: Path) -> None:
    (tmp_path / ".runbook").write_text("a file where the folder should be")
    state = state_folder(tmp_path)
    assert state.path.is_relative_to(os.environ["XDG_STATE_HOME"])
    assert str(tmp_path / ".runbook") in state.note
    assert f"state is kept in {state.path}" in state.note
    assert state_folder(tmp_path).path == state.path
    other = tmp_path / "other"
    other.mkdir()
    (other / ".runbook").write_text("")
    assert state_folder(other).path != state.path


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user: not tried")
def test_a_folder_of_somebody_else_is_not_written() -> None:
    """The tests' own folder is closed to others, so the project of this one lies where everybody may look."""
    open_to_all = Path("/tmp") / f"runbook-nobody-{os.getpid()}"
    project, home = open_to_all / "project", open_to_all / "home"
    try:
        project.mkdir(parents=True)
        (project / ".runbook").mkdir()
        home.mkdir()
        open_to_all.chmod(0o755)
        home.chmod(0o777)
        code = (
            "import os, sys; from pathlib import Path\n"
            "import fcntl, platformdirs, platformdirs.unix\n"
            "from runbook.system.project import state_folder\n"
            "os.environ['XDG_STATE_HOME'] = sys.argv[2]\n"
            f"os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})\n"
            "state = state_folder(Path(sys.argv[1])); print(state.path); print(state.note)\n"
        )
        done = run_python(code, arguments=(str(project), str(home)))
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(str(home))
        assert "cannot be written" in done.stdout
    finally:
        shutil.rmtree(open_to_all, ignore_errors=True)


def test_with_neither_folder_it_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".runbook").write_text("")
    (tmp_path / "state").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with pytest.raises(Refusal) as refused:
        state_folder(tmp_path)
    assert refused.value.exit is Exit.FAILED
