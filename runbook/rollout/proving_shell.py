"""Signs that a shell line, or a program, cannot fail: read, never run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

# Programs that end with 0 whatever they are told or fed.
_NEVER_FAIL = frozenset({"true", ":", "echo", "printf", "sleep", "date", "pwd", "whoami", "hostname", "uname"})
# At the end of a pipe these pass on what came, and hide how what came before them ended.
_PASS_ON = frozenset({"tee", "cat", "head", "tail", "sort", "uniq", "wc", "tr", "cut", "sed", "awk", "less", "nl"})
_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh"})
_PARTS = re.compile(r"(\|\||&&|;|\||\n|&(?![>&]))")
_QUOTED = re.compile(r"'[^']*'|\"(?:\\.|[^\"\\])*\"|\\.")


def sign_of_line(line: str) -> str:
    """Why the exit status of a shell line says nothing; empty where no sign of that is found."""
    text = line.strip().rstrip(";").strip()
    blank = _QUOTED.sub(lambda found: "q" * len(found[0]), text)
    if re.search(r"(?<![>&])&\s*$", blank):
        return "it ends in &, so nobody waits for how it ends"
    parts = _PARTS.split(blank)
    joins, last = parts[1::2], parts[-1].strip()
    start = len(text) - len(parts[-1]) + len(parts[-1]) - len(parts[-1].lstrip())
    program, words = _program(text[start:])
    before = joins[-1] if joins else ""
    if program == "exit" and words[1:2] in ([], ["0"]) and (words[1:2] or before != "&&"):
        return "it ends in exit 0" if words[1:2] else ""
    if before == "||" and program in _NEVER_FAIL:
        return f"|| {last} makes every end a good one"
    if before == "|" and program in _PASS_ON and "pipefail" not in blank and "exit" not in last:
        return f"the status is that of {program}, at the end of the pipe: how what stands before it ended is lost"
    if before in (";", "\n", "") and program in _NEVER_FAIL:
        return f"it ends in {program}, which never fails"
    return ""


def sign_of_program(argv: Sequence[str]) -> str:
    """Why the exit status of a program says nothing; empty where no sign of that is found."""
    if not argv:
        return ""
    name = argv[0].rpartition("/")[2]
    if name in _SHELLS and "-c" in argv[1:]:
        at = list(argv).index("-c") + 1
        return sign_of_line(argv[at]) if at < len(argv) else ""
    return f"{name} never fails" if name in _NEVER_FAIL else ""


def _program(text: str) -> tuple[str, list[str]]:
    """The program of a simple command, and its words; without what sets variables before it."""
    try:
        words = shlex.split(text, comments=True)
    except ValueError:
        return "", []
    while words and (re.fullmatch(r"[A-Za-z_]\w*=.*", words[0], re.DOTALL) or words[0] in ("!", "{", "(")):
        if words[0] == "!":
            return "", []
        words = words[1:]
    return (words[0].rpartition("/")[2], words) if words else ("", [])
