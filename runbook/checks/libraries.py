"""Libraries and programs that only some kinds need: which kinds, what pip calls them, and the line that brings them."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Library:
    """A library that is not always installed. `package` is what pip calls it, `extra` the extra that brings it."""

    module: str
    package: str
    extra: str
    kind: str
    asks: str

    @property
    def version(self) -> str | None:
        """The version of it that is installed here; None where there is none. Nothing of it is imported."""
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version(self.package.partition("[")[0])
        except PackageNotFoundError:
            return None


@dataclass(frozen=True)
class Program:
    """A program that a kind starts."""

    name: str
    kind: str
    asks: str


LIBRARIES = (
    Library("psycopg", "psycopg[binary]", "postgres", "sql", "PostgreSQL"),
    Library("sqlalchemy", "sqlalchemy", "sql", "sql", "other databases than SQLite and PostgreSQL"),
    Library("azure.cosmos", "azure-cosmos", "azure", "cosmos", "Cosmos DB"),
    Library("azure.identity", "azure-identity", "azure", "cosmos", "Cosmos DB without a key"),
)
PROGRAMS = (
    Program("systemctl", "systemd", "units of systemd"),
    Program("kubectl", "kubernetes", "a cluster"),
    Program("git", "git", "repositories"),
)


def installing(*packages: str) -> str:
    """The shell line that brings packages to the interpreter in use, whichever environment it belongs to.

    They are named themselves: an extra of this tool would be looked for on a package index, where another project has
    its name. Some environments hold no pip; uv, which makes such, fills them from outside.
    """
    from importlib.util import find_spec

    python = shlex.quote(sys.executable or "python3")
    start = f"{python} -m pip install" if find_spec("pip") else f"uv pip install --python {python}"
    return f"{start} {shlex.join(packages)}"


def not_here(what: str, *packages: str) -> str:
    """The message that a library is missing, with the line to type."""
    return f"{what} is not here; next: {installing(*packages)}"
