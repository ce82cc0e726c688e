"""Whole playbooks that are right: what each section becomes."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import msgspec
import pytest

from runbook.checks.base import Check
from runbook.playbook.load import from_plain, load_playbook
from runbook.playbook.model import Bake, FlagPlace, Playbook, Redeploy, Rung, SignOff
from tests.places import PROJECT, shared
from tests.playbook.reads import SMALL, load_text, read_well

STAGES = """\
stages:
  - {stage: dark}
  - {stage: few, percent: 10, set: {SOUP_MODEL: 0777}, bake: 24h..48h, requires: first}
  - {stage: many, percent: [50, {to: 100, bake: {for: 7d, sampled: 90%}}]}
checklists: {first: [{check: Ready to go, all: [{check: Up, http: /}, {check: "Agreed?", sign: true, id: yes_sir}]}]}
"""


def test_the_example_of_the_contract_loads(tmp_path: Path) -> None:
    source = shared("contract/scenario.py").read_text()
    text = re.search(r'PLAYBOOK = """\\\n(.*?)"""', source, re.DOTALL)
    assert text is not None
    loaded = load_text(tmp_path, text[1] % {"port": 8080})
    assert loaded.problems == []
    assert loaded.playbook is not None
    assert [stage.name for stage in loaded.playbook.stages] == ["dark", "tasters", "tables"]
    assert loaded.playbook.rollback is not None and loaded.playbook.rollback.objective == 60


@pytest.mark.parametrize("path", sorted((PROJECT / "playbooks").glob("[!b]*.yaml")), ids=lambda path: path.stem)
def test_shipped_playbooks_load_without_a_warning(path: Path) -> None:
    loaded = load_playbook(path, PROJECT)
    assert [str(problem) for problem in loaded.problems if "may write" not in problem.message] == []
    assert loaded.playbook is not None


def test_flags_keep_the_text_as_written(tmp_path: Path) -> None:
    safe = (
        "{P: 0, A: false, B: 0777, C: 0.050, D: no, E: 12:30:45, F: 1_000, G: '', H: \"x y\", I: null, J: 2025-12-20}"
    )
    playbook = read_well(tmp_path, f"runbook: 1\nservice: soup\nflags: {{percent: P, safe: {safe}}}\n")
    assert playbook.flags is not None
    assert playbook.flags.safe == {
        "P": "0", "A": "false", "B": "0777", "C": "0.050", "D": "no", "E": "12:30:45", "F": "1_000", "G": "",
        "H": "x y", "I": "null", "J": "2025-12-20",
    }  # fmt: skip
    assert playbook.plain["flags"]["safe"] == playbook.flags.safe
    assert playbook.rollback is not None and playbook.rollback.set == playbook.flags.safe


def test_stages_and_rungs(tmp_path: Path) -> None:
    dark, few, many = read_well(tmp_path, SMALL + STAGES).stages
    assert dark.rungs == (Rung(percent=0.0),)
    assert few.rungs == (Rung(percent=10.0),)
    assert few.bake == Bake(at_least=86400, recommended=172800)
    assert few.set == {"SOUP_MODEL": "0777"} and few.requires == ("first",)
    assert many.rungs == (Rung(percent=50.0), Rung(percent=100.0, bake=Bake(at_least=604800, sampled=0.9)))


def test_a_fraction_is_named(tmp_path: Path) -> None:
    text = SMALL.replace("percent: SOUP_PERCENT", "percent: {name: SOUP_PERCENT, as: fraction}").replace(
        ": 0,", ": 0.0,"
    )
    flags = read_well(tmp_path, text).flags
    assert flags is not None and flags.fraction and flags.safe["SOUP_PERCENT"] == "0.0"


def test_ids_come_from_titles_and_lists(tmp_path: Path) -> None:
    playbook = read_well(tmp_path, SMALL + STAGES)
    (ready,) = playbook.checklists["first"]
    assert (ready.id, ready.full_id, ready.kind) == ("ready_to_go", "first/ready_to_go", "all")
    assert [check.full_id for check in ready.checks] == ["first/up", "first/yes_sir"]
    assert playbook.verify[0].full_id == "verify/up"


def test_environments(tmp_path: Path) -> None:
    text = """
runbook: 1
service: soup
flags: {safe: {A: 0}}
environments:
  far: {url: "https://soup.example.com", flags_in: [{env: a.env}, {env: b.env, write: in_place}], protected: true,
        redeploy: {systemd: soup, timeout: 2m, verify_within: 1m, settle: 5s, passes: 3}, variables: {PORT: 0080}}
  play: {sandbox: true, bake_scale: 0.001}
