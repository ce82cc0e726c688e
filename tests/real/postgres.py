"""A real PostgreSQL on loopback, of its own folder, with an account that needs a password and one that only reads."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.real.program import free_port

PASSWORD = "kept:secret@/here"
QUOTED = "kept%3Asecret%40%2Fhere"


@dataclass(frozen=True)
class Postgres:
    """The server: `url` is that of an account that may do everything and needs no password."""

    port: int
    folder: Path

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def url_of(self, who: str, database: str = "postgres") -> str:
        """`who` may hold a password; `keeper` needs one."""
        return f"postgresql://{who}@127.0.0.1:{self.port}/{database}"

    def run(self, *statements: str) -> list[tuple[object, ...]]:
        """Run statements with every right; the rows of the last one."""
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []


@contextlib.contextmanager
def postgres() -> Iterator[Postgres]:
    """A running server with an empty database; it and its data are gone after the block."""
    folder = Path(tempfile.mkdtemp(prefix="runbook-postgres-"))
    port = free_port()
    data = folder / "data"
    try:
        if os.geteuid() == 0:
            account = pwd.getpwnam("postgres")
            os.chown(folder, account.pw_uid, account.pw_gid)
        _as_owner(folder, "initdb", "-D", str(data), "--auth=trust", "-U", "postgres", "-E", "UTF8", "--no-sync")
        rules = "host all keeper 127.0.0.1/32 scram-sha-256\nhost all stranger 127.0.0.1/32 reject\n"
        (data / "pg_hba.conf").write_text(rules + (data / "pg_hba.conf").read_text())
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off -c lc_messages=C"
        _as_owner(folder, "pg_ctl", "-D", str(data), "-o", options, "-l", str(folder / "output.txt"), "-w", "start")
        try:
            server = Postgres(port, folder)
            server.run(f"create role keeper login password '{PASSWORD}'", "create role reader login")
            yield server
        finally:
            _as_owner(folder, "pg_ctl", "-D", str(data), "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _as_owner(folder: Path, *argv: str) -> None:
    """Run a program of the server, which refuses to be run as root."""
    program = shutil.which(argv[0])
    assert program is not None
    owner = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*owner, program, *argv[1:]], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
