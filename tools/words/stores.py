"""Words of the kinds that ask a database or a store."""

from __future__ import annotations

from tools.words.tried import Tried

OPTIONS: dict[str, dict[str, str]] = {
    "sql": {
        "sql": "the database: `sqlite:///PATH`, `postgresql://USER:PASSWORD@HOST/NAME` (`sslmode=verify-full` and the "
        "like as parameters), or what SQLAlchemy has a driver for (`mysql+pymysql://...`); it is only read",
        "query": "one statement that looks; each `${...}` is a bound parameter; its first cell is the value, a time "
        "span in seconds",
        "worst": "`max` or `min`: of many rows the largest or smallest last column is the value",
    },
    "cosmos": {
        "cosmos": "the endpoint of the account: `https://NAME.documents.azure.com`",
        "database": "the database of the account",
        "container": "the container whose documents are asked for",
        "query": "a query of Cosmos DB; each `${...}` is a bound parameter; the first field of its one row counts",
        "key": "a key of the account, best one that only reads; without it whoever azure-identity finds",
        "worst": "`max` or `min`: of many rows the largest or smallest last field is the value",
        "ca": "a file of certificates that are trusted",
        "insecure": "`true`: whoever answers is believed, as with an emulator; the row says so",
    },
    "redis": {
        "redis": "the server: `redis://USER:PASSWORD@HOST:PORT/0`, `rediss://` with TLS, `HOST:PORT`, `unix:///PATH`",
        "command": "one command as a list of words, which looks and gives one value (`[LLEN, jobs]`); without it PING",
        "field": "of `[INFO]`: the field that is the value (`used_memory`, `db0.keys`)",
        "matches": "a regular expression that the reply has to match; its first group is the value",
        "ca": "a file of certificates that are trusted",
    },
}

TRIED: dict[str, Tried] = {
    "sql": Tried("tests/checks/test_sql_postgres.py", "SQLite files, PostgreSQL 15, MariaDB 10.11"),
    "cosmos": Tried("tests/checks/test_cosmos.py", "the emulator of @vercel/cosmosdb-server, and hostile HTTP servers"),
    "redis": Tried("tests/checks/test_redis.py", "redis-server 7 with passwords, accounts, TLS and Unix sockets"),
}
