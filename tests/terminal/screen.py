"""A command on a pseudo-terminal, and the screen as a person sees it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
from collections.abc import Iterator
from types import TracebackType
from typing import Self

import pexpect
import pyte

from tests.command.project import RUNBOOK, Project, environment

SECONDS = 20


class Terminal:
    """A terminal of so many columns on which one command runs. `seen` is every byte that the terminal was sent."""

    def __init__(self, project: Project, *args: str, columns: int = 80, lines: int = 24, **env: str) -> None:
        self.screen = pyte.HistoryScreen(columns, lines, history=1000, ratio=0.5)
        self._stream = pyte.ByteStream(self.screen)
        self.seen = b""
        self._fed = 0
        self.child = pexpect.spawn(
            str(RUNBOOK), list(args), cwd=str(project.folder), env=environment(**env), dimensions=(lines, columns),
            timeout=SECONDS, echo=False,
        )  # fmt: skip
        self.child.logfile_read = self

    def write(self, data: bytes) -> None:
        """What the terminal is sent; a question about the cursor is answered, as every terminal does."""
        self.seen += data
        self._stream.feed(data)
        for _ in range(data.count(b"\x1b[6n")):
            row, column = self.screen.cursor.y + 1, self.screen.cursor.x + 1
            self.child.send(f"\x1b[{row};{column}R")

    def flush(self) -> None:
        """Nothing waits."""

    def wait_for(self, text: str) -> Self:
        """Until this text has been shown. Raises when it never is."""
        self.child.expect(_loosely(text))
        return self

    def type(self, text: str) -> Self:
        self.child.send(text)
        return self

    def end(self) -> int:
        """Wait for the command; its exit status."""
        self.child.expect(pexpect.EOF)
        self.child.close()
        return int(self.child.exitstatus if self.child.exitstatus is not None else -(self.child.signalstatus or 0))

    def hang_up(self) -> None:
        """Close the terminal, as a lost connection does."""
        self.child.ptyproc.fileobj.close()
        self.child.ptyproc.closed = self.child.closed = True
        self.child.ptyproc.fd = self.child.child_fd = -1

    @property
    def shown(self) -> list[str]:
        """Every line that was shown, what scrolled away first."""
        width = self.screen.columns
        above = ["".join(line[column].data for column in range(width)).rstrip() for line in self.screen.history.top]
        return [*above, *(line.rstrip() for line in self.screen.display)]

    @property
    def text(self) -> str:
        return "\n".join(self.shown)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.child.pid, signal.SIGKILL)
        if not self.child.closed:
            self.child.close(force=True)


def _loosely(text: str) -> bytes:
    """A pattern for a text that may be coloured and wrapped."""
    noise = rb"(?:\x1b\[[0-9;?]*[A-Za-z]|\s)*"
    return noise.join(re.escape(letter.encode()) for letter in text if not letter.isspace())


@contextlib.contextmanager
def on_terminal(project: Project, *args: str, columns: int = 80, lines: int = 24, **env: str) -> Iterator[Terminal]:
    """The command on a terminal; it ends with the block."""
    with Terminal(project, *args, columns=columns, lines=lines, **env) as terminal:
        yield terminal
