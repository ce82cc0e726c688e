"""Reading a practice service's YAML: all mistakes at once, and no surprise while it serves."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from runbook.sandbox.practice_files import write_practice_files
from runbook.sandbox.reading import checked_definition, read_definition
from runbook.sandbox.replies import fill
from runbook.sandbox.trouble import SandboxTrouble
from tests.sandbox.conftest import SHIPPED

PLAIN: dict[str, Any] = {
    "sandbox": 1,
    "service": "menu",
    "flags": {"PERCENT": {"type": "number"}},
    "percent": "PERCENT",
    "metrics": {"rate": {"unit": "ratio", "base": 0.1}},
    "endpoints": {"GET /numbers": {"reply": {"rate": "$metric.rate"}}},
    "files": {"a/b.txt": {"text": "soup"}},
}


def changed(path: str, value: Any) -> dict[str, Any]:
    plain = copy.deepcopy(PLAIN)
    *way, last = path.split("|")
    inner = plain
    for key in way:
        inner = inner[key]
    inner[last] = value
    return plain


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("sandbox", 2, "sandbox: 1"),
        ("servce", "x", "unknown key 'servce', did you mean service?"),
        ("service", 3, "service: 3 is not a text"),
        ("seed", True, "seed: True is not a whole number"),
        ("flags", [], "flags: [] is not a mapping"),
        ("flags|PERCENT", 3, "flags.PERCENT: must be a mapping"),
        ("flags|PERCENT|type", "double", "'double' is none of truth, integer, number, text"),
        ("flags|PERCENT|default", "x", "default: 'x' is not a number"),
        ("percent", "NOTHING", "'NOTHING' is not one of the flags"),
        ("metrics|rate|bas", 1, "did you mean base?"),
        ("metrics|rate|effects", [{"flag": "PERCENT"}], "each is a mapping with 'add'"),
        ("metrics|rate|effects", [{"add": 1, "flag": "X"}], "unknown flag 'X'"),
        ("metrics|rate|effects", [{"add": 1, "metric": "rate"}], "is not a metric that stands above it"),
        ("metrics|rate|effects", [{"add": 1, "fault": "down"}], "only latency has a number"),
        ("endpoints|numbers", {"reply": 1}, "write METHOD /path"),
        ("endpoints|GET /_sandbox/x", {"reply": 1}, "write METHOD /path"),
        ("endpoints|GET /numbers|fails", "x", "fails names no metric"),
        ("endpoints|GET /numbers|reply", ["$metric.x"], "unknown reference '$metric.x'"),
        ("endpoints|GET /numbers|reply", "$nothing", "unknown reference '$nothing'"),
        ("endpoints|GET /numbers|reply", "$flag", "unknown reference '$flag'"),
        ("files|../x", {"text": ""}, "must stay inside"),
        ("files|/etc/x", {"text": ""}, "must stay inside"),
    ],
)
def test_each_mistake_is_named(path: str, value: Any, told: str) -> None:
    definition, problems = checked_definition(changed(path, value))
    assert definition is None
    assert any(told in problem for problem in problems), problems


def test_all_mistakes_come_at_once() -> None:
    plain = changed("metrics|rate|bas", 1) | {"percent": "NOTHING", "colour": "red"}
    _, problems = checked_definition(plain)
    assert len(problems) == 3


@pytest.mark.parametrize("text", ["", "[", "42", "a: &a [*a]", "sandbox: 1\nx: !!python/name:os.system", "\x00"])
def test_what_is_no_definition_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.yaml").write_text(text)
    with pytest.raises(SandboxTrouble):
        read_definition(tmp_path / "x.yaml")


def test_an_unreadable_definition_is_told(tmp_path: Path) -> None:
    with pytest.raises(SandboxTrouble, match="cannot be read"):
        read_definition(tmp_path)


def test_replies_keep_the_types_of_what_they_name() -> None:
    values = {"flag": {"A": True}, "metric": {"m": 0.5}, "body": {"q": [1]}, "percent": 10.0}
    reply = {"a": "$flag.A", "m": ["$metric.m", "$percent"], "q": "$body.q", "none": "$body.x", "text": "$$40", "n": 3}
    assert fill(reply, values) == {"a": True, "m": [0.5, 10.0], "q": [1], "none": None, "text": "$40", "n": 3}


def test_files_are_written_once_and_renewed_when_asked(tmp_path: Path) -> None:
    plain = changed("files|new.bin", {"size": 100, "renewed": True})
    definition, problems = checked_definition(plain)
    assert definition is not None, problems
    write_practice_files(tmp_path, definition.files)
    for path in ("a/b.txt", "new.bin"):
        (tmp_path / path).write_text("changed")
    write_practice_files(tmp_path, definition.files)
    assert (tmp_path / "a/b.txt").read_text() == "changed"
    assert (tmp_path / "new.bin").read_bytes() == b"\0" * 100


def test_wrong_sql_is_told(tmp_path: Path) -> None:
    definition, _ = checked_definition(changed("files|x.db", {"sqlite": "create tabel x"}))
    assert definition is not None
    with pytest.raises(SandboxTrouble, match=r"the statements for x\.db.* are wrong"):
        write_practice_files(tmp_path, definition.files)


def test_the_shipped_services_are_read() -> None:
    shipped = sorted(SHIPPED.parent.glob("*.yaml"))
    assert shipped
    for path in shipped:
        assert read_definition(path).service == path.stem
        assert "runbook" not in yaml.safe_load(path.read_text())
