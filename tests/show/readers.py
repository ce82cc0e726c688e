"""Readers of the formats, written from their specifications and from nothing of ours."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from urllib.parse import unquote

import yaml

# What the schema of Jenkins' JUnit reports allows: attributes (True: needed) and children of each element.
JUNIT: dict[str, tuple[dict[str, bool], set[str]]] = {
    "testsuites": (
        {"name": False, "time": False, "tests": False, "failures": False, "disabled": False, "errors": False},
        {"testsuite"},
    ),
    "testsuite": (
        {
            "name": True, "tests": True, "failures": False, "errors": False, "time": False, "disabled": False,
            "skipped": False, "timestamp": False, "hostname": False, "id": False, "package": False, "file": False,
        },
        {"properties", "testcase", "system-out", "system-err"},
    ),
    "properties": ({}, {"property"}),
    "property": ({"name": True, "value": True}, set()),
    "testcase": (
        {"name": True, "classname": False, "assertions": False, "time": False, "status": False},
        {"skipped", "error", "failure", "system-out", "system-err"},
    ),
    "skipped": ({"message": False, "type": False}, set()),
    "error": ({"message": False, "type": False}, set()),
    "failure": ({"message": False, "type": False}, set()),
    "system-out": ({}, set()),
}  # fmt: skip
OUTCOMES = {"failure": "no", "error": "unknown", "skipped": "skipped"}


@dataclass(frozen=True)
class Point:
    """One row as a reader understands it. `outcome` is ok, no, unknown, skipped or warning."""

    title: str
    outcome: str
    told: dict[str, object] = field(default_factory=dict)


def read_junit(text: str) -> list[Point]:
    """The cases of a report; raises where it is not one."""
    root = ET.fromstring(text.encode())
    assert root.tag == "testsuites"
    for element in root.iter():
        attributes, children = JUNIT[element.tag]
        assert set(element.attrib) <= set(attributes), (element.tag, element.attrib)
        assert {name for name, needed in attributes.items() if needed} <= set(element.attrib), element.tag
        assert {child.tag for child in element} <= children, element.tag
        for name in ("time", "tests", "failures", "errors", "skipped"):
            assert float(element.get(name, "0")) >= 0
    for suite in root:
        assert int(suite.attrib["tests"]) == len(suite.findall("testcase")) > 0
        assert int(suite.attrib["failures"]) == len(suite.findall("testcase/failure"))
        assert int(suite.attrib["errors"]) == len(suite.findall("testcase/error"))
        assert int(suite.attrib["skipped"]) == len(suite.findall("testcase/skipped"))
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.attrib["timestamp"])
    assert root.attrib["tests"] == str(len(root.findall("testsuite/testcase")))
    return [_case(case) for case in root.findall("testsuite/testcase")]


def _case(case: ET.Element) -> Point:
    kinds = [child for child in case if child.tag in OUTCOMES]
    assert len(kinds) <= 1
    said = case.findtext("system-out") or ""
    outcome = OUTCOMES[kinds[0].tag] if kinds else "warning" if said.startswith("warning: ") else "ok"
    told: dict[str, object] = {"message": kinds[0].get("message", ""), "body": kinds[0].text or ""} if kinds else {}
    return Point(case.attrib["name"], outcome, told | {"said": said})


_POINT = re.compile(r"(?P<not>not )?ok (?P<number>\d+) - (?P<rest>.*)")
_DIRECTIVE = re.compile(r"(?<!\\)# (?P<word>SKIP|TO[D]O)\b ?(?P<why>.*)$")


def read_tap(text: str) -> list[Point]:
    """The test points of a TAP 14 stream; raises where it is not one."""
    lines = text.splitlines()
    assert lines[0] == "TAP version 14"
    plan = re.fullmatch(r"1\.\.(\d+)", lines[1])
    assert plan is not None
    points: list[Point] = []
    rest = iter(lines[2:])
    for line in rest:
        if line.startswith("#"):
            continue
        if line == "  ---":
            block = []
            while (inner := next(rest)) != "  ...":
                assert inner.startswith("  ")
                block.append(inner[2:])
            last = points.pop()
            points.append(Point(last.title, last.outcome, yaml.safe_load("\n".join(block))))
            continue
        found = _POINT.fullmatch(line)
        assert found is not None, line
        assert int(found["number"]) == len(points) + 1
        points.append(_point(found))
    assert len(points) == int(plan[1])
    return [Point(one.title, "unknown" if one.told.get("status") == "unknown" else one.outcome, one.told)
            for one in points]  # fmt: skip


def _point(found: re.Match[str]) -> Point:
    directive = _DIRECTIVE.search(found["rest"])
    title = found["rest"][: directive.start()].rstrip() if directive else found["rest"]
    outcome = "no" if found["not"] else "ok"
    if directive:
        outcome = "skipped" if directive["word"] == "SKIP" else "warning" if found["not"] else "ok"
    return Point(re.sub(r"\\(.)", r"\1", title), outcome)


# 'label'=value[UOM];[warn];[crit];[min];[max], as the guidelines for plugins have it.
_RANGE = r"(?:@?(?:~|-?[\d.]+)?:?(?:-?[\d.]+)?)?"
_DATUM = re.compile(
    rf"'(?P<label>[^'=]+)'=(?P<value>-?\d+(?:\.\d+)?)(?P<uom>s|ms|us|%|B|KB|MB|TB|c)?"
    rf"(?:;(?P<warn>{_RANGE}))?(?:;(?P<crit>{_RANGE}))?(?:;(?P<min>-?[\d.]*))?(?:;(?P<max>-?[\d.]*))?"
)


@dataclass(frozen=True)
class Plugin:
    """The output of a plugin: its word, its text, the performance data by label, and the long text."""

    word: str
    text: str
    data: dict[str, dict[str, str | None]]
    long: list[str]


def read_nagios(text: str) -> Plugin:
    """The output of a plugin; raises where it is none."""
    assert len(text.encode()) <= 8192 * 2
    first, *long = text.removesuffix("\n").split("\n")
    said, bar, data = first.partition(" | ")
    assert "|" not in data and not any("|" in line for line in long)
    found: dict[str, dict[str, str | None]] = {}
    position = 0
    while bar and position < len(data):
        datum = _DATUM.match(data, position)
        assert datum is not None, data[position:]
        assert datum["label"] not in found
        found[datum["label"]] = datum.groupdict()
        assert datum.end() == len(data) or data[datum.end()] == " ", data[datum.end() :]
        position = datum.end() + 1
    word, dash, rest = said.partition(" - ")
    assert dash
    return Plugin(word, rest, found, long)


def breaks(limit: str, value: float) -> bool:
    """Whether a value raises an alert under a range of the guidelines."""
    inside = limit.startswith("@")
    low, colon, high = limit.removeprefix("@").rpartition(":")
    least = float("-inf") if low == "~" else float(low or 0)
    most = float(high) if high else float("inf")
    assert colon or high
    within = least <= value <= most
    return within if inside else not within


@dataclass(frozen=True)
class Annotation:
    """What a step's log tells the runner to show."""

    level: str
    properties: dict[str, str]
    message: str


