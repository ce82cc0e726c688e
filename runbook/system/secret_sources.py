"""Where a declared secret is read from: a variable, a file, a command. Read when it is first needed, never before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runbook.system.secrets import VariableTrouble, looks_secret

_LONGEST = 64 * 1024


class SecretTrouble(VariableTrouble):
    """A declared secret that cannot be read. Its message never holds the value."""


@dataclass(frozen=True)
class Secret:
    """Where a declared secret is read from: exactly one of a variable's name, a file, a command's standard output.

    `project` is the folder from which a relative file is read and in which the command runs.
    """

    env: str | None = None
    file: str | None = None
    command: tuple[str, ...] = ()
    project: Path = Path()

    def read(self, name: str, process: Mapping[str, str]) -> str:
        """The value, without its last line end. Raises SecretTrouble."""
        if self.env is not None:
            value = process.get(self.env)
            if value is None:
                raise SecretTrouble(f"the secret {name} is not set", f"set the variable {self.env}")
            return value
        return self._from_file(name) if self.file is not None else self._from_command(name, process)

    def _from_file(self, name: str) -> str:
        from runbook.system.files import FileTrouble, read_regular

        try:
            data = read_regular(self.project / str(self.file), limit=_LONGEST)
        except FileTrouble as trouble:
            raise SecretTrouble(f"the secret {name} cannot be read: {self.file}: {trouble.reason}") from None
        try:
            return data.decode().rstrip("\r\n")
        except UnicodeDecodeError:
            raise SecretTrouble(f"the secret {name} is not UTF-8 text: {self.file}") from None

    def _from_command(self, name: str, process: Mapping[str, str]) -> str:
        from runbook.system.processes import child_environment, run_process

        finished = run_process(
            self.command,
            cwd=self.project,
            env=child_environment(_Given(process)),
            timeout=10.0,
            merge=False,
            limit=_LONGEST,
        )
        if not finished.ok:
            raise SecretTrouble(f"the secret {name} cannot be read: {self.command[0]} {finished.how_it_ended}")
        return finished.output.rstrip("\r\n")


def secrets_of(plain: Mapping[str, Mapping[str, object]], project: Path) -> dict[str, Secret]:
    """The `secrets` section of a playbook as Secrets. Raises SecretTrouble for an entry of another shape."""
    found = {}
    for name, source in plain.items():
        kind, place = next(iter(source.items())) if len(source) == 1 else ("", "")
        if kind == "env" and isinstance(place, str):
            found[name] = Secret(env=place, project=project)
        elif kind == "file" and isinstance(place, str):
            found[name] = Secret(file=place, project=project)
        elif kind == "command" and isinstance(place, list | tuple) and place:
            found[name] = Secret(command=tuple(str(part) for part in place), project=project)
        else:
            raise SecretTrouble(
                f"the secret {name} names no place", "write {env: NAME}, {file: PATH} or {command: [...]}"
            )
    return found


@dataclass(frozen=True)
class _Given:
    """The environment from which the command's own is made."""

    process: Mapping[str, str]

    def secret_names(self) -> frozenset[str]:
        return frozenset(name for name in self.process if looks_secret(name))
