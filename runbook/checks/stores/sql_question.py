"""A query that is ready to be asked, and what a query that only looks may say."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from runbook.language.durations import show_duration
from runbook.system.sql_places import Bound, as_mysql_reads, as_postgres_reads

Worst = Literal["max", "min"]

SQLITE = ("sqlite", "file")  # schemes of URLs
POSTGRES = ("postgresql", "postgres")
MOST_ROWS = 10_000  # that are judged for the worst of them
PATIENCE = 3.0  # seconds for one try to connect: a host that drops packets is told from one that thinks

_SCHEME = re.compile(r"(?P<name>[a-z][a-z0-9]*)(?:\+\w+)?:", re.IGNORECASE)
_FIRST_WORD = re.compile(r"[\s(]*([A-Za-z_]+)")
_LOOKS = ("select", "with", "values", "table", "show", "explain", "describe")
_RUN_COMMENT = re.compile(r"/\*[Mm]?!")  # wherever it stands: what is a text to one database is a comment to another
_ESCAPED_NAME = re.compile(r"(?<![\w$])[uU]&\"")
_AFTER_THE_END = re.compile(r";\s*[^\s;]")
# What acts in spite of a read-only transaction, or outlives it: on sessions, on the server, on files, on other servers;
# and what runs a query that is given to it as a text, in which this cannot look.
_ACTS = re.compile(
    r"""\b(?P<name>pg_(?:terminate|cancel)_backend | pg_(?:try_)?advisory_\w+ | pg_notify | pg_reload_conf | pg_promote
    | pg_rotate_logfile\w* | pg_switch_wal | pg_create_restore_point | pg_log_backend_memory_contexts
    | pg_logical_emit_message | pg_(?:backup_start|backup_stop|start_backup|stop_backup)
    | pg_(?:wal|xlog)_replay_(?:pause|resume) | pg_stat\w*_reset\w* | pg_file_\w+ | set_config
    | pg_\w*replication_(?:slot|origin)_?\w* | pg_logical_slot_get_\w+ | pg_(?:import_system_collations)
    | lo_\w+ | lowrite | lo(?:_from_bytea|_put) | dblink\w* | nextval | setval
    | gin_clean_pending_list | brin_(?:de)?summarize\w* | pg_export_snapshot | pg_truncate_visibility_map
    | heap_force_\w+ | (?:query|cursor|table|schema|database)_to_xml\w* | xpath_table | ts_stat | crosstab\w*
    | connectby | sys_exec | sys_eval | get_lock | release_(?:lock|all_locks) | load_extension | xp_\w+
    | sp_\w+ )["`]?\s*\(
    | \binto\s+(?P<file>outfile|dumpfile)\b""",
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True)
class Question:
    """A query with its bound parameters (`:value_1`...), the database, and until when (`time.monotonic()`).

    It was asked at `began`. At most `most` rows are wanted, and one more, from which it is seen that there are more.
    `folder` is where a relative path starts.
    """

    url: str
    query: str
    parameters: Mapping[str, Bound]
    until: float
    folder: Path
    most: int = MOST_ROWS
    began: float = field(default_factory=time.monotonic)

    @property
    def late(self) -> str:
        """What is said of a query that did not end in time."""
        limit = show_duration(round(self.until - self.began, 2))
        return f"the query took longer than {limit}; timeout: says how long it may take"

    def seconds_left(self) -> float:
        """Until it has to be answered; never less than a millisecond."""
        return max(0.001, self.until - time.monotonic())


def statement_problems(query: str) -> list[str]:
    """Why a query is none that only looks: another statement, several of them, a function that acts.

    A database is opened for reading besides, which holds where this cannot see: in a view, or a function of its own.
    """
    bare, other = as_postgres_reads(query), as_mysql_reads(query)
    if not bare.strip():
        return ["query is empty"]
    found = _begins_with(bare, other)
    if _AFTER_THE_END.search(bare) or _AFTER_THE_END.search(other):
        found.append("query holds several statements; a check asks one")
    if (acts := _ACTS.search(bare) or _ACTS.search(other)) is not None:
        what = acts["name"] or f"INTO {acts['file'].upper()}"
        found.append(f"query uses {what}, which acts even where nothing can be written; a check only looks")
    if (runs := _RUN_COMMENT.search(query)) is not None:
        found.append(
            f"query holds {runs.group()}, a comment that MySQL and MariaDB run: write it plainly, or leave it out"
        )
    if _ESCAPED_NAME.search(bare):
        found.append('query holds a name with escapes, U&"...", which hides what is called: write the name plainly')
    return found


def _begins_with(bare: str, other: str) -> list[str]:
    """What is wrong with the first word of a query; `other` is the query as MySQL reads it."""
    word, there = _FIRST_WORD.match(bare), _FIRST_WORD.match(other)
    if word is not None and word[1].lower() in _LOOKS:
        if there is None or there[1].lower() in _LOOKS:
            return []
        word = there
    begins = word[1].upper() if word else bare.split(maxsplit=1)[0][:20]
    return [f"query begins with {begins}; a check only looks: begin with SELECT, WITH, VALUES or SHOW"]


def scheme_of(url: str) -> str:
    """The kind of database that a URL names (`postgresql` of `postgresql+psycopg://...`); empty where it names none."""
    match = _SCHEME.match(url)
    return match["name"].lower() if match else ""
