"""A shell line keeps the names of secrets as written; a secret that stands in it is masked."""

from __future__ import annotations

import pytest

from runbook.cli.by_hand import with_names
from runbook.system.secrets import Masker

KNOWN = Masker(["hunter2-hunter2"])


@pytest.mark.parametrize(
    "line",
    [
        'psql "postgresql://app:${PG_PASSWORD}@host/db" -c "SELECT 1"',
        'redis-cli -u "redis://:${X}@host" PING',
        'curl "https://${TOKEN}@host/"',
        'psql "${DATABASE_URL}?sslpassword=${KEY}"',
        "psql postgresql://reader@host/db",
        'x "x://${USER}:${PASS}${WORD}@host"',
    ],
)
def test_names_stay(line: str) -> None:
    assert with_names(line, KNOWN) == line


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("psql postgresql://app:secret9@host/db", "psql postgresql://***@host/db"),
        ('psql "postgresql://app:secret9${X}@host/db"', 'psql "postgresql://***@host/db"'),
        ('psql "postgresql://app:${X:-secret9}@host/db"', 'psql "postgresql://***@host/db"'),
        ("curl https://ghp_secret9@host/", "curl https://***@host/"),
        ("x://a:secret9@b@host", "x://***@host"),
        ("x 'x://host/?a=1&password=secret9&b=2'", "x 'x://host/?a=1&password=***&b=2'"),
        ('curl -H "A: hunter2-hunter2 ${B}"', 'curl -H "A: *** ${B}"'),
    ],
)
def test_what_is_written_out_is_masked(line: str, shown: str) -> None:
    assert with_names(line, KNOWN) == shown
