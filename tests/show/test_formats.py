"""The formats for other programs: whatever a document says, their own readers read the same of it."""

from __future__ import annotations

import math
import shutil
import subprocess

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from runbook.show.document_rows import CheckRow, HappenedRow, LastGood, MetricRow, ProblemRow, RuleRow
from runbook.show.documents import Document
from runbook.show.formats.entries import entries_of
from runbook.show.formats.github import LONGEST_SUMMARY, github, summary
from runbook.show.formats.junit import junit
from runbook.show.formats.markdown import markdown
from runbook.show.formats.nagios import nagios, status_of
from runbook.show.formats.prometheus import prometheus
from runbook.show.formats.tap import tap
from runbook.system.refusals import Exit
from tests.show.readers import breaks, read_github, read_junit, read_markdown, read_nagios, read_tap
from tests.show.test_page import HOSTILE

AT = "2026-03-04T05:06:07.089Z"
TEXTS = st.one_of(
    st.sampled_from([*HOSTILE, "a|b", "::error::x", "##[error]x", "# SKIP", "# T" + "ODO", "</failure>", "]]>", "%0A"]),
    st.text(max_size=40),
)


def document(code: Exit = Exit.GO, **lists: object) -> Document:
    return Document(
        command="preflight", service="checkout", environment="production", verdict=code.verdict,  # type: ignore[arg-type]
        exit_reason=code.reason, message="what it came to", started_at=AT, duration_ms=12.5, **lists,  # type: ignore[arg-type]
    )  # fmt: skip


def check(title: str, status: str = "pass", **more: object) -> CheckRow:
    return CheckRow(id=title, title=title, kind="http", status=status, checklist="ready", **more)  # type: ignore[arg-type]


def of_every_kind() -> Document:
    """A document with a row of every outcome."""
    return document(
        Exit.NO_GO,
        checks=[
            check("Fine", observed="200", phases={"connect": 2.0, "read": 0.5}, duration_ms=3.0),
            check("Broken", "fail", observed="500", expected="200", message="it said no", advice="make it",
                  listed=["one", "two"], last_good=LastGood(at=AT, observed="200"), since_then_more=2, phase="read",
                  since_then=[HappenedRow(at=AT, kind="noted", who="jo", text="deploy: of build 7")]),
            check("Dark", "unknown", reason="error", message="nobody answered"),
            check("Soft", "fail", observed="late", level="warn", counts=False),
            check("Put off", "waived", message="waived to Friday by jo"),
            check("Elsewhere", "skipped", message="not in production"),
            check("By people", "unknown", message="no answer yet", counts=False),
            CheckRow(id="all", title="All", kind="all", status="fail", checks=[check("Inner", "fail", observed="3")]),
        ],
    )  # fmt: skip


OUTCOMES = ["ok", "no", "unknown", "warning", "skipped", "skipped", "skipped", "no"]
TITLES = ["Fine", "Broken", "Dark", "Soft", "Put off", "Elsewhere", "By people", "All: Inner"]


def test_junit_tells_every_outcome() -> None:
    points = read_junit(junit(of_every_kind()))
    assert [(one.title, one.outcome) for one in points] == list(zip(TITLES, OUTCOMES, strict=True))
    assert points[1].told["message"] == "500, wanted 200"
    body = str(points[1].told["body"])
    for line in ("it said no", "it ended in the phase read", "- two", f"last good {AT}: 200", "do: make it",
                 f"since then {AT} deploy: of build 7, by jo", "2 more: runbook history --since 1m"):  # fmt: skip
        assert line in body.splitlines()
    assert points[4].told["message"] == "waived to Friday by jo"
    assert "left to people" in str(points[6].told["message"])


def test_tap_tells_every_outcome() -> None:
    points = read_tap(tap(of_every_kind()))
    assert [one.outcome for one in points] == OUTCOMES
    assert points[1].title == "ready: Broken"
    assert points[1].told["listed"] == ["one", "two"] and points[1].told["do"] == "make it"
    assert points[2].told["reason"] == "error"


def test_nagios_tells_the_worst_first() -> None:
    plugin = read_nagios(nagios(of_every_kind()))
    assert plugin.word == "NO-GO"
    assert plugin.text == (
        "2 of 6 fail, 1 of 6 unknown, 1 of 6 warn: Broken: 500; All: Inner: 3; Dark: nobody answered; Soft: late"
    )
    assert plugin.data["Fine time"]["value"] == "0.003" and plugin.data["Fine time"]["uom"] == "s"
    assert (plugin.data["no"]["value"], plugin.data["no"]["max"]) == ("2", "8")
    assert plugin.long[0].startswith("NO  Broken")


