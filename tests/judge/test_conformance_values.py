"""Single values judged as other systems' suites judge them, where we mean the same."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from runbook.judge.evaluate import between, evaluate_value
from runbook.judge.verdicts import Judged, Reason, Truth
from runbook.language.conditions import ConditionError, parse_condition
from tests.places import SHARED, shared

# Upstream an infinite value is a number like any other. Here it is no data, as JUDGE's table says of NaN and infinity.
OTHERWISE = {"NaN": Reason.NODATA, "+Inf": Reason.NODATA}
FLOATS = {"NaN": float("nan"), "+Inf": float("inf"), "-Inf": float("-inf")}
STATUS = {
    "successful": (Truth.TRUE, None),
    "true": (Truth.TRUE, None),
    "failed": (Truth.FALSE, None),
    "false": (Truth.FALSE, None),
    "inconclusive": (Truth.UNKNOWN, Reason.INCONCLUSIVE),
}
PLAIN = re.compile(r"result (?:<|<=|>|>=|==|!=) [\w.]+")


def rows(name: str) -> list[dict[str, Any]]:
    path = SHARED / "conformance" / name
    return json.loads(path.read_text()) if path.exists() else []


def measured(row: dict[str, Any]) -> bool:
    """Whether the row gives a value and conditions that both languages have."""
    given = [text for text in (row["success"], row["failure"]) if text]
    return bool(given) and all(PLAIN.fullmatch(text) for text in given) and ("result" in row or "expected_value" in row)


def gatus(row: dict[str, Any]) -> bool:
    placeholder = re.match(r"\[(STATUS|RESPONSE_TIME|CONNECTED|BODY)\] \S+ \w+$", row["condition"])
    return row["group"] == "evaluate" and bool(placeholder)


ARGO = [row for row in rows("argo_measurement.json") if measured(row)]
GATUS = [row for row in rows("gatus_conditions.json") if gatus(row)]


def test_the_rows_are_there() -> None:
    shared("conformance/argo_measurement.json")
    assert len(ARGO) >= 8
    assert len(GATUS) >= 8


def judged(text: str, value: Any) -> Judged | None:
    return evaluate_value(parse_condition(text), {"result": value}) if text else None


@pytest.mark.parametrize("row", ARGO, ids=lambda row: row["id"])
def test_argo_measurements(row: dict[str, Any]) -> None:
    value = row["result"] if "result" in row else json.loads(row["expected_value"])
    plain = FLOATS.get(value, value) if isinstance(value, str) else value
    outcome = between(judged(row["success"], plain), judged(row["failure"], plain))
    expected = (Truth.UNKNOWN, OTHERWISE[value]) if value in OTHERWISE else STATUS[row["expected"]]
    assert (outcome.truth, outcome.reason) == expected


@pytest.mark.parametrize("row", GATUS, ids=lambda row: row["id"])
def test_gatus_conditions(row: dict[str, Any]) -> None:
    text = re.sub(r"\[(\w+)\]", lambda match: match[1].lower(), row["condition"])
    result = row["result"]
    values = {
        "status": result.get("status", 0),
        "response_time": result.get("response_time_ms", 0),
        "connected": result.get("connected", False),
        "body": result.get("body", ""),
    }
    outcome = evaluate_value(parse_condition(text), values, units={"response_time": "ms"})
    if "potato" in text:
        # Gatus takes a word for 0 where a number is wanted; here nothing called so is known, and that is said.
        assert outcome.truth is Truth.UNKNOWN
    else:
        assert (outcome.truth is Truth.TRUE) == row["expected_success"]


@pytest.mark.parametrize(
    "row", [r for r in rows("gatus_conditions.json") if r["group"] == "validate"], ids=lambda r: r["id"]
)
def test_what_gatus_refuses_is_refused_here_too(row: dict[str, Any]) -> None:
    text = re.sub(r"\[(\w+)\]", lambda match: match[1].lower(), row["condition"])
    if row["expected_valid"] or "==2" in text:  # an operator needs no space around it here
        return
    with pytest.raises(ConditionError):
        parse_condition(text)
