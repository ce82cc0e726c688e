"""Kinds that are not asked like the rest: kubectl in between, a sample that people judge, names that resolve."""

from __future__ import annotations

import asyncio
import json
import os
import time
from pathlib import Path

import msgspec
import pytest

from runbook.checks.base import CheckResult, Finding
from runbook.checks.people.inspect import Inspect, items_of
from runbook.judge.verdicts import Status
from runbook.system.variables import Variables
from tests.checks.hostile.kinds import around_in, told
from tests.checks.hostile.peers import in_turn, peer
from tests.checks.hostile.test_answers import ALL_BROKEN, CONTROL, LATE, SHORT, hold_to_the_rules, texts_of
from tests.checks.hostile.test_poison import batches
from tests.checks.looking import looked_all
from tests.hostile import BODIES
from tests.servers import Script

# -- kubernetes -------------------------------------------------------------------------------------

STATUS = {
    "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden", "code": 403, "message": "POISON",
}  # fmt: skip
API: dict[str, Script] = {
    name: ALL_BROKEN[name]
    for name in (
        "hang", "reset", "garbage", "closed at once", "500", "503", "401", "403", "slow drip", "endless chunks",
        "not HTTP", "a gigabyte", "gzip bomb", "redirect elsewhere", "HTTP/2",
    )
}  # fmt: skip
API |= {name: told(BODIES[name]) for name in ("empty", "HTML", "null", "empty object", "deep", "truncated", "a list")}


def kubeconfig(url: str, folder: Path) -> Path:
    """What leads kubectl to this server."""
    config = {
        "apiVersion": "v1", "kind": "Config", "current-context": "c", "users": [{"name": "u", "user": {"token": "t"}}],
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    }  # fmt: skip
    path = folder / "kubeconfig"
    path.write_text(json.dumps(config))
    return path


def rollout(url: str, folder: Path, seconds: float) -> list[CheckResult]:
    variables = Variables(process={"PATH": os.environ["PATH"], "HOME": str(folder)})
    check = {"kubernetes": "deployment/web", "kubeconfig": str(kubeconfig(url, folder))}
    return looked_all([check], around_in(folder, seconds=seconds, variables=variables))


@pytest.mark.needs("kubectl")
@pytest.mark.parametrize("name", API)
def test_whatever_stands_in_the_place_of_an_api_server(name: str, tmp_path: Path) -> None:
    began = time.monotonic()
    with peer(API[name]) as server:
        rows = rollout(server.url, tmp_path, 1.5)
    assert time.monotonic() - began < 3.5
    hold_to_the_rules(rows, 1.5)


@pytest.mark.needs("kubectl")
def test_what_an_api_server_says_reaches_no_terminal_raw(tmp_path: Path) -> None:
    some = [poison for poison in batches() if "\x1b" in poison][:4]
    bodies = [json.dumps({**STATUS, "message": poison}) for poison in some]
    for body in bodies:
        with peer(told(body, "403 Forbidden")) as server:
            [row] = rollout(server.url, tmp_path, 5)
        hold_to_the_rules([row], 5)


# -- inspect ----------------------------------------------------------------------------------------


def items(url: str, folder: Path, seconds: float) -> list[str] | Finding:
    """What would be shown to somebody who judges the sample."""
    options = msgspec.convert(
        {"inspect": f"{url}/answers", "list": ".items[]", "questions": ["Is it right"], "sample": 5}, Inspect
    )

    async def whole() -> list[str] | Finding:
        around = around_in(folder, seconds=seconds)
        try:
            return await items_of(options, around)
        finally:
            await around.asker.close()

    return asyncio.run(whole())


@pytest.mark.parametrize("name", ALL_BROKEN)
def test_a_sample_that_cannot_be_fetched(name: str, tmp_path: Path) -> None:
    with peer(ALL_BROKEN[name]) as broken:
        began = time.monotonic()
        found = items(broken.url, tmp_path, SHORT)
        assert time.monotonic() - began < SHORT + LATE
    assert isinstance(found, Finding), found
    assert found.status is Status.UNKNOWN
    assert found.message


@pytest.mark.parametrize("name", BODIES)
def test_a_sample_that_is_none(name: str, tmp_path: Path) -> None:
    with peer(told(BODIES[name])) as rubbish:
        found = items(rubbish.url, tmp_path, 5)
    assert isinstance(found, Finding), found
    assert found.status is Status.UNKNOWN


def test_items_are_shown_harmless(tmp_path: Path) -> None:
    bodies = [json.dumps({"items": [poison, {"text": poison}]}) for poison in batches()]
    with peer(in_turn([told(body) for body in bodies])) as poisoned:
        for _ in bodies:
            found = items(poisoned.url, tmp_path, 5)
            assert isinstance(found, list), found
            assert all(CONTROL.search(item.replace("\n", "")) is None for item in found), found


# -- dns --------------------------------------------------------------------------------------------

NAMES = (
    "", ".", "..", "-", "a b", "a\nb", "a\x00b", "\x1b[2J", "x" * 64 + ".invalid", ".".join(["x" * 60] * 5), "a..b",
    "nobody.invalid", "xn--a", "*.invalid", "\u202eevil", "http://localhost", "localhost:80", "a/b", "a@b", "[::1]",
    "%00",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_name_from_outside_is_a_name_or_nothing_is_asked(name: str) -> None:
    variables = Variables(process={"NAME": name})
    [row] = looked_all([{"dns": "${NAME}"}], seconds=3, variables=variables)
    assert row.status in (Status.FAIL, Status.UNKNOWN), row
    assert row.duration < 3.5
    assert CONTROL.search(texts_of(row)) is None, texts_of(row)
