"""A real MariaDB on loopback, of its own folder, with an account that needs a password."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.real.program import answers, free_port, started

PASSWORD = "kept:secret@/here"
QUOTED = "kept%3Asecret%40%2Fhere"
_QUICK = ("--innodb-buffer-pool-size=16M", "--innodb-log-file-size=4M", "--innodb-flush-log-at-trx-commit=0")


@dataclass(frozen=True)
class MariaDb:
    """The server; `url` is that of an account that may do everything in the database `shop`."""

    port: int

    @property
    def url(self) -> str:
        return self.url_of(f"keeper:{QUOTED}")

    def url_of(self, who: str, database: str = "shop") -> str:
        return f"mysql+pymysql://{who}@127.0.0.1:{self.port}/{database}"

    def run(self, *statements: str) -> list[tuple[object, ...]]:
        """Run statements; the rows of the last one."""
        import pymysql

        account = {"host": "127.0.0.1", "port": self.port, "user": "keeper", "password": PASSWORD}
        connection = pymysql.connect(**account, database="shop", autocommit=True)
        try:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                return list(cursor.fetchall())
        finally:
            connection.close()


@contextlib.contextmanager
def mariadb() -> Iterator[MariaDb]:
    """A running server; it and its data are gone after the block."""
    folder = Path(tempfile.mkdtemp(prefix="runbook-mariadb-"))
    port = free_port()
    first = folder / "first.sql"
    first.write_text(
        f"create database shop;\ncreate user keeper@'%' identified by '{PASSWORD}';\ngrant all on *.* to keeper@'%';\n"
    )
    as_root = ["--user=root"] if os.geteuid() == 0 else []
    common = ["--no-defaults", f"--datadir={folder / 'data'}", *as_root]
    makes = ["mariadb-install-db", *common, "--auth-root-authentication-method=normal", "--skip-test-db", *_QUICK]
    where = [f"--port={port}", f"--socket={folder}/s.sock", "--bind-address=127.0.0.1", f"--pid-file={folder}/pid"]
    try:
        done = subprocess.run(makes, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        argv = ["mariadbd", *common, *_QUICK, *where, "--skip-name-resolve", f"--init-file={first}"]
        with started(argv, folder, lambda: answers(port)):
            yield MariaDb(port)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