_WORKFLOW = re.compile(r"::(?P<word>[a-z-]+)(?: (?P<properties>[^:]*))?::(?P<data>.*)")


def read_github(text: str) -> list[Annotation]:
    """The annotations of a step's output, read as the runner does; raises for any other command but groups."""
    found = []
    depth = 0
    for line in text.splitlines():
        assert "##[" not in line
        if not line.lstrip().startswith("::"):
            continue
        command = _WORKFLOW.fullmatch(line)
        assert command is not None, line
        if command["word"] in ("group", "endgroup"):
            depth += 1 if command["word"] == "group" else -1
            assert depth in (0, 1)
            continue
        assert command["word"] in ("error", "warning", "notice"), line
        pairs = (pair.partition("=") for pair in (command["properties"] or "").split(",") if pair)
        properties = {key: unquote(value) for key, _, value in pairs}
        assert set(properties) <= {"file", "line", "col", "endLine", "endColumn", "title"}
        found.append(Annotation(command["word"], properties, unquote(command["data"])))
    assert depth == 0
    return found


def read_markdown(text: str) -> list[list[str]]:
    """The rows of the tables of a page, each cell as a reader sees it; raises where anything is HTML or a link."""
    from markdown_it import MarkdownIt

    tokens = MarkdownIt("commonmark").enable("table").enable("linkify", True).parse(text)
    rows: list[list[str]] = []
    for token in tokens:
        assert token.type not in ("html_block",), token.content
        for inner in token.children or ():
            assert inner.type in ("text", "strong_open", "strong_close", "softbreak", "text_special"), inner
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline" and rows and token.level >= 4:
            rows[-1].append("".join(inner.content for inner in token.children or ()))
    return rows
