"""Every kind: a key, a sentence, an example that runs, options that refuse what they do not know."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
import yaml

from runbook.checks.registry import KINDS
from runbook.judge.verdicts import Status
from tests.checks.looking import COMMON, a_check, looked
from tests.places import shared
from tests.servers import answer, scripted


def plain_example(key: str) -> dict[str, object]:
    plain = yaml.safe_load(KINDS[key].EXAMPLE)
    assert isinstance(plain, dict)
    title = plain.pop("check")
    for nested in plain.get("all", ()):
        nested["title"] = nested.pop("check")
    return {"title": title, **{name: value for name, value in plain.items() if name != "advice"}}


@pytest.mark.parametrize("key", KINDS)
def test_each_kind_tells_what_it_is(key: str) -> None:
    kind = KINDS[key]
    assert key == kind.KEY
    assert kind.LOOKS_AT
    assert kind.__doc__
    assert key in {field.encode_name for field in msgspec.structs.fields(kind)}


@pytest.mark.parametrize("key", KINDS)
def test_each_example_runs(key: str, tmp_path: Path) -> None:
    with scripted({"/health": answer("ok")}) as server:
        row = looked(plain_example(key), project=tmp_path, url=server.url)
    assert row.status in Status
    assert "fault of the tool" not in row.message
    assert a_check(plain_example(key)).options.asserts() or "expect" in plain_example(key)


@pytest.mark.parametrize(
    ("plain", "line"),
    [
        ({"http": "/health"}, "curl -fsS http://x.test/health"),
        ({"http": "/ask", "method": "POST", "text": "hello"}, "curl -fsS -X POST -d hello http://x.test/ask"),
        ({"flags": "live", "from": "/flags", "map": {"A": ".a"}}, "curl -fsS http://x.test/flags"),
        ({"flags": "safe"}, ""),
        ({"run": "! test -e 'a b'"}, """sh -c '! test -e '"'"'a b'"'"''"""),
        ({"command": ["test", "-e", "a b"]}, "test -e 'a b'"),
        ({"sign": True}, ""),
    ],
)
def test_what_can_be_looked_at_by_hand_has_a_line(plain: dict[str, object], line: str) -> None:
    assert a_check(plain).options.by_hand("http://x.test") == line


@pytest.mark.parametrize("key", KINDS)
def test_unknown_options_are_refused(key: str) -> None:
    options = {name: value for name, value in plain_example(key).items() if name not in COMMON}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({**options, "no_such_option": 1}, KINDS[key])


def test_reading_a_playbook_loads_nothing_that_only_looking_needs() -> None:
    code = """
import sys, runbook.checks.registry, runbook.system.processes, runbook.system.variables
print([name for name in ("asyncio", "httpx", "jq", "ssl", "subprocess", "yaml") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_every_kind_of_the_language_is_here() -> None:
    text = shared("design/PLAYBOOK.md").read_text()
    table = text.split("### Kinds of check")[1].split("Common:")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    keys = {key for cell in cells for key in re.findall(r"`([a-z]+)`", cell)}
    assert keys | {"machine"} == set(KINDS)  # the machine itself is ours
