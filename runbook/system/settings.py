"""Settings: each value remembers where it came from, and the stronger source wins."""

from __future__ import annotations

import os
import pwd
import socket
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from runbook.language.places import did_you_mean
from runbook.system.refusals import Refusal

# The settings by their name in runbook.toml; in the environment and in `.env` they are RUNBOOK_NAME.
NAMES = ("playbook", "env", "state", "operator", "project")


NOT_YET = ("group",)


class Source(IntEnum):
    """Where a value can come from; a higher one wins."""

    DEFAULT = 0
    FILE = 1
    DOTENV = 2
    ENVIRONMENT = 3
    OPTION = 4


@dataclass(frozen=True)
class Setting:
    """One setting. `told` names its source for people, `RUNBOOK_ENV in the environment` for one."""

    name: str
    value: str | None
    source: Source
    told: str


@dataclass(frozen=True)
class Settings:
    """All settings of this call."""

    values: Mapping[str, Setting]

    def get(self, name: str) -> str | None:
        return self.values[name].value

    def with_option(self, name: str, value: str | None, option: str) -> Settings:
        """The settings with an option typed on the command line, which wins."""
        if value is None:
            return self
        return Settings({**self.values, name: Setting(name, value, Source.OPTION, f"option {option}")})


def read_settings(project: Path, environment: Mapping[str, str], *, tolerant: bool = False) -> Settings:
    """Every setting from its strongest source.

    Raises `Refusal` for a `runbook.toml` or `.env` that cannot be read or says what is no setting; with `tolerant` (the
    emergency) such a file is passed over.
    """
    values = {name: Setting(name, None, Source.DEFAULT, "default") for name in NAMES}
    files: list[Setting] = []
    for read, path in ((_from_toml, project / "runbook.toml"), (_from_dotenv, project / ".env")):
        try:
            files += read(path)
        except Refusal:
            if not tolerant:
                raise
    for found in (*files, *_from_environment(environment)):
        if found.source >= values[found.name].source:
            values[found.name] = found
    return Settings(values)


def _from_toml(path: Path) -> list[Setting]:
    if not path.is_file():
        return []
    try:
        told = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Refusal(f"{path}: {error}", next_steps=[f"correct or remove {path}"]) from error
    wrong = [f"{name!r} is not supported yet" for name in told if name in NOT_YET]
    unknown = [name for name in told if name not in (*NAMES, *NOT_YET)]
    wrong += [f"{name!r} is no setting; {did_you_mean(name, NAMES)}".rstrip("; ") for name in unknown]
    wrong += [f"{name} has to be a text in quotes" for name in NAMES if not isinstance(told.get(name, ""), str)]
    if wrong:
        raise Refusal(
            f"{path.name}: {'; '.join(wrong)}", next_steps=[f"correct {path}; the settings are {', '.join(NAMES)}"]
        )
    return [Setting(name, told[name], Source.FILE, "runbook.toml") for name in NAMES if told.get(name)]


def _from_dotenv(path: Path) -> list[Setting]:
    """Only names that begin with RUNBOOK_; a flag file is never loaded as settings."""
    if not path.is_file():
        return []
    from dotenv import dotenv_values

    try:
        told = dotenv_values(path, interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(f"{path}: {error}", next_steps=[f"correct or remove {path}"]) from error
    found = []
    for name in NAMES:
        value = told.get(f"RUNBOOK_{name.upper()}")
        if value:
            found.append(Setting(name, value, Source.DOTENV, f"RUNBOOK_{name.upper()} in .env"))
    return found


def _from_environment(environment: Mapping[str, str]) -> list[Setting]:
    return [
        Setting(name, value, Source.ENVIRONMENT, f"RUNBOOK_{name.upper()} in the environment")
        for name in NAMES
        if (value := environment.get(f"RUNBOOK_{name.upper()}"))
    ]


def operator_of(settings: Settings, environment: Mapping[str, str]) -> tuple[str, str]:
    """Who is at the keyboard, and how well that is known: claimed, sudo, os-user."""
    if claimed := settings.get("operator"):
        return claimed, "claimed"
    return user_of_system(environment)


def user_of_system(environment: Mapping[str, str]) -> tuple[str, str]:
    """Who it is by the system alone: under sudo the one who called it, else the user that the process runs as.

    SUDO_USER counts only where we are root, who can become anybody anyway: for others it is a variable that anybody can
    set. LOGNAME and USER are such variables too, so the system's own list of users is asked.
    """
    if os.geteuid() == 0 and (caller := environment.get("SUDO_USER")) and caller != "root":
        return caller, "sudo"
    try:
        return pwd.getpwuid(os.getuid()).pw_name, "os-user"
    except KeyError:
        return f"uid {os.getuid()}", "os-user"


def host_name() -> str:
    """This machine's name."""
    return socket.gethostname() or "localhost"
