"""The kit: a way back on disk for the day on which the tool, or its playbook, is gone."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from runbook.playbook.kit import kit_path, list_kits, read_kit
from runbook.playbook.load import from_plain
from runbook.rollout.emergency import Alarm, emergency
from runbook.rollout.kit import leave_kit, sed_lines
from tests.rollout.site import ENV, PLAYBOOK, STAGES, House, make_house

SAFE = {"NEW_CART": "false", "LIMIT": "0", "PERCENT": "0"}
HOT = ENV.replace('"false"', '"true"').replace("LIMIT=0", "LIMIT=3").replace("\nPERCENT=0", "\nPERCENT=5")


def script_run(house: House) -> subprocess.CompletedProcess[str]:
    """The script, run by `sh` where the tool is not on the path."""
    script = kit_path(house.site.state_folder, house.site.slug).with_suffix(".sh")
    return subprocess.run(
        ["/bin/sh", str(script)], cwd="/", env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=30,
        check=False,
    )  # fmt: skip


def test_the_script_goes_the_whole_way_back_by_itself(tmp_path: Path) -> None:
    text = PLAYBOOK + STAGES.replace("rollback: {", 'rollback: {steps: [{do: Flush, run: "echo flushed > flushed"}], ')
    house = make_house(tmp_path, text)
    house.ramp()
    assert house.env() == HOT
    done = script_run(house)
    assert done.returncode == 0, done.stderr
    assert house.flags() == SAFE
    assert house.file("live.env").read_text() == house.env()
    assert house.file("flushed").exists()


def test_the_script_verifies_with_what_the_playbook_verifies_with(tmp_path: Path) -> None:
    house = make_house(tmp_path)
    leave_kit(house.site, "canary@5")
    house.file("deploy.sh").write_text("echo a redeploy that does nothing")
    house.file(".env").write_text(HOT)
    script = kit_path(house.site.state_folder, house.site.slug).with_suffix(".sh").read_text()
    assert "names no verify" not in script
    assert script_run(house).returncode != 0


def test_the_script_stops_where_the_redeploy_fails(tmp_path: Path) -> None:
    house = make_house(tmp_path)
    leave_kit(house.site, "canary@5")
    house.file("deploy.sh").write_text("exit 9")
    assert script_run(house).returncode == 9


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("PERCENT=5\n", "PERCENT=0\n"),
        ("PERCENT=5", "PERCENT=0"),
        ("export PERCENT=5\n", "export PERCENT=0\n"),
        ("  export\t PERCENT = 5\n", "  export\t PERCENT =0\n"),
        ('PERCENT="5"   # of the users\n', "PERCENT=0\n"),
        ("PERCENT='5'\n", "PERCENT=0\n"),
        ("PERCENT=\n", "PERCENT=0\n"),
        ("PERCENT=5\nPERCENT=10\n", "PERCENT=0\nPERCENT=0\n"),
        ("#PERCENT=5\n # PERCENT=5\n", "#PERCENT=5\n # PERCENT=5\n"),
        ("MY_PERCENT=5\nPERCENTS=5\nPERCENT_X=5\n", "MY_PERCENT=5\nPERCENTS=5\nPERCENT_X=5\n"),
        ("OTHER=PERCENT=5\n", "OTHER=PERCENT=5\n"),
        ("# a\r\nOTHER=x\r\nPERCENT=5\n", "# a\r\nOTHER=x\r\nPERCENT=0\n"),
        ("caf\xe9=1\nPERCENT=5\n", "caf\xe9=1\nPERCENT=0\n"),
    ],
)
def test_sed_sets_every_live_line_and_touches_no_other(tmp_path: Path, before: str, after: str) -> None:
    file = tmp_path / "a b.env"
    file.write_bytes(before.encode("latin-1"))
    sh = "\n".join(["set -eu", f"cd '{tmp_path}'", *sed_lines("a b.env", {"PERCENT": "0"})])
    subprocess.run(["/bin/sh", "-c", sh], check=True, timeout=30)
    assert file.read_bytes() == after.encode("latin-1")
    assert (tmp_path / "a b.env.before").read_bytes() == before.encode("latin-1")


def test_with_line_ends_of_windows_the_value_is_set_all_the_same(tmp_path: Path) -> None:
    house = make_house(tmp_path, env=HOT.replace("\n", "\r\n"))
    leave_kit(house.site, "canary@5")
    assert script_run(house).returncode == 0
    assert house.flags() == SAFE
    kept = [line for line in house.file(".env").read_bytes().split(b"\n") if b"PORT" in line or b"NAME" in line]
    assert kept == [b"PORT=8080\r", b"NAME='not ours'\r"]


@pytest.mark.parametrize(
    "value", ["a|b", "a&b", "a\\b", "a b", "$(touch pwned)", "`touch pwned`", "'", '"', "a#b", "%s", "\\1"]
)
def test_a_value_is_a_value_whatever_it_holds(tmp_path: Path, value: str) -> None:
    (tmp_path / ".env").write_text("KEY=old\nOTHER=1\n")
    sh = "\n".join(["set -eu", f"cd '{tmp_path}'", *sed_lines(".env", {"KEY": value})])
    subprocess.run(["/bin/sh", "-c", sh], check=True, timeout=30)
    assert (tmp_path / ".env").read_text() == f"KEY={value}\nOTHER=1\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == [".env", ".env.before"]


def test_a_title_never_becomes_a_line_of_the_script(tmp_path: Path) -> None:
    check = '  - {check: "Answers\\ntouch pwned\\n", http: "http://127.0.0.1:9/"}\n'
    house = make_house(tmp_path, PLAYBOOK + check + STAGES)
    leave_kit(house.site, "canary@5")
    script = kit_path(house.site.state_folder, house.site.slug).with_suffix(".sh").read_text()
    assert "Answers" in script
    assert "touch pwned" not in [line.strip() for line in script.splitlines()]


def test_the_kit_is_a_playbook_for_the_emergency(tmp_path: Path) -> None:
    house = make_house(tmp_path)
    house.ramp()
    kit = read_kit(kit_path(house.site.state_folder, house.site.slug))
    assert kit is not None
    assert (kit.position, kit.written_at, kit.playbook) == (
        "off@0",
        house.clock.now,
        ("checkout", "playbooks/checkout.yaml"),
    )
    shutil.rmtree(house.folder / "playbooks")
    loaded = from_plain(kit.sections, "kit")
    assert loaded.errors == []
    assert loaded.playbook is not None
    house.site.playbook = loaded.playbook
    house.site.environment = loaded.playbook.environments["production"]
    assert emergency(house.site, house.heard, Alarm(reason="the playbook is gone")).outcome == "done"
    assert house.flags() == SAFE
    assert house.at() == "off@0"


def test_a_kit_holds_names_of_secrets_and_never_values(tmp_path: Path) -> None:
    secrets = "secrets: {DEPLOY_TOKEN: {env: DEPLOY_TOKEN}}\n"
    text = (PLAYBOOK + STAGES).replace(
        "redeploy: {command: [sh, deploy.sh],", 'redeploy: {run: "sh deploy.sh $DEPLOY_TOKEN",'
    )
    house = make_house(tmp_path, secrets + text)
    os.environ["DEPLOY_TOKEN"] = "hunter2-hunter2"
    try:
        house.ramp()
    finally:
        del os.environ["DEPLOY_TOKEN"]
    for path in (house.site.state_folder / "kit").iterdir():
        text = path.read_text()
        assert "hunter2" not in text
        assert "DEPLOY_TOKEN" in text
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_newer_ramp_writes_a_newer_kit(tmp_path: Path) -> None:
    house = make_house(tmp_path)
    house.ramp()
    house.clock.pass_time(60)
    house.ramp()
    [kit] = list_kits(house.site.state_folder)
    assert (kit.position, kit.written_at) == ("canary@5", house.clock.now)


@pytest.mark.parametrize("spoilt", [b"", b"{", b"null", b"[]", b'{"sections": 1}', b"\xff\xfe", b"{" * 100_000])
def test_a_kit_that_cannot_be_read_is_none(tmp_path: Path, spoilt: bytes) -> None:
    house = make_house(tmp_path)
    leave_kit(house.site, "")
    path = kit_path(house.site.state_folder, house.site.slug)
    path.write_bytes(spoilt)
    assert read_kit(path) is None
    assert list_kits(house.site.state_folder) == []
    assert read_kit(path.with_name("none.json")) is None


ONE_WAY = """\
stages:
  - {stage: off, percent: 0}
  - {stage: canary, percent: 10, set: {NEW_CART: true, LIMIT: 3}}
  - {stage: moved, percent: [40, 80], set: {LIMIT: 5}, one_way: true, fallback: OWN}
  - {stage: full, percent: 100, set: {LIMIT: 9}}
