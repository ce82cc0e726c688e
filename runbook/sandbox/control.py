"""Setting a sandbox up, restarting it, giving it faults, and taking it down.

A sandbox is a folder with one process: `up` starts the process detached, and whoever calls these functions may end
without ending it. `python -m runbook.sandbox.control restart FOLDER` is what a redeploy of it runs.
"""

from __future__ import annotations

import fcntl
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from runbook.sandbox import faults as fault_file
from runbook.sandbox.process import RESTART, UP, answers, start_engine, stop_engine, tell_engine, write_restart_script
from runbook.sandbox.record import Serving, Setup, read_serving, read_setup, write_private, write_setup
from runbook.sandbox.trouble import PortTaken, SandboxTrouble


@dataclass(frozen=True)
class Running:
    """A sandbox that answers."""

    url: str
    pid: int
    folder: Path
    env_file: Path


@dataclass(frozen=True)
class State:
    """How a sandbox stands. `alive` is told from the process alone; `started_at` is in seconds since the epoch.

    `up` is false after an orderly `down`; a sandbox that is up and not alive was killed. `fault` is `none` or the
    faults as they would be typed.
    """

    service: str
    url: str
    pid: int
    alive: bool
    up: bool
    folder: Path
    env_file: Path
    definition: Path
    started_at: float
    fault: str = "none"


@dataclass(frozen=True)
class SandboxEnvironment:
    """What a playbook's sandbox environment takes from here.

    `restart_argv` is the redeploy command, to be run in the project's folder. `variables` name the sandbox's own
    database, port and folders; paths among them are relative to the project where the sandbox lies inside it.
    """

    url: str
    env_file: Path
    restart_argv: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)


def up(definition: Path, folder: Path, env_file: Path, *, port: int | None = None, wait: float = 10.0) -> Running:
    """Starts the practice service of `definition` in `folder`, and returns when it answers.

    The env file is written from the definition where it is missing, never changed where it exists. Without `port`
    the one of last time is taken, or a free one. Already running with the same definition and env file: nothing is
    done. `wait` is in seconds. Raises SandboxTrouble: definition missing or wrong, port taken, not up in time.
    """
    definition, folder, env_file = definition.absolute(), folder.absolute(), env_file.absolute()
    _find(definition)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _controlled(folder):
        setup, serving = read_setup(folder), read_serving(folder)
        if serving and serving.alive():
            wanted = Setup(str(definition), str(env_file), port or serving.port)
            if setup == wanted and answers(serving):
                return _running(folder, wanted, serving)
            stop_engine(serving)
        _write_initial_env_file(definition, env_file)
        kept = setup.port if setup and port is None else 0
        chosen = Setup(str(definition), str(env_file), port or kept)
        return _start(folder, chosen, wait, any_port=port is None)


def restart(folder: Path, *, wait: float = 10.0) -> Running:
    """Ends the process and starts another, which reads the env file anew; port and faults stay.

    Returns when the new one answers. A process that was killed is started likewise. Raises SandboxTrouble: not up,
    an env file that the service cannot read (then nothing serves any more, as with a real service), port taken.
    """
    folder = folder.absolute()
    _set_up(folder)
    with _controlled(folder):
        setup, serving = _set_up(folder), read_serving(folder)
        _find(Path(setup.definition))
        if serving and serving.alive():
            stop_engine(serving)
        return _start(folder, setup, wait, any_port=False)


def down(folder: Path) -> bool:
    """Ends the process and forgets its faults; files, port and env file stay. Tells whether there was one to end."""
    folder = folder.absolute()
    setup = read_setup(folder)
    if setup is None:
        return False
    with _controlled(folder):
        serving = read_serving(folder)
        alive = serving is not None and serving.alive()
        if serving is not None and alive:
            stop_engine(serving)
        fault_file.keep(folder, fault_file.Faults())
        write_setup(folder, replace(setup, up=False))
        return alive


def status(folder: Path) -> State | None:
    """How the sandbox in `folder` stands, without asking it; None where none was set up."""
    folder = folder.absolute()
    setup, serving = read_setup(folder), read_serving(folder)
    return None if setup is None or serving is None else _state(folder, setup, serving)


