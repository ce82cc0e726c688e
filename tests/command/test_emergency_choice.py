"""Which environment an emergency is about, when nobody says it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command.project import AT_FIRST, FLAGS, Project, Ran

URL = "url: http://127.0.0.1:PORT"
ONE = f"{{{URL}, flags_in: {{env: NAME.env}}, redeploy: {{command: [sh, restart.sh]}}, protected: PROTECTED}}"


def places(**protected: bool) -> str:
    return "".join(
        f"\n  {name}: {ONE.replace('NAME', name).replace('PROTECTED', str(guarded).lower())}"
        for name, guarded in protected.items()
    )


@pytest.fixture
def three(project: Project) -> Project:
    """A project with three environments at their safe flags; one of them is protected."""
    project.write(environments=places(dev=False, staging=False, live=True), verify="\n  - {check: Up, http: /health}")
    for name in ("dev", "staging", "live"):
        (project.folder / f"{name}.env").write_text(FLAGS)
    project.flags.unlink()
    return project


def alarm(project: Project, *more: str) -> Ran:
    return project.json("rollback", "--emergency", "--yes", *more)


def flags(project: Project, name: str) -> Path:
    return project.folder / f"{name}.env"


@pytest.mark.parametrize("name", ["dev", "live"])
def test_the_one_that_is_not_safe_also_when_it_is_protected(three: Project, name: str) -> None:
    flags(three, name).write_text(AT_FIRST)
    ran = alarm(three)
    assert ran.code == 0 and ran.document["environment"] == name
    assert flags(three, name).read_text() == FLAGS


def test_none_is_unsafe_so_the_commands_are_named(three: Project) -> None:
    ran = alarm(three)
    assert ran.code == 0 and three.restarts() == 0
    for name in ("dev", "staging", "live"):
        assert any(f"-e {name}" in line for line in ran.document["next"])
    assert alarm(three, "-e", "live").code == 0 and three.restarts() == 1, "named, it is done all the same"


def test_several_are_listed_with_the_exact_commands(three: Project) -> None:
    for name in ("dev", "live"):
        flags(three, name).write_text(AT_FIRST)
    ran = alarm(three)
    assert ran.code == 2
    wanted = {f"runbook rollback --emergency -e {name} --yes" for name in ("dev", "live")}
    assert {line.split("  ")[0] for line in ran.document["next"]} == wanted
    assert three.restarts() == 0
    assert alarm(three, "-e", "dev").code == 0
    assert flags(three, "live").read_text() == AT_FIRST
    assert alarm(three).document["environment"] == "live", "it is the only one now"


@pytest.mark.parametrize("how", ["missing", "folder", "binary"])
def test_a_file_that_cannot_be_read_is_not_safe(three: Project, how: str) -> None:
    path = flags(three, "staging")
    path.unlink()
    if how == "folder":
        path.mkdir()
    elif how == "binary":
        path.write_bytes(b"\x00\xff" * 4000)
    ran = alarm(three)
    assert ran.document["environment"] == "staging" and ran.code == 4
    assert three.restarts() == 1


def test_a_key_that_is_missing_is_not_safe(three: Project) -> None:
    flags(three, "dev").write_text("RANKER_SHARE=0\n")
    ran = alarm(three)
    assert ran.document["environment"] == "dev" and ran.code == 0
    assert flags(three, "dev").read_text() == "RANKER_SHARE=0\nRANKER_MODEL=plain\n"


def test_a_value_that_means_the_same_is_safe(three: Project) -> None:
    flags(three, "dev").write_text("RANKER_SHARE=0.0\nRANKER_MODEL='plain'\n")
    assert alarm(three).code == 0 and three.restarts() == 0


def test_a_sandbox_that_is_not_up_is_left_out(three: Project) -> None:
    three.write(
        environments=places(dev=False, live=True) + "\n  practice: {sandbox: true, bake_scale: 0.01}",
        verify="\n  - {check: Up, http: /health}",
    )
    flags(three, "dev").write_text(AT_FIRST)
    assert alarm(three).document["environment"] == "dev"


def test_the_only_one_is_taken_and_nothing_asked(project: Project) -> None:
    project.flags.rename(project.folder / "live.env")
    project.write(environments=places(live=True), verify="\n  - {check: Up, http: /health}")
    assert alarm(project).code == 0


def test_an_environment_that_is_not_there(three: Project) -> None:
    ran = alarm(three, "-e", "liv")
    assert ran.code == 2 and "live" in ran.document["message"] + str(ran.document["next"])


def test_a_setting_names_it_too(three: Project) -> None:
    for name in ("dev", "live"):
        flags(three, name).write_text(AT_FIRST)
    ran = three.json("rollback", "--emergency", "--yes", env={"RUNBOOK_ENV": "live"})
    assert ran.code == 0 and ran.document["environment"] == "live"
    assert flags(three, "dev").read_text() == AT_FIRST


def test_two_playbooks_and_none_named(three: Project) -> None:
    (three.playbook.parent / "second.yaml").write_text("runbook: 1\nservice: second\nenvironments: {local: {}}\n")
    ran = alarm(three)
    assert ran.code == 2 and "-p" in str(ran.document["next"]) and "ranker" in ran.document["message"]


def test_all_its_kits_stand_in_for_a_playbook_that_is_gone(three: Project) -> None:
    for name in ("dev", "live"):
        more = ["--confirm", "live"] if name == "live" else ["--yes"]
        assert three.run("ramp", "10", "-e", name, *more).code == 0
    three.playbook.unlink()
    assert alarm(three).code == 2, "both are unsafe"
    assert alarm(three, "-e", "live").code == 0
    assert alarm(three).document["environment"] == "dev"
    assert flags(three, "dev").read_text() == FLAGS == flags(three, "live").read_text()
