"""Completion tells live values, narrowed to what stands on the line; it writes nothing and never fails in a prompt."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from runbook.cli import completing
from runbook.cli.completing import Offer
from runbook.rollout.emergency import Alarm, emergency
from tests.rollout.site import PLAYBOOK, STAGES, House, make_house, playbook_in

LISTS = """\
checklists: {ready: [{check: Backup is there, file: backup}, {check: Trained, sign: true}]}
channels: {team: {webhook: "https://hooks.example.com/x"}}
notices: {users: {to: team, text: "${service} moves"}}
"""
SIGNS = STAGES.replace(
    "    bake: 1h\n", "    bake: 1h\n    sign: [verified_by, {approved_by: not deployed_by}]\n"
).replace("incident: P0", "incident: P0, checklist: [Find the cause]")
RUNBOOK = Path(sys.executable).with_name("runbook")
LIVE = ("environments", "positions", "stages", "checks", "lower_positions", "roles_and_items", "waivable", "notices")
EVERYTHING = (*LIVE, "operations", "incidents")


@dataclass
class Line:
    """What was typed before: the options, as the shell's context holds them."""

    params: dict[str, str | None] = field(default_factory=dict)


def offered(what: str, incomplete: str = "", **params: str | None) -> list[Offer]:
    complete: Callable[[Line, str], list[Offer]] = getattr(completing, what)
    return complete(Line(params), incomplete)


def names(offers: Iterable[Offer]) -> list[str]:
    return [one if isinstance(one, str) else one[0] for one in offers]


def helps(offers: Iterable[Offer]) -> dict[str, str]:
    return dict(one for one in offers if not isinstance(one, str))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    playbook_in(tmp_path, PLAYBOOK + LISTS + SIGNS)
    monkeypatch.setenv("RUNBOOK_PROJECT", str(tmp_path))
    return tmp_path


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    """A service at canary@10."""
    house = make_house(tmp_path, PLAYBOOK + LISTS + SIGNS)
    monkeypatch.setenv("RUNBOOK_PROJECT", str(tmp_path))
    house.stand_at("canary@10")
    return house


def test_playbooks_of_the_project_and_shipped_ones(here: Path) -> None:
    assert completing.playbooks("")[0] == "checkout"
    assert "enrichment" in completing.playbooks("")
    assert completing.playbooks("ch") == ["checkout"]


def test_environments_positions_stages_and_checks(here: Path) -> None:
    assert names(offered("environments")) == ["production"]
    assert names(offered("stages", "c")) == ["canary"]
    assert sorted(names(offered("positions", "canary"))) == ["canary", "canary@10", "canary@5"]
    assert names(offered("positions", "1")) == ["10", "100"]
    assert names(offered("checks", "ready/")) == ["ready/backup_is_there", "ready/trained"]


def test_each_name_once(here: Path) -> None:
    told = names(offered("positions"))
    assert len(told) == len(set(told))


def test_the_next_step_stands_first(house: House) -> None:
    offers = offered("positions")
    assert names(offers)[:2] == ["50", "full@50"]
    assert helps(offers) == {"50": "next", "full@50": "next"}
    assert helps(offered("stages")) == {"canary": "here"}


def test_a_way_back_leads_only_down(house: House) -> None:
    offers = offered("lower_positions")
    assert names(offers) == ["5", "canary@5", "0", "off@0"]
    assert helps(offers) == {"5": "one step down", "canary@5": "one step down"}


def test_what_is_due_to_be_signed_stands_first(house: House) -> None:
    offers = offered("roles_and_items")
    assert names(offers) == ["verified_by", "approved_by", "ready/trained"]
    assert helps(offers)["verified_by"] == "due, a role of canary@10"
    position = house.standing().position
    assert position is not None
    told = {"role": "verified_by", "yes": True, "stage": "canary", "percent": 10.0, "since": position.since}
    house.site.record(house.site.event("role.signed", {**told, "playbook": house.site.playbook.digest}))
    offers = offered("roles_and_items")
    assert names(offers) == ["approved_by", "ready/trained", "verified_by"]
    assert helps(offers)["verified_by"] == "signed by ana"


def test_the_items_of_an_open_incident_are_offered(house: House) -> None:
    emergency(house.site, house.heard, Alarm(reason="try"))
    assert "incident/1/find_the_cause" in names(offered("roles_and_items"))
    assert helps(offered("incidents"))["1"].startswith("open: ")


def test_what_can_be_waived_and_until_when_it_is(house: House) -> None:
    assert names(offered("waivable")) == ["ready/backup_is_there", "ready/trained"]
    told = {"check": "ready/trained", "until": 4_000_000_000.0, "reason": "x"}
    house.site.record(house.site.event("check.waived", told))
    assert "waived until " in helps(offered("waivable"))["ready/trained"]


def test_notices_and_operations(house: House) -> None:
    assert offered("notices") == [("users", "to team")]
    house.rollback()
    [operation] = offered("operations")
    assert operation[1].startswith("rollback to canary@5 by ana")
    assert names(offered("operations", operation[0][:4])) == [operation[0]]


