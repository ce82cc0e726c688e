"""Holds what was printed to its format, by readers that know nothing of ours, and to the exit status."""

from __future__ import annotations

import json

from prometheus_client.parser import text_string_to_metric_families

from runbook.cli.options import Format
from tests.show.readers import read_github, read_junit, read_markdown, read_nagios, read_tap

FORMATS = [one.value for one in Format]
RED, GREEN = {"no", "unknown"}, {"ok", "skipped", "warning"}


def hold_to_the_format(name: str, code: int, text: str) -> None:
    """An independent reader reads it, and reads the verdict that the exit status tells."""
    go = code == 0
    if name in ("junit", "tap"):
        outcomes = {point.outcome for point in (read_junit if name == "junit" else read_tap)(text)}
        assert bool(outcomes & RED) is not go
        assert outcomes <= RED | GREEN
    elif name == "nagios":
        plugin = read_nagios(text)
        words = {0: {"GO"}, 1: {"WARNING"}, 2: {"NO-GO"}, 3: {"UNKNOWN", "FAILED"}}
        assert plugin.word in words[code]
    elif name == "github":
        levels = {found.level for found in read_github(text)}
        assert ("error" in levels) is not go and ("notice" in levels) is go
    elif name == "prometheus":
        families = {family.name: family for family in text_string_to_metric_families(text)}
        verdicts = {sample.labels["verdict"] for sample in families["runbook_verdict"].samples if sample.value == 1}
        assert verdicts == {{0: "go", 1: "no-go", 3: "unknown"}.get(code, "failed")}
    elif name == "markdown":
        assert read_markdown(text) or "```" in text or "Nothing was run" in text or "0 errors" in text
    elif name == "json":
        json.loads(text)
