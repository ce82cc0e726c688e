"""A value in a shell line stays a value: tried with real shells, and a canary file that must never appear."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from runbook.system.secrets import VariableTrouble
from runbook.system.variables import Variables
from tests.places import shared

SHELLS = [shell for shell in ("/bin/sh", "/bin/bash") if Path(shell).exists()]

ATTACKS = [
    "plain",
    "two words",
    "$(touch canary)",
    "`touch canary`",
    "; touch canary",
    "| touch canary",
    "& touch canary &",
    "\ntouch canary\n",
    "' ; touch canary ; '",
    '" ; touch canary ; "',
    '"; touch canary; echo "',
    "\\",
    "\\\\",
    "'",
    '"',
    "$HOME",
    "${IFS}",
    "*",
    "~",
    "-n",
    "--",
    "!!",
    "#",
    "a\tb",
    "a[$(touch canary)]",
    "x); touch canary; (",
    "%s%n",
    "é\u202e",
    "{{7*7}}",
    "EOF\ntouch canary\nEOF",
]

# Lines that print exactly the value, wherever it stands.
PLACES = [
    "printf %s ${V}",
    'printf %s "${V}"',
    "printf %s\\\\n ${V} | head -c -1",
    'a=${V}; printf %s "$a"',
    'printf %s "$(printf %s ${V}; echo .)" | head -c -1',
    'printf %s "$(printf %s "${V}"; echo .)" | head -c -1',
    "x='a b'; printf %s ${V} # not 'this ${V}",
    'echo "it\'s" >/dev/null; printf %s ${V}',
    'case x in x) printf %s "${V}";; esac',
    '( printf %s "${V}" )',
    "printf %s \\\n ${V}",
    'if [ "${V}" = "${V}" ]; then printf %s ${V}; fi',
]

REFUSED = [
    "echo '${V}'",
    "echo 'a'\"'\"'${V}'",
    "echo $((${V} + 1))",
    'echo "$((1 + ${V}))"',
    "((x = ${V}))",
    "[[ ${V} -eq 1 ]]",
    "echo `echo ${V}`",
    'echo "`echo ${V}`"',
    "echo $${X:-${V}}",
    "echo \\${V}",
    'echo "\\${V}"',
    "cat <<EOF\n${V}\nEOF",
    "cat <<-'EOF'\n${V}\nEOF",
    "echo $'${V}'",
]


def run(shell: str, line: str, value: str, folder: Path) -> str:
    script, additions = Variables(process={"V": value}).shell(line)
    done = subprocess.run(
        [shell, "-c", script], cwd=folder, env={"PATH": "/usr/bin:/bin", **additions}, capture_output=True, check=False
    )
    assert done.returncode == 0, (line, value, done.stderr)
    return done.stdout.decode()


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("line", PLACES)
def test_a_value_comes_out_as_it_went_in(shell: str, line: str, tmp_path: Path) -> None:
    for value in ATTACKS:
        assert run(shell, line, value, tmp_path).rstrip("\n.") == value.rstrip("\n."), value
        assert not (tmp_path / "canary").exists(), value


def test_naughty_strings_in_one_shell(tmp_path: Path) -> None:
    naughty = json.loads(shared("corpora/fuzzseeds/minimaxir__big-list-of-naughty-strings__blns.json").read_text())
    values = [value for value in naughty if "\0" not in value]
    assert len(values) > 400
    names = {f"V{number}": value for number, value in enumerate(values)}
    line = "\n".join(f'printf "%s\\0" ${{{name}}}; printf "%s\\0" "${{{name}}}"' for name in names)
    script, additions = Variables(process=names).shell(line)
    environment = {"PATH": "/usr/bin:/bin", **additions}
    done = subprocess.run(["/bin/sh", "-c", script], cwd=tmp_path, env=environment, capture_output=True, check=True)
    twice = [value for value in values for _ in range(2)]
    assert done.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1] == twice
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("line", REFUSED)
def test_places_where_a_shell_would_not_read_it_safely_are_refused(line: str) -> None:
    with pytest.raises(VariableTrouble) as raised:
        Variables(process={"V": "1"}).shell(line)
    assert raised.value.hint


def test_nul_is_refused() -> None:
    for use in (Variables(process={"V": "a\0b"}).shell, Variables(process={"V": "a\0b"}).argument):
        with pytest.raises(VariableTrouble, match="NUL"):
            use("echo ${V}")


def test_the_variables_of_the_shell_have_names_of_their_own() -> None:
    script, additions = Variables(process={"LD_PRELOAD": "x"}, context={"ask:eta": "noon"}).shell(
        "echo ${LD_PRELOAD} ${ask:eta} $HOME"
    )
    assert script == 'echo "${RUNBOOK_VALUE_LD_PRELOAD}" "${RUNBOOK_VALUE_ask_eta}" $HOME'
    assert additions == {"RUNBOOK_VALUE_LD_PRELOAD": "x", "RUNBOOK_VALUE_ask_eta": "noon"}


@pytest.mark.parametrize("value", ATTACKS)
def test_an_argument_is_one_argument(value: str, tmp_path: Path) -> None:
    argument = Variables(process={"V": value}).argument("--x=${V}")
    done = subprocess.run(["printf", "%s", argument], cwd=tmp_path, capture_output=True, check=True)
    assert done.stdout.decode() == f"--x={value}"
