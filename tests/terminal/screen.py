"""A command on a pseudo-terminal, and the screen as a person sees it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
from collections.abc import Iterator, Mapping
from typing import Any, Self

import pexpect
import pyte

from tests.command.project import RUNBOOK, Project, environment

SECONDS = 20


class Terminal:
    """A terminal of so many columns on which one command runs. `seen` is every byte that the terminal was sent."""

    def __init__(
        self, project: Project, *args: str, columns: int = 80, lines: int = 24, env: Mapping[str, str] | None = None
    ) -> None:
        self.screen = pyte.HistoryScreen(columns, lines, history=1000, ratio=0.5)
        self._stream = pyte.ByteStream(self.screen)
        self.seen = b""
        self._fed = 0
        self.child = pexpect.spawn(
            str(RUNBOOK), list(args), cwd=str(project.folder), env=environment(**(env or {})), timeout=SECONDS,
            dimensions=(lines, columns), echo=False,
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

    def key_in(self, text: str) -> Self:
        self.child.send(text)
        return self

    def end(self) -> int:
        """Wait for the command; its exit status."""
        self.child.expect(pexpect.EOF)
        self.child.close()
        return int(self.child.exitstatus if self.child.exitstatus is not None else -(self.child.signalstatus or 0))

    def hang_up(self) -> None:
        """Close the terminal, as a lost connection does."""
        pty: Any = vars(self.child)["ptyproc"]
        pty.fileobj.close()
        pty.closed = self.child.closed = True
        pty.fd = self.child.child_fd = -1

    @property
    def shown(self) -> list[str]:
        """Every line that was shown, what scrolled away first."""
        width = self.screen.columns
        above = ["".join(line[column].data for column in range(width)).rstrip() for line in self.screen.history.top]
        return [*above, *(line.rstrip() for line in self.screen.display)]

    @property
    def text(self) -> str:
        return "\n".join(self.shown)

    def kill(self) -> None:
        """End what still runs."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        if not self.child.closed:
            self.child.close(force=True)

    @property
    def pid(self) -> int:
        assert self.child.pid is not None  # it was started
        return self.child.pid


def _loosely(text: str) -> bytes:
    """A pattern for a text that may be coloured and wrapped."""
    noise = rb"(?:\x1b\[[0-9;?]*[A-Za-z]|\s)*"
    return noise.join(re.escape(letter.encode()) for letter in text if not letter.isspace())


@contextlib.contextmanager
def on_terminal(
    project: Project, *args: str, columns: int = 80, lines: int = 24, env: Mapping[str, str] | None = None
) -> Iterator[Terminal]:
    """The command on a terminal; it ends with the block."""
    terminal = Terminal(project, *args, columns=columns, lines=lines, env=env)
    try:
        yield terminal
    finally:
        terminal.kill()
