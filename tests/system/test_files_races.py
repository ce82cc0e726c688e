"""Names that another process swaps while an edit is under way lead nowhere else."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook.system.files import FileTrouble
from runbook.system.replacement import read_real, replace_atomically

ENOUGH, AT_MOST = 150, 6_000

SWAP_FILE = """
    (folder / "link").symlink_to(outside / "flags.env")
    (folder / "link").replace(folder / "flags.env")
    (folder / "plain").write_bytes(b"old")
    (folder / "plain").replace(folder / "flags.env")
"""
SWAP_FOLDER = """
    folder.rename(aside)
    folder.symlink_to(outside)
    folder.unlink()
    aside.rename(folder)
"""
LOOP = """
import pathlib, sys
project = pathlib.Path(sys.argv[1])
folder, aside, outside, stop = (project / name for name in ("folder", "aside", "outside", "stop"))
swaps = 0
while not stop.exists():
    swaps += 1{swap}
print(swaps)
"""


@contextlib.contextmanager
def swapping(swap: str, project: Path) -> Iterator[None]:
    """The state in which another process swaps names as fast as it can."""
    command = [sys.executable, "-c", LOOP.format(swap=swap), str(project)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield
    finally:
        (project / "stop").touch()
        output, _ = process.communicate(timeout=20)
    print(f"{output.strip()} swaps")
    assert int(output) > 10


def edit_again_and_again(path: Path) -> int:
    """Edit until enough edits went through; how many were refused."""
    done = refused = 0
    while done < ENOUGH and refused < AT_MOST:
        try:
            read_real(path)
            replace_atomically(path, b"ours", expected_digest=None)
            done += 1
        except FileTrouble:
            refused += 1
    print(f"{done} edits done, {refused} refused")
    return refused


@pytest.mark.parametrize("swap", [SWAP_FILE, SWAP_FOLDER], ids=["file", "folder"])
def test_nothing_is_written_outside(tmp_path: Path, swap: str) -> None:
    project = tmp_path.resolve()
    for name in ("folder", "outside"):
        (project / name).mkdir()
        (project / name / "flags.env").write_bytes(b"theirs")
    with swapping(swap, project):
        refused = edit_again_and_again(project / "folder" / "flags.env")
    assert refused > 0
    assert (project / "outside" / "flags.env").read_bytes() == b"theirs"
    assert [found.name for found in (project / "outside").iterdir()] == ["flags.env"]
    assert [found.name for found in (project / "folder").iterdir()] == ["flags.env"]
