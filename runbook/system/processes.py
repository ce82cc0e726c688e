"""Processes of the operator's: started in a session of their own, bounded in time and output, ended as a whole."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from runbook.system.secrets import has_user_part, looks_secret

if TYPE_CHECKING:
    import subprocess

    from runbook.system.process_watch import Watch

MARKER = "RUNBOOK_OPERATION"  # the variable by which the processes of an operation are found again
_STARTED_AS = "RUNBOOK_PROCESS"  # one value a start, to find descendants that left the process group
_FORBIDDEN = re.compile(r"(?:LD_|DYLD_|PYTHON|GIT_|BASH_FUNC_).*|BASH_ENV|ENV")
_SHELL_NAME = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")


@dataclass(frozen=True)
class Finished:
    """How a process ended. `exit` is its status, negative for a signal's number, None if it could not be started.

    `output` is standard output, with standard error between unless they were kept apart (`errors`); of more than the
    limit the beginning and the end are kept. `duration` is in seconds.
    """

    exit: int | None
    output: str = ""
    errors: str = ""
    timed_out: bool = False
    interrupted: bool = False
    duration: float = 0.0
    not_started: str = ""
    cut: bool = False

    @property
    def ok(self) -> bool:
        return self.exit == 0 and not (self.timed_out or self.interrupted)

    @property
    def how_it_ended(self) -> str:
        """In an operator's words: `exit 3`, `timed out after 10 s`, `ended by signal 9`."""
        if self.not_started:
            return f"could not be started: {self.not_started}"
        if self.timed_out:
            return f"timed out after {self.duration:.3g} s"
        if self.interrupted:
            return "was interrupted"
        exit_ = self.exit or 0
        return f"exit {exit_}" if exit_ >= 0 else f"ended by signal {-exit_}"


def run_process(  # noqa: PLR0913 - one process has that many sides, and each is named by its caller
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    timeout: float,
    stopping: Callable[[], bool] | None = None,
    started: Callable[[int], None] | None = None,
    on_line: Callable[[str], None] | None = None,
    limit: int = 1 << 20,
    merge: bool = True,
) -> Finished:
    """Run `argv` to its end, or to the end of `timeout` seconds, or until `stopping()` is true (asked every 50 ms).

    It gets a session of its own, no standard input, and no open file of ours. `started` is called with its process id,
    which is its group's too, before anything is waited for; `on_line` with each line of output as it comes. At a
    time-out or stop the whole group is told to end, and after two seconds made to; what left the group goes as well
    where `/proc` shows it. After a normal end, what it left running stays (a service it started, say). Nothing is
    raised for what the process does or that it cannot be started.
    """
    from runbook.system.process_watch import Watch

    mark = os.urandom(8).hex()
    began = time.monotonic()
    try:
        process = _start(argv, cwd, {**env, _STARTED_AS: mark}, merge)
    except (OSError, ValueError) as trouble:
        return Finished(None, not_started=_why_not_started(argv, cwd, trouble))
    watch = Watch(process, on_line=on_line, limit=limit, until=began + timeout, stopping=stopping)
    why = _watched(process, watch, started, mark)
    return Finished(
        exit=process.returncode,
        output=watch.output.text(),
        errors=watch.errors.text(),
        timed_out=why == "time",
        interrupted=why == "stop",
        duration=time.monotonic() - began,
        cut=watch.output.cut or watch.errors.cut,
    )


def _watched(process: subprocess.Popen[bytes], watch: Watch, started: Callable[[int], None] | None, mark: str) -> str:
    """Wait for its end, or bring it about with all that it started; why, as `Watch.wait` says it."""
    try:
        if started is not None:
            started(process.pid)
        why = watch.wait()
    except BaseException:
        _end_all(process, mark)
        raise
    finally:
        watch.close()
    if why:
        _end_all(process, mark)
    return why


def _start(argv: Sequence[str], cwd: Path, env: Mapping[str, str], merge: bool) -> subprocess.Popen[bytes]:
    """Start it. Raises OSError, and ValueError for a NUL in an argument."""
    import subprocess

    return subprocess.Popen(
        list(argv),
        cwd=cwd,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if merge else subprocess.PIPE,
        start_new_session=True,
    )


class Environment(Protocol):
    """What a child's environment is made of: `system.variables.Variables`, for one."""

    @property
    def process(self) -> Mapping[str, str]: ...

    def secret_names(self) -> Collection[str]: ...


def child_environment(
    variables: Environment, *, named: Collection[str] = (), additions: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The environment of a child: the operator's, without what hijacks programs and without secrets it does not name.

    `named` are the variables that the child's own line names (`names_in_shell`), `additions` what the caller gives
    beside, the operation's marker for one.
    """
    declared = variables.secret_names()
    kept = {
        name: value
        for name, value in variables.process.items()
        if not _FORBIDDEN.fullmatch(name)
        and (name in named or not (name in declared or looks_secret(name) or has_user_part(value)))
    }
    return {**kept, **(additions or {})}


def names_in_shell(script: str) -> frozenset[str]:
    """The variables that a shell line names by `$NAME` or `${NAME...}`."""
    return frozenset(_SHELL_NAME.findall(script))


def process_identity(pid: int) -> tuple[int, str, str] | None:
    """What tells a process from a later one with its number: start time, boot id, PID namespace.

    The start time is in clock ticks since boot; the namespace is ours, in which the number was looked up. None if
    there is no such process, or where the system does not show it.
    """
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except (OSError, IndexError):
        return None
    return None if after_name[0] in "ZX" else (int(after_name[19]), boot, namespace)


def end_marked(marker: str, *, wait: float = 2.0) -> int:
    """End every process of ours whose environment carries `RUNBOOK_OPERATION=marker`; how many there were.

    For what a killed operation left running. Each is told to end, and made to after `wait` seconds. We ourselves are
    left out. Where there is no `/proc` none is found.
    """
    from runbook.system.process_watch import end_processes, processes_with

    return end_processes(lambda: processes_with(f"{MARKER}={marker}"), wait=wait)


def _end_all(process: subprocess.Popen[bytes], mark: str) -> None:
    from runbook.system.process_watch import end_group, end_processes, processes_with

    end_group(process)
    end_processes(lambda: processes_with(f"{_STARTED_AS}={mark}"), wait=0.0)


def _why_not_started(argv: Sequence[str], cwd: Path, trouble: Exception) -> str:
    if not cwd.is_dir():
        return f"the folder {cwd} is not there"
    if isinstance(trouble, FileNotFoundError):
        return f"{argv[0]} is not found"
    if isinstance(trouble, PermissionError):
        return f"{argv[0]} may not be run"
    return trouble.strerror or str(trouble) if isinstance(trouble, OSError) else str(trouble)