TWO = PLAYBOOK.replace(
    "environments:\n", "environments:\n  staging: {flags_in: {env: staging.env}, redeploy: {command: ['true']}}\n"
)


def test_the_line_narrows_what_is_offered(house: House) -> None:
    (house.folder / "playbooks" / "checkout.yaml").write_text(TWO + LISTS + SIGNS)
    other = TWO.replace("service: checkout", "service: cart").replace("staging", "lab")
    (house.folder / "playbooks" / "cart.yaml").write_text(other)
    assert set(names(offered("environments"))) == {"staging", "production", "lab"}
    assert names(offered("environments", playbook="cart")) == ["lab", "production"]
    assert names(offered("lower_positions", env="staging", playbook="checkout")) == []
    assert names(offered("lower_positions", env="production", playbook="checkout"))[:1] == ["5"]
    assert helps(offered("positions", env="staging", playbook="checkout")) == {"5": "next", "canary@5": "next"}


def test_a_variable_narrows_it_too(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    (house.folder / "playbooks" / "checkout.yaml").write_text(TWO + LISTS + SIGNS)
    monkeypatch.setenv("RUNBOOK_ENV", "staging")
    assert offered("lower_positions") == []
    assert names(offered("lower_positions", env="production"))[:1] == ["5"]


@pytest.mark.parametrize("spoilt", ["runbook: 1\nservice: [", "runbook: 99\n", "\x00", "runbook: 1\nstages: 5\n"])
def test_a_spoilt_playbook_fails_nothing(here: Path, spoilt: str) -> None:
    (here / "playbooks" / "checkout.yaml").write_text(spoilt)
    assert {what: offered(what) for what in EVERYTHING} == {what: [] for what in EVERYTHING}
    assert "enrichment" in completing.playbooks("")


@pytest.mark.parametrize("params", [{"playbook": "no such"}, {"env": "no such"}, {"playbook": "../../etc/passwd"}])
def test_what_is_not_there_fails_nothing(here: Path, params: dict[str, str]) -> None:
    for what in EVERYTHING:
        assert offered(what, **params) == [] or what in ("environments", "checks", "notices")


def test_a_project_that_is_gone_fails_nothing(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNBOOK_PROJECT", str(here / "gone"))
    assert completing.playbooks("") == []
    assert {what: offered(what) for what in EVERYTHING} == {what: [] for what in EVERYTHING}


@pytest.mark.parametrize("setting", ["postgresql://u:p@192.0.2.1/x", "nonsense://x", "/proc/none/x.db"])
def test_a_store_that_is_away_fails_nothing(house: House, monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    monkeypatch.setenv("RUNBOOK_STATE", setting)
    assert names(offered("positions"))[:2] == ["0", "off@0"]
    assert offered("operations") == []


def test_a_spoilt_store_fails_nothing(house: House) -> None:
    for path in (house.folder / ".runbook").glob("state.db*"):
        path.unlink()
    (house.folder / ".runbook" / "state.db").write_bytes(b"junk" * 2000)
    assert "10" in names(offered("positions"))
    assert offered("incidents") == []


def test_nothing_is_written_while_completing(here: Path) -> None:
    before = sorted(here.rglob("*"))
    completing.playbooks("")
    for what in EVERYTHING:
        offered(what)
    assert sorted(here.rglob("*")) == before


def test_hostile_texts_stay_on_one_line(house: House) -> None:
    hostile = "x\x1b]0;owned\x07\nsecond $(id) `id`"
    house.site.record(house.site.event("incident.opened", {"id": 1, "title": hostile, "severity": "P1"}))
    [(number, told)] = [one for one in offered("incidents") if not isinstance(one, str)]
    assert number == "1"
    assert "\n" not in told and "\x1b" not in told and len(told) <= 70


def completed(house: House, line: str, shell: str = "bash") -> list[str]:
    """What the shell is told for this line, whose last word is being typed."""
    words = line.split(" ")
    variables = {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1), "_TYPER_COMPLETE_ARGS": line}
    done = subprocess.run(
        [RUNBOOK], cwd=house.folder, text=True, capture_output=True, timeout=30, check=True,
        env={**os.environ, **variables, "_RUNBOOK_COMPLETE": f"complete_{shell}"},
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_the_shell_is_told_really(house: House) -> None:
    assert completed(house, "runbook ramp -e production ")[:2] == ["50", "full@50"]
    assert completed(house, "runbook status -e pro") == ["production"]
    assert completed(house, "runbook gate ") == ["off", "canary", "full"]
    assert completed(house, "runbook sign ver") == ["verified_by"]
    house.rollback()
    [operation] = completed(house, "runbook explain ")
    assert completed(house, f"runbook history --operation {operation[:3]}") == [operation]


def test_zsh_is_told_the_help_too(house: House) -> None:
    assert any('"50":"next"' in line for line in completed(house, "runbook ramp ", "zsh"))


def test_a_broken_playbook_is_silent_in_the_shell(house: House) -> None:
    (house.folder / "playbooks" / "checkout.yaml").write_text("runbook: 1\nservice: [")
    assert completed(house, "runbook ramp ") in ([], [""])  # bash splits an empty line into nothing
