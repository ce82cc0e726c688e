"""A query that is ready to be asked, and what a query that only looks may say."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from runbook.system.sql_places import Bound, without_quoted

Worst = Literal["max", "min"]

SQLITE = ("sqlite", "file")  # schemes of URLs
POSTGRES = ("postgresql", "postgres")
MOST_ROWS = 10_000  # that are judged for the worst of them
PATIENCE = 3.0  # seconds for one try to connect: a host that drops packets is told from one that thinks

_SCHEME = re.compile(r"(?P<name>[a-z][a-z0-9]*)(?:\+\w+)?:", re.IGNORECASE)
_FIRST_WORD = re.compile(r"[\s(]*([A-Za-z_]+)")
_LOOKS = ("select", "with", "values", "table", "show", "explain", "describe")
_AFTER_THE_END = re.compile(r";\s*[^\s;]")
# What acts in spite of a read-only transaction, or outlives it: on sessions, on the server, on files, on other servers.
_ACTS = re.compile(
    r"""\b(?P<name>pg_(?:terminate|cancel)_backend | pg_(?:try_)?advisory_\w+ | pg_notify | pg_reload_conf | pg_promote
    | pg_rotate_logfile\w* | pg_switch_wal | pg_create_restore_point | pg_log_backend_memory_contexts
    | pg_logical_emit_message | pg_(?:backup_start|backup_stop|start_backup|stop_backup)
    | pg_(?:wal|xlog)_replay_(?:pause|resume) | pg_stat\w*_reset\w* | pg_file_\w+ | set_config
    | pg_\w*replication_(?:slot|origin)_?\w* | pg_logical_slot_get_\w+ | pg_(?:import_system_collations)
    | lo_\w+ | lowrite | lo(?:_from_bytea|_put) | dblink\w* | nextval | setval
    | sys_exec | sys_eval | get_lock | release_(?:lock|all_locks) | load_extension | xp_\w+ | sp_\w+ )"?\s*\(
    | \binto\s+(?P<file>outfile|dumpfile)\b""",
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True)
class Question:
    """A query with its bound parameters (`:value_1`...), the database, and until when (`time.monotonic()`).

    At most `most` rows are wanted, and one more, from which it is seen that there are more. `folder` is where a
    relative path starts.
    """

    url: str
    query: str
    parameters: Mapping[str, Bound]
    until: float
    folder: Path
    most: int = MOST_ROWS

    def seconds_left(self) -> float:
        """Until it has to be answered; never less than a millisecond."""
        return max(0.001, self.until - time.monotonic())


def statement_problems(query: str) -> list[str]:
    """Why a query is none that only looks: another statement, several of them, a function that acts.

    A database is opened for reading besides, which holds where this cannot see: in a view, or a function of its own.
    """
    bare = without_quoted(query)
    word = _FIRST_WORD.match(bare)
    if not bare.strip():
        return ["query is empty"]
    found = []
    if word is None or word[1].lower() not in _LOOKS:
        begins = word[1].upper() if word else bare.split()[0][:20]
        found.append(f"query begins with {begins}; a check only looks: begin with SELECT, WITH, VALUES or SHOW")
    if _AFTER_THE_END.search(bare):
        found.append("query holds several statements; a check asks one")
    if (acts := _ACTS.search(bare)) is not None:
        what = acts["name"] or f"INTO {acts['file'].upper()}"
        found.append(f"query uses {what}, which acts even where nothing can be written; a check only looks")
    return found


def scheme_of(url: str) -> str:
    """The kind of database that a URL names (`postgresql` of `postgresql+psycopg://...`); empty where it names none."""
    match = _SCHEME.match(url)
    return match["name"].lower() if match else ""
