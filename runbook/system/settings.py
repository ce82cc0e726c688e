"""Settings: each value remembers where it came from, and the stronger source wins."""

from __future__ import annotations

import getpass
import os
import socket
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from runbook.system.refusals import Refusal

# The settings by their name in runbook.toml; in the environment and in `.env` they are RUNBOOK_NAME.
NAMES = ("playbook", "env", "state", "operator", "project")


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


def read_settings(project: Path, environment: Mapping[str, str]) -> Settings:
    """Every setting from its strongest source. Raises `Refusal` for a `runbook.toml` that cannot be read."""
    values = {name: Setting(name, None, Source.DEFAULT, "default") for name in NAMES}
    for found in (
        *_from_toml(project / "runbook.toml"),
        *_from_dotenv(project / ".env"),
        *_from_environment(environment),
    ):
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
    return [Setting(name, str(told[name]), Source.FILE, "runbook.toml") for name in NAMES if name in told]


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
    if (caller := environment.get("SUDO_USER")) and caller != "root":
        return caller, "sudo"
    try:
        return getpass.getuser(), "os-user"
    except (KeyError, OSError):
        return f"uid {os.getuid()}", "os-user"


def host_name() -> str:
    """This machine's name."""
    return socket.gethostname() or "localhost"