@pytest.mark.parametrize(
    ("code", "rows", "status"),
    [
        (Exit.GO, [], 0), (Exit.GO, [check("a", "fail", level="warn", counts=False)], 1),
        (Exit.GO, [check("a", "unknown", counts=False)], 0), (Exit.NO_GO, [check("a", "fail")], 2),
        (Exit.UNKNOWN, [check("a", "unknown")], 3), (Exit.USAGE, [], 3), (Exit.FAILED, [], 3), (Exit.BUSY, [], 3),
        (Exit.BUG, [], 3), (Exit.INTERRUPTED, [], 3), (Exit.TERMINATED, [], 3),
    ],
)  # fmt: skip
def test_the_status_of_a_plugin(code: Exit, rows: list[CheckRow], status: int) -> None:
    assert status_of(document(code, checks=rows), code) == status


@pytest.mark.parametrize(("state", "status"), [("UNSAFE", 2), ("UNKNOWN", 3), ("HELD", 1), ("STABLE", 0)])
def test_where_a_service_stands_is_a_status_too(state: str, status: int) -> None:
    told = document(state=state, since=AT)
    assert status_of(told, Exit.GO) == status
    assert read_nagios(nagios(told)).word == state
    assert f'state="{state}"}} 1' in prometheus(told)


@pytest.mark.parametrize(
    ("limit", "unit", "expected", "above", "below"),
    [
        ("> 5%", "ratio", "0.05", 0.051, 0.05), ("> 2s", "ms", "2000", 2000.5, 2000),
        (">= 5%", "ratio", "@0.05:", 0.05, 0.04), ("< 10", "count", "10:", 9.0, 10.0),
        ("<= 10", "count", "@~:10", 10.0, 10.5), ("> 1GiB", "bytes", "1073741824", 2e9, 1e9),
        ("> 5", "percent", "5", 5.1, 5.0), ("> 5%", "percent", "5", 5.1, 5.0),
    ],
)  # fmt: skip
def test_a_limit_becomes_a_range(limit: str, unit: str, expected: str, above: float, below: float) -> None:
    row = MetricRow(name="rate", level="ok", status="pass", value=below, unit=unit, warning=limit)
    datum = read_nagios(nagios(document(metrics=[row]))).data["rate"]
    assert datum["warn"] == expected
    assert breaks(expected, above) and not breaks(expected, below)


NO_RANGES = ["> 5% for 10m", "avg(rate, 5m) > 5%", "> 5% and > 6%", "== 5%", "> other", "rubbish ("]


@pytest.mark.parametrize("limit", NO_RANGES)
def test_a_limit_that_is_no_range_is_left_out(limit: str) -> None:
    row = MetricRow(name="rate", level="ok", status="pass", value=0.5, unit="ratio", warning=limit, critical="> 9%")
    datum = read_nagios(nagios(document(metrics=[row]))).data["rate"]
    assert (datum["warn"], datum["crit"]) == ("", "0.09")


def test_metrics_under_a_gate_are_no_rows() -> None:
    late = MetricRow(name="rate", level="critical", status="fail", value=0.5, unit="ratio")
    rule = RuleRow(id="gate/0", title="rate < 2%", kind="gate", status="pass")
    assert [one.title for one in entries_of(document(metrics=[late], rules=[rule]))] == ["rate < 2%"]
    assert entries_of(document(metrics=[late], rules=[])) == []
    assert [one.outcome for one in entries_of(document(metrics=[late]))] == ["no"]


def test_a_problem_has_its_place() -> None:
    wrong = ProblemRow(message="100% wrong, sure: here", file="a,b:c.yaml", line=3, column=7, hint="did you mean x?")
    soft = ProblemRow(message="odd", level="warning", counts=False, file="a.yaml", line=1, column=1)
    told = document(Exit.USAGE, problems=[wrong, soft])
    first, second = read_github(github(told))
    assert first.properties == {"file": "a,b:c.yaml", "line": "3", "col": "7", "title": "100% wrong, sure: here"}
    assert (first.level, second.level) == ("error", "warning")
    assert "a,b:c.yaml:3:7" in str(read_junit(junit(told))[0].told["body"])
    assert read_tap(tap(told))[0].told["at"] == "a,b:c.yaml:3:7"


def test_more_than_ten_annotations_are_put_together() -> None:
    rows = [check(f"c{number}", "fail", observed="no") for number in range(14)]
    found = read_github(github(document(Exit.NO_GO, checks=rows)))
    assert len(found) == 10
    assert found[-1].properties["title"] == "5 more"
    assert found[-1].message.splitlines() == [f"c{number}: no" for number in range(9, 14)]
    assert len(read_github(github(document(Exit.NO_GO, checks=rows[:10])))) == 10


def test_a_summary_that_does_not_fit_is_left_out() -> None:
    text = summary(of_every_kind())
    assert text and summary(of_every_kind(), room=len(text.encode())) == text
    assert summary(of_every_kind(), room=len(text.encode()) - 1) == ""
    many = [check(f"c{number}", "fail", observed="é" * 300, message="m" * 300) for number in range(4000)]
    assert 1000 < len(summary(document(Exit.NO_GO, checks=many)).encode()) < LONGEST_SUMMARY


