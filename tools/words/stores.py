"""Words of the kinds that ask a database or a store."""

from __future__ import annotations

from tools.words.tried import Tried

OPTIONS: dict[str, dict[str, str]] = {
    "sql": {
        "sql": "the database: `sqlite:///PATH`, opened for reading only",
        "query": "the query; each `${...}` is a bound parameter; its first cell is the value",
        "worst": "`max` or `min`: of many rows the largest or smallest last column is the value",
    },
}

TRIED: dict[str, Tried] = {
    "sql": Tried("tests/checks/test_sql.py", "SQLite databases on disk"),
}
