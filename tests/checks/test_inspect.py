"""`inspect`: the sample that people judge, what their answers say together, and the kept judgement."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from runbook.checks.base import Answer, Finding, Surroundings
from runbook.checks.people.inspect import Inspect, items_of, judged, spread
from runbook.judge.verdicts import Reason, Status
from runbook.system.secrets import Masker
from runbook.system.variables import Variables
from tests.checks.looking import a_check, looked, surroundings
from tests.checks.test_runner import Kept
from tests.hostile import BROKEN, hang
from tests.servers import answer, scripted

PLAIN: dict[str, Any] = {"questions": ["Is it right", "Is it complete"], "share": "90%"}
DAY = 86400.0


def fetched(plain: dict[str, Any], around: Surroundings) -> list[str] | Finding:
    async def whole() -> list[str] | Finding:
        try:
            return await items_of(a_check({**PLAIN, **plain}).options, around)
        finally:
            await around.asker.close()

    return asyncio.run(whole())


def items(plain: dict[str, Any], around: Surroundings) -> list[str]:
    found = fetched(plain, around)
    assert isinstance(found, list), found
    return found


def none(plain: dict[str, Any], around: Surroundings) -> Finding:
    found = fetched(plain, around)
    assert isinstance(found, Finding), found
    return found


def test_nobody_has_judged_it() -> None:
    row = looked({"inspect": "/answers", "id": "answers", **PLAIN}, answers=Kept())
    assert (row.status, row.reason) == (Status.UNKNOWN, Reason.NODATA)
    assert row.message == "nobody has judged it: runbook sign answers on a terminal"
    assert looked({"inspect": "/answers", **PLAIN}).status is Status.UNKNOWN


@pytest.mark.parametrize(
    ("yes", "age", "valid", "status"),
    [
        (True, DAY, "7d", Status.PASS),
        (True, 8 * DAY, "7d", Status.UNKNOWN),
        (True, 8 * DAY, None, Status.PASS),
        (False, DAY, "7d", Status.FAIL),
        (False, 8 * DAY, "7d", Status.UNKNOWN),
    ],
)
def test_the_kept_judgement_counts_while_it_is_valid(yes: bool, age: float, valid: str | None, status: Status) -> None:
    kept = Kept(answers={"answers": Answer(yes, "mira", time.time() - age, evidence="18 of 20, 90 %")})
    plain = {"inspect": "/answers", "id": "answers", **PLAIN, **({"valid": valid} if valid else {})}
    with scripted({"/answers": answer("[1]")}) as server:
        row = looked(plain, answers=kept, url=server.url)
        assert server.asked == []
    assert row.status is status
    if status is Status.UNKNOWN:
        assert "runbook sign answers" in row.message
    else:
        assert row.message == "18 of 20, 90 %"
        assert "mira" in row.observed


def test_a_fetched_sample_is_spread_and_the_same_again() -> None:
    body = json.dumps({"items": [{"id": number, "text": f"answer {number}"} for number in range(100)]})
    with scripted({"/answers": answer(body)}) as server:
        plain = {"inspect": "/answers", "list": ".items[]", "sample": 20}
        first = items(plain, surroundings(url=server.url))
        assert first == items(plain, surroundings(url=server.url))
        assert first == items({**plain, "list": ".items"}, surroundings(url=server.url))
    assert [json.loads(item)["id"] for item in first] == list(range(0, 100, 5))


@pytest.mark.parametrize(
    ("body", "program", "wanted"),
    [
        ('["a", "b"]', None, ["a", "b"]),
        ('["a", 2, true, {"k": "ü"}]', None, ["a", "2", "true", '{\n  "k": "ü"\n}']),
        ("one\n\n two \r\nthree", None, ["one", "two", "three"]),
        ('{"id": 1}\n{"id": 2}\n', None, ['{"id": 1}', '{"id": 2}']),
        ('{"items": []}', ".items[]", Reason.NODATA),
        ('{"items": null}', ".items", Reason.NODATA),
        ('{"a": 1}', ".items[]", Reason.ERROR),
        ('{"a": 1}', None, Reason.ERROR),
        ("", None, Reason.NODATA),
        ("[]", None, Reason.NODATA),
        ("<html>", ".items[]", Reason.ERROR),
        ('{"items": [1]}', "last(repeat(1))", Reason.ERROR),
    ],
)
def test_what_is_an_item(body: str, program: str | None, wanted: list[str] | Reason, tmp_path: Path) -> None:
    (tmp_path / "sample").write_text(body)
    plain = {"inspect": "sample", **({"list": program} if program else {})}
    found = fetched(plain, surroundings(tmp_path, seconds=1.5))
    assert (found.reason if isinstance(found, Finding) else found) == wanted
    assert not isinstance(found, Finding) or found.message


def test_items_may_be_shown(tmp_path: Path) -> None:
    variables = Variables(process={"NAME": "sample"}, masker=Masker())
    variables.masker.learn("hunter2hunter2")
    lines = ["\x1b[2Jcleared", "the key is hunter2hunter2", "x" * 5000, "a\u202eb"]
    (tmp_path / "sample.json").write_text(json.dumps([*lines, {"two": "lines"}, "kept\nline"]))
    found = items({"inspect": "${NAME}.json"}, surroundings(tmp_path, variables=variables))
    assert found[0] == "\\x1b[2Jcleared"
    assert "hunter2" not in found[1]
    assert len(found[2]) == 2000
    assert found[3] == "a\\u202eb"
    assert found[4].count("\n") == 2
    assert found[5] == "kept\nline"


def test_a_sample_that_cannot_be_had(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for name in ("gone", "folder", "no\0name", "${NOT_SET}"):
        assert none({"inspect": name}, surroundings(tmp_path)).reason is Reason.ERROR
    assert "no url" in none({"inspect": "/x"}, surroundings()).message
    with scripted({"/": hang, "/gone": answer("[1]", status="404 Not Found")}) as server:
        assert none({"inspect": "/gone"}, surroundings(url=server.url)).message == "status 404"
        began = time.monotonic()
        assert none({"inspect": "/"}, surroundings(url=server.url, seconds=0.3)).observed == "timed out"
        assert time.monotonic() - began < 1.5


@pytest.mark.parametrize("name", BROKEN)
def test_broken_answers_give_no_sample(name: str) -> None:
    with scripted({"/": BROKEN[name]}) as server:
        around = surroundings(url=server.url, seconds=0.4)
        assert none({"inspect": "/", "list": ".items[]"}, around).message


@pytest.mark.parametrize(
    ("good", "count", "share", "yes", "words"),
    [
        (18, 20, "90%", True, "18 of 20, 90 %"),
        (17, 20, "90%", False, "17 of 20, 85 %"),
        (20, 20, "100%", True, "20 of 20, 100 %"),
        (19, 20, "100%", False, "19 of 20, 95 %"),
        (7, 8, "87.5%", True, "7 of 8, 87.5 % (of the 20 meant, 8 were there)"),
        (7, 8, "87.6%", False, "7 of 8, 87.5 % (of the 20 meant, 8 were there)"),
        (0, 0, "1%", False, "nothing was judged"),
    ],
)
def test_what_the_answers_say(good: int, count: int, share: str, yes: bool, words: str) -> None:
    options = Inspect(inspect="/x", questions=("Right", "Complete"), share=share)
    verdicts = [(True, True)] * good + [(True, False)] * (count - good)
    assert judged(options, verdicts) == (yes, words)


def test_an_item_that_was_not_asked_everything_does_not_count() -> None:
    options = Inspect(inspect="/x", questions=("Right", "Complete"), sample=2)
    assert judged(options, [(True, True), (True,)])[0] is False
    assert judged(options, [(), ()])[0] is False


@given(some.integers(1, 500), some.integers(1, 60))
def test_a_sample_is_even_and_in_order(count: int, sample: int) -> None:
    chosen = spread(range(count), sample)
    assert len(chosen) == min(count, sample)
    assert chosen == sorted(set(chosen))
    gaps = [later - earlier for earlier, later in zip(chosen, [*chosen[1:], count], strict=True)]
    assert max(gaps) - min(gaps) <= 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"questions": []},
        {"questions": [" "]},
        {"sample": 0},
        {"sample": 1001},
        {"share": "0%"},
        {"share": "101%"},
        {"share": "0.9"},
        {"share": "most"},
        {"valid": "7"},
        {"list": ".["},
        {"inspect": " "},
    ],
)
def test_options_that_are_refused(wrong: dict[str, Any]) -> None:
    assert a_check({"inspect": "/x", **PLAIN, **wrong}).options.problems()
    assert a_check({"inspect": "/x", **PLAIN, "valid": "7d", "share": "99.5 %"}).options.problems() == []


def test_by_hand() -> None:
    assert a_check({"inspect": "/x", **PLAIN}).options.by_hand("http://x.test") == "curl -fsS http://x.test/x"
    assert a_check({"inspect": "x.json", **PLAIN}).options.by_hand("http://x.test") == ""