rollback: {set: safe, objective: 5m, incident: P0, steps: [{do: Flush, run: "echo flushed > flushed"}]}
"""


def one_way(folder: Path, own: str, *steps: str) -> House:
    house = make_house(folder, PLAYBOOK + ONE_WAY.replace("OWN", own))
    for step in steps:
        house.ramp_to(step)
    return house


def script_of(house: House) -> str:
    return kit_path(house.site.state_folder, house.site.slug).with_suffix(".sh").read_text()


@pytest.mark.parametrize("steps", [("canary@10", "moved@40"), ("canary@10", "moved@40", "moved@80", "full@100")])
def test_past_a_one_way_stage_the_script_goes_to_its_fallback(tmp_path: Path, steps: tuple[str, ...]) -> None:
    house = one_way(tmp_path, "25", *steps)
    done = script_run(house)
    assert done.returncode == 0, done.stderr
    assert house.flags() == {"NEW_CART": "true", "LIMIT": "5", "PERCENT": "25"}
    assert house.file("flushed").exists()
    assert "to moved@25: moved is one_way, and its own fallback is to 25 %" in script_of(house)


def test_the_script_that_enters_it_tells_of_the_safe_flags_too(tmp_path: Path) -> None:
    house = one_way(tmp_path, "25", "canary@10", "moved@40")
    lines = script_of(house).splitlines()
    at = lines.index("# If it never got into moved, take these lines instead:")
    other = [line.removeprefix("# ") for line in lines[at + 1 :] if line.startswith("# sed")]
    subprocess.run(["/bin/sh", "-c", other[0]], cwd=house.folder, check=True)
    assert house.flags() == SAFE


def test_the_script_runs_its_action_and_leaves_the_flags(tmp_path: Path) -> None:
    house = one_way(tmp_path, "{do: Switch reads, run: echo switched > switched}", "canary@10", "moved@40")
    before, deploys = house.env(), house.deploys()
    done = script_run(house)
    assert done.returncode == 0, done.stderr
    assert (house.env(), house.deploys()) == (before, deploys)
    assert house.file("switched").exists() and not house.file("flushed").exists()


def test_below_it_the_script_goes_to_the_safe_flags(tmp_path: Path) -> None:
    house = one_way(tmp_path, "25", "canary@10")
    assert "# The way back of checkout in production, to the safe flags." in script_of(house)
    assert script_run(house).returncode == 0
    assert house.flags() == SAFE