"""
    far, play = read_well(tmp_path, text).environments.values()
    assert far.flags_in == (FlagPlace(kind="env", path="a.env"), FlagPlace(kind="env", path="b.env", in_place=True))
    assert far.protected and far.variables == {"PORT": "0080"} and far.name == "far"
    assert isinstance(far.redeploy, Redeploy)
    assert (far.redeploy.verify_within, far.redeploy.settle, far.redeploy.passes) == (60, 5, 3)
    assert (far.redeploy.action.kind, far.redeploy.action.timeout, far.redeploy.action.title) == (
        "systemd",
        120,
        "Redeploy",
    )
    assert play.sandbox and play.bake_scale == 0.001 and play.url is None


def test_the_way_back(tmp_path: Path) -> None:
    text = (
        SMALL
        + """
rollback:
  set: {SOUP_PERCENT: 0}
  steps:
    - {do: Flush, http: /flush, method: POST, undo: {run: warm-up}, critical: false, when: "percent > 0"}
    - {check: Flushed, http: /cache, jq: .size, expect: "== 0", level: warn, attempts: 3, only: local}
  incident: high
severities: {P0: {respond: 0m, when: "incidents > 2"}, medium: {respond: 1h}}
on_error: fail
"""
    )
    playbook = read_well(tmp_path, text)
    assert playbook.rollback is not None
    flush, flushed = playbook.rollback.steps
    assert playbook.rollback.set == {"SOUP_PERCENT": "0"} and playbook.rollback.incident == "P1"
    assert not isinstance(flush, Check) and flush.undo is not None and flush.undo.kind == "run"
    assert (flush.critical, flush.when) == (False, "percent > 0")
    assert isinstance(flushed, Check)
    assert (flushed.level, flushed.attempts, flushed.only, flushed.expect) == ("warn", 3, ("local",), "== 0")
    assert {name: severity.respond for name, severity in playbook.severities.items()} == {"P0": 0.0, "P2": 3600.0}
    assert (playbook.on_error, playbook.on_nodata) == ("fail", "hold")


def test_gates_and_triggers(tmp_path: Path) -> None:
    text = (
        SMALL
        + """
metrics:
  slow: {http: /n, jq: .slow, unit: ms, interval: 10s, is: gauge, min_samples: 5}
  cap: {value: 50, unit: usd}
  complaints: {counter: complaint}
stages:
  - stage: few
    percent: 10
    gates:
      - slow < 2s
      - {gate: complaints < 3, as: guardrail, on_nodata: pass, min_samples: 20, override: true}
      - {sign: No critical bug reported, valid: 1d}
      - {check: Soup was tasted, sign: true}
    triggers: [{when: "slow > 3s for 5m", then: auto_rollback, keep: 2m}, {when: up fails for 1m, then: page}]
"""
    )
    (few,) = read_well(tmp_path, text).stages
    first, second, third, fourth = few.gates
    assert first.condition == "slow < 2s" and second.as_ == "guardrail" and second.min_samples == 20
    assert third.sign is not None and third.sign.full_id == "few/no_critical_bug_reported"
    assert third.title == "No critical bug reported" and fourth.title == "Soup was tasted"
    assert [trigger.then for trigger in few.triggers] == ["auto_rollback", "page"]
    assert few.triggers[0].keep == 120


def test_numbers_stand_as_written_where_text_is_wanted(tmp_path: Path) -> None:
    text = SMALL + "checklists: {a: [{check: 12:30, command: [sleep, 0.10, 5, true], reads: true, timeout: 1m}]}\n"
    (check,) = read_well(tmp_path, text).checklists["a"]
    assert check.title == "12:30" and list(check.options.command) == ["sleep", "0.10", "5", "true"]


def test_plain_data_makes_the_same_playbook_again(tmp_path: Path) -> None:
    playbook = read_well(tmp_path, SMALL + STAGES)
    kept = msgspec.json.decode(msgspec.json.encode(playbook.plain))
    again = from_plain(kept, playbook.path, emergency=False)
    assert again.playbook == playbook and again.problems == []


def test_the_digest_follows_the_meaning_and_not_the_spelling(tmp_path: Path) -> None:
    first = read_well(tmp_path, SMALL)
    assert re.fullmatch("[0-9a-f]{64}", first.digest) and first.digest != hashlib.sha256(SMALL.encode()).hexdigest()
    assert read_well(tmp_path, "# soup\n" + SMALL).digest == first.digest
    assert read_well(tmp_path, SMALL.replace("none", "nil")).digest != first.digest


def test_a_service_that_is_only_operated_needs_no_flags(tmp_path: Path) -> None:
    playbook = read_well(tmp_path, "runbook: 1\nservice: soup\nmetrics: {a: {value: 1}}\n")
    assert isinstance(playbook, Playbook) and playbook.flags is None and playbook.rollback is None
    assert playbook.title == "soup" and SignOff(role="x").not_role is None
