"""Settings: each value remembers where it came from, and the stronger source wins."""

from __future__ import annotations

import itertools
import os
import pwd
from pathlib import Path

import pytest

from runbook.system.refusals import Refusal
from runbook.system.settings import NAMES, Source, host_name, operator_of, read_settings, user_of_system
from tests.system.other_worlds import run_python

SOURCES = {
    Source.FILE: "from-toml",
    Source.DOTENV: "from-dotenv",
    Source.ENVIRONMENT: "from-environment",
    Source.OPTION: "from-option",
}
SUBSETS = [chosen for count in range(5) for chosen in itertools.combinations(SOURCES, count)]


@pytest.mark.parametrize("given", SUBSETS, ids=lambda given: "+".join(source.name for source in given) or "none")
def test_the_strongest_source_wins_and_is_named(given: tuple[Source, ...], tmp_path: Path) -> None:
    if Source.FILE in given:
        (tmp_path / "runbook.toml").write_text('env = "from-toml"\n')
    if Source.DOTENV in given:
        (tmp_path / ".env").write_text("RUNBOOK_ENV=from-dotenv\n")
    environment = {"RUNBOOK_ENV": "from-environment"} if Source.ENVIRONMENT in given else {}
    settings = read_settings(tmp_path, environment)
    settings = settings.with_option("env", "from-option" if Source.OPTION in given else None, "-e")
    found = settings.values["env"]
    strongest = max(given, default=Source.DEFAULT)
    assert (found.value, found.source) == (SOURCES.get(strongest), strongest)
    told = {
        Source.DEFAULT: "default",
        Source.FILE: "runbook.toml",
        Source.DOTENV: "RUNBOOK_ENV in .env",
        Source.ENVIRONMENT: "RUNBOOK_ENV in the environment",
        Source.OPTION: "option -e",
    }
    assert found.told == told[strongest]
    assert settings.get("env") == found.value


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_has_the_same_name_everywhere(name: str, tmp_path: Path) -> None:
    (tmp_path / "runbook.toml").write_text(f'{name} = "a"\n')
    assert read_settings(tmp_path, {}).get(name) == "a"
    (tmp_path / ".env").write_text(f"RUNBOOK_{name.upper()}='b'\n")
    assert read_settings(tmp_path, {}).get(name) == "b"
    assert read_settings(tmp_path, {f"RUNBOOK_{name.upper()}": "c"}).get(name) == "c"


def test_an_empty_value_is_none_at_all(tmp_path: Path) -> None:
    (tmp_path / "runbook.toml").write_text('env = "staging"\noperator = ""\n')
    (tmp_path / ".env").write_text("RUNBOOK_ENV=\n")
    settings = read_settings(tmp_path, {"RUNBOOK_ENV": ""})
    assert (settings.get("env"), settings.values["env"].source) == ("staging", Source.FILE)
    assert settings.values["operator"].source is Source.DEFAULT


def test_only_our_own_names_are_read_from_dotenv(tmp_path: Path) -> None:
    """A flag file may be called .env: nothing of it becomes a setting, and nothing is put into the environment."""
    (tmp_path / ".env").write_text("ENV=production\nENABLE_X=true\nrunbook_env=x\nRUNBOOK_ENVIRONMENT=y\n")
    settings = read_settings(tmp_path, {})
    assert all(setting.source is Source.DEFAULT for setting in settings.values.values())
    assert "ENABLE_X" not in os.environ


def test_dotenv_is_read_as_it_is_written(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text('export RUNBOOK_OPERATOR="ana ${HOME} $(id)"  # who\n')
    assert read_settings(tmp_path, {"HOME": "/root"}).get("operator") == "ana ${HOME} $(id)"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("runbook.toml", b"env = "),
        ("runbook.toml", b"env = 3\n"),
        ("runbook.toml", b'env = ["a"]\n'),
        ("runbook.toml", b"\xff\xfe"),
        ("runbook.toml", b'envv = "staging"\n'),
        ("runbook.toml", b'env = "a"\nenv = "b"\n'),
        (".env", b"RUNBOOK_ENV=\xff\xfe\n"),
    ],
)
def test_a_file_that_cannot_be_understood_is_refused_by_name(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Refusal) as refused:
        read_settings(tmp_path, {})
    assert name in refused.value.message
    assert name in refused.value.next_steps[0]