def set_fault(folder: Path, text: str) -> State:
    """Gives the service a fault (`error_rate=8%`, `latency=4s`, `down`, `garbage`, `stale`), or ends all with `none`.

    Faults add up, survive a restart, and hold when this returns. Raises SandboxTrouble: not up, unknown fault.
    """
    folder = folder.absolute()
    setup = _set_up(folder)
    with _controlled(folder):
        serving = read_serving(folder)
        if serving is None or not serving.alive():
            raise SandboxTrouble(f"the sandbox in {folder} is not running", f"{UP} starts it again")
        from runbook.sandbox.reading import read_definition

        faults = fault_file.kept(folder).joined(text, read_definition(Path(setup.definition)), time.time())
        fault_file.keep(folder, faults)
        tell_engine(serving)
        return _state(folder, setup, serving)


def environment(definition: Path, folder: Path, *, project: Path | None = None) -> SandboxEnvironment:
    """What the sandbox in `folder` lends to a playbook; nothing is asked over the network.

    Also where its process was killed: the redeploy starts it again. `project` is what relative paths in variables
    start at. Raises SandboxTrouble when it is not up, or is another service's.
    """
    folder = folder.absolute()
    setup, serving = _set_up(folder), read_serving(folder)
    if setup.definition != str(definition.absolute()):
        raise SandboxTrouble(f"the sandbox in {folder} is that of {setup.definition}", "runbook sandbox down, then up")
    if serving is None:
        raise SandboxTrouble(f"the sandbox in {folder} never answered", f"look at {folder}/engine.log, then {UP}")
    place = _seen_from(folder, project)
    return SandboxEnvironment(
        url=serving.url,
        env_file=Path(setup.env_file),
        restart_argv=("sh", f"{place}/{RESTART}"),
        variables={name: value.replace("{place}", place) for name, value in serving.variables.items()},
    )


def initial_env_file(definition: Path) -> str:
    """The env file that a fresh sandbox of this definition begins with. Raises SandboxTrouble as `up` does."""
    from runbook.sandbox.reading import read_definition

    return read_definition(definition).env_file


def _find(definition: Path) -> None:
    if not definition.is_file():
        raise SandboxTrouble(f"there is no practice service {definition}", "runbook playbooks lists what is shipped")


def _set_up(folder: Path) -> Setup:
    setup = read_setup(folder)
    if setup is None or not setup.up:
        raise SandboxTrouble(f"no sandbox is up in {folder}", UP)
    return setup


def _start(folder: Path, setup: Setup, wait: float, *, any_port: bool) -> Running:
    write_setup(folder, setup)
    write_restart_script(folder)
    try:
        serving = start_engine(folder, wait)
    except PortTaken:
        if not (any_port and setup.port):
            raise
        write_setup(folder, replace(setup, port=0))  # nobody knows the old port but our own record
        serving = start_engine(folder, wait)
    write_setup(folder, replace(setup, port=serving.port))
    return _running(folder, setup, serving)


def _state(folder: Path, setup: Setup, serving: Serving) -> State:
    return State(
        service=serving.service,
        url=serving.url,
        pid=serving.pid,
        alive=serving.alive(),
        up=setup.up,
        folder=folder,
        env_file=Path(setup.env_file),
        definition=Path(setup.definition),
        started_at=serving.started_at,
        fault=str(fault_file.kept(folder)),
    )


def _running(folder: Path, setup: Setup, serving: Serving) -> Running:
    return Running(serving.url, serving.pid, folder, Path(setup.env_file))


def _write_initial_env_file(definition: Path, env_file: Path) -> None:
    if env_file.exists() or env_file.is_symlink():
        return
    env_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(env_file, initial_env_file(definition))


def _seen_from(folder: Path, project: Path | None) -> str:
    if project is not None and folder.resolve().is_relative_to(project.resolve()):
        return folder.resolve().relative_to(project.resolve()).as_posix()
    return folder.as_posix()


@contextmanager
def _controlled(folder: Path) -> Iterator[None]:
    """One at a time: two who set the same sandbox up at once get the same process."""
    descriptor = os.open(folder / "control.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def main(arguments: list[str]) -> int:
    """`restart FOLDER`: 0 when the new process answers, 1 when not, 2 for anything else typed."""
    if len(arguments) != 2 or arguments[0] != "restart":
        sys.stderr.write("usage: python -m runbook.sandbox.control restart FOLDER\n")
        return 2
    try:
        running = restart(Path(arguments[1]))
    except SandboxTrouble as trouble:
        sys.stderr.write(trouble.reason + (f"\n{trouble.hint}" if trouble.hint else "") + "\n")
        return 1
    sys.stdout.write(f"process {running.pid} answers at {running.url}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