def test_markdown_is_a_table_of_the_rows() -> None:
    rows = read_markdown(markdown(of_every_kind()))
    assert rows[0] == ["", "check", "seen", "wanted"]
    assert [row[1] for row in rows[1:]] == [*TITLES[:3], "Soft (warn)", *TITLES[4:]]
    assert rows[2] == ["NO", "Broken", "500", "200"]
    many = [check(f"c{number}") for number in range(400)] + [check("bad", "fail")]
    text = markdown(document(Exit.NO_GO, checks=many))
    assert len(text) < 65_536
    assert read_markdown(text)[1][1] == "bad" and "251 more are not shown." in text


def test_prometheus_reads_states_and_values() -> None:
    metric = MetricRow(name="rate", level="ok", status="pass", value=0.25, unit="ratio", age=2.0)
    dark = MetricRow(name="dark", level="unknown", status="unknown", value=None)
    told = msgspec.structs.replace(of_every_kind(), metrics=[metric, dark], percent=10.0, stage="canary")
    families = {one.name: one for one in text_string_to_metric_families(prometheus(told))}
    states: dict[str, dict[str, float]] = {}
    for sample in families["runbook_check"].samples:
        states.setdefault(sample.labels["check"], {})[sample.labels["status"]] = sample.value
    assert all(sum(one.values()) == 1 for one in states.values())
    assert states["Broken"]["fail"] == 1 and states["By people"]["unknown"] == 1
    [phase, _] = families["runbook_check_phase_seconds"].samples
    assert (phase.labels["phase"], phase.value) == ("connect", 0.002)
    values = {sample.labels["metric"]: sample.value for sample in families["runbook_metric"].samples}
    assert values["rate"] == 0.25 and math.isnan(values["dark"])
    assert families["runbook_stage_percent"].samples[0].labels["stage"] == "canary"
    [looked] = families["runbook_last_look_timestamp_seconds"].samples
    assert looked.value == pytest.approx(1772600767.089)


def test_two_checks_of_one_name_are_two_series() -> None:
    text = prometheus(document(checks=[check("a"), check("a", "fail")]))
    found = {(one.labels["check"], one.labels["status"]): one.value
             for family in text_string_to_metric_families(text) if family.name == "runbook_check"
             for one in family.samples}  # fmt: skip
    assert (found["a", "pass"], found["a-2", "fail"]) == (1, 1)


@pytest.mark.needs("promtool")
def test_promtool_finds_nothing_wrong() -> None:
    promtool = shutil.which("promtool")
    assert promtool is not None
    text = prometheus(msgspec.structs.replace(of_every_kind(), percent=10.0, stage="canary", problems=[], state="HELD"))
    checked = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


@pytest.mark.parametrize("code", [code for code in Exit if code is not Exit.GO])
def test_an_end_without_rows_is_never_green(code: Exit) -> None:
    told = document(code)
    assert [one.outcome for one in read_junit(junit(told))] == ["no" if code is Exit.NO_GO else "unknown"]
    assert read_tap(tap(told))[0].outcome in ("no", "unknown")
    assert [one.level for one in read_github(github(told))] == ["error"]
    good = msgspec.structs.replace(document(code), checks=[check("Fine")])
    assert {one.outcome for one in read_junit(junit(good))} > {"ok"}


@given(TEXTS, TEXTS, st.sampled_from(["pass", "fail", "unknown", "skipped", "waived"]), st.booleans())
def test_hostile_text_is_text_everywhere(text: str, other: str, status: str, counts: bool) -> None:
    code = Exit.NO_GO if status == "fail" and counts else Exit.UNKNOWN if status == "unknown" and counts else Exit.GO
    row = CheckRow(
        id=other, title=text, kind="http", status=status, observed=other, expected=text, message=text,  # type: ignore[arg-type]
        advice=other, listed=[text, other], checklist=other, counts=counts, level="error" if counts else "warn",
        last_good=LastGood(at=AT, observed=text), phase="read",
    )  # fmt: skip
    problem = ProblemRow(message=text, file=other or None, line=2, column=3, hint=other, counts=False, level="warning")
    metric = MetricRow(name=text, level="ok", status="pass", value=1.0, unit=other)
    told = msgspec.structs.replace(
        document(code, checks=[row], problems=[problem], metrics=[metric], next=[text]), message=text, service=other
    )
    count = len(entries_of(told))
    assert len(read_junit(junit(told))) == count == len(read_tap(tap(told)))
    assert len(read_markdown(markdown(told))) == count + 1
    assert len(read_github(github(told))) <= count + 1
    read_nagios(nagios(told))
    series = {family.name: family.samples for family in text_string_to_metric_families(prometheus(told))}
    assert len(series["runbook_check"]) == len(series["runbook_metric_status"]) == 5
    assert [sample.value for sample in series["runbook_problems"]] == [0, 1]