def test_the_emergency_passes_over_a_spoilt_file(tmp_path: Path) -> None:
    (tmp_path / "runbook.toml").write_text("env = ")
    (tmp_path / ".env").write_text("RUNBOOK_ENV=production\n")
    assert read_settings(tmp_path, {}, tolerant=True).get("env") == "production"


def test_a_misspelt_name_is_guessed(tmp_path: Path) -> None:
    (tmp_path / "runbook.toml").write_text('playbok = "shop"\n')
    with pytest.raises(Refusal, match="playbook"):
        read_settings(tmp_path, {})


@pytest.mark.parametrize("name", ["runbook.toml", ".env"])
def test_what_is_no_file_is_no_source(name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / name)
    assert read_settings(tmp_path, {}).get("env") is None
    (tmp_path / name).unlink()
    (tmp_path / name).mkdir()
    assert read_settings(tmp_path, {}).get("env") is None


def test_the_state_may_hold_a_password_which_no_refusal_repeats(tmp_path: Path) -> None:
    (tmp_path / "runbook.toml").write_text('state = "postgresql://ana:hunter2@db/x"\nenv = 3\n')
    with pytest.raises(Refusal) as refused:
        read_settings(tmp_path, {})
    assert "hunter2" not in refused.value.message + " ".join(refused.value.next_steps)


ROOT = os.geteuid() == 0
ME = pwd.getpwuid(os.getuid()).pw_name


@pytest.mark.parametrize(
    ("claimed", "environment", "who"),
    [
        ("ana", {"SUDO_USER": "ben"}, ("ana", "claimed")),
        (None, {"SUDO_USER": ""}, (ME, "os-user")),
        (None, {"SUDO_USER": "root"}, (ME, "os-user")),
        (None, {}, (ME, "os-user")),
    ],
)
def test_who_is_at_the_keyboard(
    claimed: str | None, environment: dict[str, str], who: tuple[str, str], tmp_path: Path
) -> None:
    settings = read_settings(tmp_path, {"RUNBOOK_OPERATOR": claimed} if claimed else {})
    assert operator_of(settings, environment) == who


def told_as(folder: Path, user: int | None, **environment: str) -> str:
    """Who it is in a process of that user, with these variables set for it and told to it."""
    code = (
        "import os, sys; from pathlib import Path\n"
        "from runbook.system.settings import operator_of, read_settings\n"
        "settings = read_settings(Path(sys.argv[1]), {})\n"
        "user = int(sys.argv[2])\n"
        "os.environ.update(word.split('=', 1) for word in sys.argv[3:])\n"
        "if user >= 0: os.setuid(user)\n"
        "print(*operator_of(settings, os.environ))\n"
    )
    words = [f"{name}={value}" for name, value in environment.items()]
    done = run_python(code, arguments=(str(folder), str(-1 if user is None else user), *words))
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_user_without_a_name_is_its_number(tmp_path: Path) -> None:
    if not ROOT:
        pytest.skip("only root can become a user without a name")
    assert told_as(tmp_path, 54321) == "uid 54321 os-user"


def test_under_sudo_it_is_the_one_who_called(tmp_path: Path) -> None:
    if not ROOT:
        pytest.skip("only root is under sudo")
    assert told_as(tmp_path, None, SUDO_USER="ben") == "ben sudo"


@pytest.mark.parametrize("name", ["SUDO_USER", "LOGNAME", "USER", "LNAME", "USERNAME"])
def test_a_variable_makes_nobody_somebody_else(name: str, tmp_path: Path) -> None:
    """For a user who is not root all of these are claims, and none of them is believed."""
    told = told_as(tmp_path, 54321 if ROOT else None, **{name: "ben"})
    assert told == ("uid 54321 os-user" if ROOT else f"{ME} os-user")


def test_user_of_system_hears_no_claim(tmp_path: Path) -> None:
    assert user_of_system({"RUNBOOK_OPERATOR": "ana"}) == (ME, "os-user")


def test_this_machine_has_a_name() -> None:
    assert host_name()
