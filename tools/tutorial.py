"""Types the commands of the pages in docs/, each page in a new folder, and keeps what they print in the page.

In a page a fence `yaml file=PATH` is a file to write, `sh run` (or `sh run exit=1`) is typed, and the fence
`text output` after it holds what it printed, both streams together as a terminal shows them. `text files-of=PAGE`
writes the files of another page. What stands in a comment of the page is done too, and not shown.

    python -m tools.tutorial [PAGE...]      writes the outputs of the pages in docs/ again
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from runbook.sandbox.control import down

DOCS = Path(__file__).resolve().parent.parent / "docs"
FENCE = re.compile(r"^```(?P<about>[^\n`]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
PATIENCE = 120.0  # seconds that any one command may take


@dataclass(frozen=True)
class Step:
    """One thing that a page does: a file to write (`file`), or commands to type and the status they must end with.

    `printed` is the output that the page shows, None where it shows none; `start` and `end` are that fence's body.
    """

    body: str
    file: str = ""
    status: int = 0
    printed: str | None = None
    start: int = 0
    end: int = 0


@dataclass(frozen=True)
class Came:
    """How a step came out: its exit status and what it printed."""

    status: int
    printed: str


def pages() -> list[Path]:
    """The pages that have something to type."""
    return [path for path in sorted(DOCS.rglob("*.md")) if any(not step.file for step in steps_of(path))]


def steps_of(path: Path) -> list[Step]:
    """What a page does, in order."""
    steps: list[Step] = []
    for found in FENCE.finditer(path.read_text("utf-8")):
        language, *words = found["about"].split() or [""]
        about = dict(word.partition("=")[::2] for word in words)
        if "file" in about:
            steps.append(Step(found["body"], file=about["file"]))
        elif "files-of" in about:
            steps += [replace(step, printed=None) for step in steps_of(DOCS / about["files-of"]) if step.file]
        elif language == "sh" and "run" in about:
            steps.append(Step(found["body"], status=int(about.get("exit", "0"))))
        elif language == "text" and "output" in about and steps:
            shown = {"printed": found["body"], "start": found.start("body"), "end": found.end("body")}
            steps[-1] = replace(steps[-1], **shown)  # type: ignore[arg-type]
    return steps


def walk(steps: list[Step], folder: Path) -> Iterator[tuple[Step, Came]]:
    """Do each step in `folder`. A command that hangs ends the walk with `TimeoutExpired`."""
    for step in steps:
        yield step, (_write(step, folder) if step.file else _type(step, folder))


def _write(step: Step, folder: Path) -> Came:
    path = folder / step.file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(step.body, "utf-8")
    return Came(0, "")


def _type(step: Step, folder: Path) -> Came:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RUNBOOK_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}"
    done = subprocess.run(
        ["sh", "-c", step.body],
        cwd=folder,
        env=kept | {"PATH": path, "RUNBOOK_OPERATOR": "oncall", "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        timeout=PATIENCE,
    )
    return Came(done.returncode, done.stdout.decode("utf-8", "replace").replace(str(folder), f"~/{folder.name}"))


def again(path: Path) -> int:
    """Write the outputs into a page; the number of steps that did not end as it says."""
    wrong, new, steps = 0, [], steps_of(path)
    with tempfile.TemporaryDirectory(prefix="runbook-tutorial-") as made:
        folder = Path(made).resolve() / "search"
        folder.mkdir()
        try:
            for step, came in walk(steps, folder):
                if came.status != step.status:
                    wrong += 1
                    sys.stderr.write(f"{step.body.strip()}: {came.status}, not {step.status}\n{came.printed}\n")
                new.append(came.printed.rstrip("\n") + "\n")
        finally:
            leave(folder)
    page = path.read_text("utf-8")
    for step, printed in reversed(list(zip(steps, new, strict=True))):
        if step.printed is not None:
            page = page[: step.start] + printed + page[step.end :]
    path.write_text(page, "utf-8")
    return wrong


def leave(folder: Path) -> None:
    """End the practice services that a page may have left behind."""
    for sandbox in (folder / ".runbook" / "sandbox").glob("*/"):
        down(sandbox)


def main() -> int:
    """Do the named pages, or all."""
    named = [Path(argument).resolve() for argument in sys.argv[1:]]
    return sum(map(again, named or pages()))


if __name__ == "__main__":
    sys.exit(main())
