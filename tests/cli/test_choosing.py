"""Which playbook and which environment are meant, when they are named and when they are not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runbook.cli.choosing import choose_environment, choose_playbook
from runbook.playbook.model import Environment, Playbook
from runbook.system.refusals import Refusal
from tests.places import PROJECT
from tests.rollout.site import DEPLOY, ENV, PLAYBOOK, STAGES, House, make_house

TEXT = "runbook: 1\nservice: {}\n"


def project(folder: Path, *names: str) -> Path:
    (folder / "playbooks").mkdir()
    for name in names:
        (folder / "playbooks" / f"{name}.yaml").write_text(TEXT.format(f"{name}-service"))
    return folder


def refused(root: Path, named: str | None, known: dict[str, str] | None = None) -> Refusal:
    with pytest.raises(Refusal) as caught:
        choose_playbook(root, named, known=known or {})
    return caught.value


def test_the_only_one_has_not_to_be_named(tmp_path: Path) -> None:
    chosen = choose_playbook(project(tmp_path, "shop"), None, known={})
    assert (chosen.name, chosen.path, chosen.shipped) == ("shop", tmp_path / "playbooks" / "shop.yaml", False)


@pytest.mark.parametrize("named", ["shop", "shop-service", "playbooks/shop.yaml"])
def test_by_its_name_its_service_or_its_path(tmp_path: Path, named: str) -> None:
    chosen = choose_playbook(project(tmp_path, "shop", "mail"), named, known={})
    assert (chosen.name, chosen.path) == ("shop", tmp_path / "playbooks" / "shop.yaml")


def test_of_several_one_has_to_be_named(tmp_path: Path) -> None:
    refusal = refused(project(tmp_path, "shop", "mail"), None)
    assert "several playbooks: mail, shop" in refusal.message
    assert "-p NAME" in refusal.next_steps[0]


def test_a_shipped_one_is_never_chosen_silently_but_by_its_name(tmp_path: Path) -> None:
    assert "no playbook in" in refused(tmp_path, None).message
    chosen = choose_playbook(tmp_path, "enrichment", known={})
    assert chosen.shipped
    assert chosen.path is not None


def test_the_projects_own_comes_before_a_shipped_one(tmp_path: Path) -> None:
    chosen = choose_playbook(project(tmp_path, "enrichment"), "enrichment", known={})
    assert (chosen.shipped, chosen.path) == (False, tmp_path / "playbooks" / "enrichment.yaml")


def test_one_that_is_gone_is_known_by_its_kits_and_chains(tmp_path: Path) -> None:
    known = {"shop": "shop", "playbooks/shop.yaml": "shop", "shop-service": "shop"}
    for named in (None, *known):
        chosen = choose_playbook(tmp_path, named, known=known)
        assert (chosen.name, chosen.path, chosen.shipped) == ("shop", None, False)


def test_a_misspelt_name_is_guessed(tmp_path: Path) -> None:
    assert "shop" in refused(project(tmp_path, "shop", "mail"), "shpo").message
    assert "enrichment" in refused(tmp_path, "enrichmnt").message


def runbook(house: House, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "runbook", *words], cwd=house.folder, capture_output=True, text=True, timeout=60,
        env={**os.environ, "PYTHONPATH": str(PROJECT)}, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("words", [(), ("-p", "enrichment"), ("-p", "playbooks/enrichment.yaml")])
def test_a_deleted_playbook_with_the_name_of_a_shipped_one_is_brought_back_by_its_kit(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    text = (PLAYBOOK + STAGES).replace("service: checkout", "service: enrichment")
    house = make_house(tmp_path, text, files={"deploy.sh": DEPLOY})
    (tmp_path / "playbooks" / "checkout.yaml").rename(tmp_path / "playbooks" / "enrichment.yaml")
    assert runbook(house, "ramp", "--yes").returncode == 0
    assert house.flags()["PERCENT"] == "5"
    (tmp_path / "playbooks" / "enrichment.yaml").unlink()
    done = runbook(house, "rollback", "--emergency", "--yes", *words)
    assert done.returncode == 0, done.stderr
    assert house.env() == ENV


def playbook(**environments: Environment) -> Playbook:
    return Playbook(service="shop", path="playbooks/shop.yaml", environments=environments)


STAGING, PRODUCTION = Environment(name="staging"), Environment(name="production", protected=True)
SANDBOX = Environment(name="sandbox", sandbox=True)


@pytest.mark.parametrize(
    ("environments", "named", "shipped", "chosen"),
    [
        ({"staging": STAGING}, None, False, "staging"),
        ({"staging": STAGING, "production": PRODUCTION}, "production", False, "production"),
        ({"production": PRODUCTION}, "production", False, "production"),
        ({"production": PRODUCTION, "sandbox": SANDBOX}, None, True, "sandbox"),
        ({"production": PRODUCTION, "sandbox": SANDBOX}, "sandbox", True, "sandbox"),
    ],
)
def test_the_environment_that_is_meant(
    environments: dict[str, Environment], named: str | None, shipped: bool, chosen: str
) -> None:
    assert choose_environment(playbook(**environments), named, shipped=shipped).name == chosen


@pytest.mark.parametrize(
    ("environments", "named", "shipped", "said"),
    [
        ({"production": PRODUCTION}, None, False, "production is protected and is never chosen silently"),
        ({"staging": STAGING, "production": PRODUCTION}, None, False, "several environments: staging, production"),
        ({"staging": STAGING}, "stagin", False, "staging"),
        ({}, None, False, "shop has no environments"),
        ({"production": PRODUCTION, "sandbox": SANDBOX}, "production", True, "runs in its sandbox only"),
    ],
)
def test_what_is_not_clear_is_refused(
    environments: dict[str, Environment], named: str | None, shipped: bool, said: str
) -> None:
    with pytest.raises(Refusal, match=said):
        choose_environment(playbook(**environments), named, shipped=shipped)
