"""The tables, and how an older database becomes a newer one."""

from __future__ import annotations

from collections.abc import Sequence

APPLICATION = 0x52424B31  # marks the file as ours, so that nobody else's database is written to

# One entry a version; a version that was published is never changed, only followed by another.
# `events` repeats of a head only what is looked up; `kept` holds what can be rebuilt or forgotten, with a digest,
# so that a damaged entry is the same as none.
MIGRATIONS: Sequence[Sequence[str]] = (
    (
        """CREATE TABLE chains (
            id INTEGER PRIMARY KEY,
            service TEXT NOT NULL,
            environment TEXT NOT NULL,
            playbook_name TEXT NOT NULL DEFAULT '',
            playbook_path TEXT NOT NULL DEFAULT '',
            number INTEGER NOT NULL DEFAULT 0,
            hash TEXT NOT NULL DEFAULT '',
            epoch INTEGER NOT NULL DEFAULT 0,
            UNIQUE (service, environment))""",
        """CREATE TABLE events (
            chain INTEGER NOT NULL,
            number INTEGER NOT NULL CHECK (number > 0),
            at INTEGER NOT NULL,
            uuid TEXT NOT NULL,
            operation TEXT,
            head BLOB NOT NULL,
            PRIMARY KEY (chain, number)) WITHOUT ROWID""",
        "CREATE UNIQUE INDEX events_uuid ON events (chain, uuid)",
        "CREATE INDEX events_at ON events (chain, at)",
        "CREATE INDEX events_operation ON events (chain, operation) WHERE operation IS NOT NULL",
        """CREATE TABLE payloads (
            chain INTEGER NOT NULL,
            number INTEGER NOT NULL,
            body BLOB NOT NULL,
            PRIMARY KEY (chain, number)) WITHOUT ROWID""",
        """CREATE TABLE kept (
            chain INTEGER NOT NULL,
            key TEXT NOT NULL,
            number INTEGER NOT NULL,
            body BLOB NOT NULL,
            digest TEXT NOT NULL,
            PRIMARY KEY (chain, key)) WITHOUT ROWID""",
        """CREATE TABLE leases (
            chain INTEGER PRIMARY KEY,
            epoch INTEGER NOT NULL,
            clock TEXT NOT NULL,
            machine TEXT NOT NULL,
            expires REAL NOT NULL,
            expires_by_wall REAL NOT NULL,
            body BLOB NOT NULL)""",
        """CREATE TABLE series (
            id INTEGER PRIMARY KEY,
            chain INTEGER NOT NULL,
            metric TEXT NOT NULL,
            UNIQUE (chain, metric))""",
        """CREATE TABLE samples (
            series INTEGER NOT NULL,
            t REAL NOT NULL,
            value REAL,
            text TEXT,
            error TEXT NOT NULL DEFAULT '',
            PRIMARY KEY (series, t)) WITHOUT ROWID""",
    ),
)

SCHEMA = len(MIGRATIONS)
