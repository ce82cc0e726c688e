"""Signs that a shell line, or a program, cannot fail: read, never run."""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Sequence

# Programs that end with 0 whatever they are told or fed.
_NEVER_FAIL = frozenset({"true", ":", "echo", "printf", "sleep", "date", "pwd", "whoami", "hostname", "uname"})
# At the end of a pipe these pass on what came, and hide how what came before them ended.
_PASS_ON = frozenset({"tee", "cat", "head", "tail", "sort", "uniq", "wc", "tr", "cut", "sed", "awk", "less", "nl"})
_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh"})
_DECLARE = frozenset({"export", "local", "declare", "readonly", "typeset"})
# Programs that start another one and end as it does, with how many words of their own stand before it.
_WRAPPERS = {"env": 0, "timeout": 1, "nice": 0, "nohup": 0, "time": 0, "command": 0, "exec": 0, "stdbuf": 0}
_WITH_WORD = frozenset({"-n", "-u", "-k", "-s", "-C", "-S", "--signal", "--kill-after", "--unset", "--chdir"})
_PARTS = re.compile(r"(\|\||&&|;|\||\n|&(?![>&]))")
_HIDDEN = re.compile(r"'[^']*'|\"(?:\\.|[^\"\\])*\"|\\.|`[^`]*`|(?<!\S)#[^\n]*", re.DOTALL)
_INNER = re.compile(r"\$\([^()]*\)")
_ERREXIT = re.compile(r"\s*set\s+(?:-\w+\s+)*(?:-\w*e\w*|-o\s+errexit)\b")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
MOST_GROUPS = 50  # what is nested deeper is not read
_BRANCHES = re.compile(r"\b(?:then|elif|else|fi)\b")


def sign_of_line(line: str, *, errexit: bool = False) -> str:
    """Why the exit status of a shell line says nothing; empty where no sign of that is found.

    With `errexit` (`set -e`) what fails on the way ends the line.
    """
    text, blank = _readable(line)
    if len(re.findall(r"[({]", blank)) > MOST_GROUPS:
        return ""
    errexit = errexit or _ERREXIT.match(blank) is not None
    if re.search(r"(?<![>&])&\s*$", blank):
        return "it ends in &, so nobody waits for how it ends"
    start = _last_part(blank)
    before, last = _join_before(blank[:start]), text[start:]
    alone = before in (";", "\n", "")
    if alone and (inner := _group(blank[start:])) is not None:
        return sign_of_line(last[inner[0] : inner[1]], errexit=errexit and before != "")
    if alone and re.match(r"if\b", blank[start:]):
        return _sign_of_branches(last, blank[start:])
    return _sign_of_last(last, before, errexit=errexit and before != "", pipefail="pipefail" in blank)


def sign_of_program(argv: Sequence[str]) -> str:
    """Why the exit status of a program says nothing; empty where no sign of that is found."""
    words = _unwrapped(list(argv))
    if not words:
        return ""
    name = words[0].rpartition("/")[2]
    flags = next((at for at, word in enumerate(words) if at and re.fullmatch(r"-[A-Za-z]*c", word)), None)
    if name in _SHELLS and flags is not None:
        return sign_of_line(words[flags + 1], errexit="e" in words[flags]) if flags + 1 < len(words) else ""
    return f"{name} never fails" if name in _NEVER_FAIL else _sign_of_curl(name, words)


def counts_things(line: str) -> bool:
    """Whether a shell line prints how many there are of something: it ends in `wc -l`, or in `grep -c`."""
    text, blank = _readable(line)
    _, words = _program(text[_last_part(blank) :])
    name, options = (words[0].rpartition("/")[2], words[1:]) if words else ("", [])
    if name == "wc":
        plain = [word for word in options if not word.startswith("<")]
        return bool(options) and re.fullmatch(r"-[lwcm]", options[0]) is not None and "<" not in plain
    return name == "grep" and any(re.fullmatch(r"-\w*c\w*|--count", word) for word in options)


def _readable(line: str) -> tuple[str, str]:
    """The line without comments; and as long a one in which what is quoted, or run inside of it, is blanked."""
    blank = _HIDDEN.sub(lambda found: (" " if found[0][0] == "#" else "q") * len(found[0]), line)
    text = "".join(
        " " if is_blank == " " and letter != "\n" else letter for letter, is_blank in zip(line, blank, strict=True)
    )
    while (inner := _INNER.sub(lambda found: "q" * len(found[0]), blank)) != blank:
        blank = inner
    end = len(blank.rstrip("; \t\n"))
    start = len(blank[:end]) - len(blank[:end].lstrip())
    return text[start:end], blank[start:end]


def _last_part(blank: str) -> int:
    """Where the last command begins; a group or an `if` that ends the line is one command."""
    places = [found.end() for found in _PARTS.finditer(blank)]
    if blank.endswith((")", "}")):
        pair = ("(", ")") if blank.endswith(")") else ("{", "}")
        depth = 0
        for at in range(len(blank) - 1, -1, -1):
            depth += (blank[at] == pair[1]) - (blank[at] == pair[0])
            if depth == 0:
                places = [place for place in places if place <= at]
                break
    if re.search(r"(?<![\w-])fi$", blank) and len(opened := re.findall(r"(?:^|[;\n]\s*)if\b", blank)) == 1:
        places = [place for place in places if place <= blank.index(opened[0]) + 1]
    start = places[-1] if places else 0
    return start + len(blank[start:]) - len(blank[start:].lstrip())


def _join_before(blank: str) -> str:
    joins = _PARTS.findall(blank)
    return joins[-1] if joins else ""


def _group(blank: str) -> tuple[int, int] | None:
    """What stands inside of a group that is the whole command."""
    whole = (blank.startswith("(") and blank.endswith(")")) or (blank.startswith("{ ") and blank.endswith("}"))
    return (1, len(blank) - 1) if whole else None


def _sign_of_branches(text: str, blank: str) -> str:
    """Of an `if`: where each branch ends well whatever it is, so does the whole."""
    marks = list(_BRANCHES.finditer(blank))
    branches = [text[mark.end() : after.start()] for mark, after in itertools.pairwise(marks) if mark[0] != "elif"]
    signs = [sign_of_line(branch) for branch in branches]
    return "every branch of its if ends well" if signs and all(signs) and len(re.findall(r"\bif\b", blank)) == 1 else ""


def _sign_of_last(last: str, before: str, *, errexit: bool, pipefail: bool) -> str:
    program, words = _program(last)
    if program == "exit" and words[1:2] in ([], ["0"]) and (words[1:2] or before != "&&"):
        return "it ends in exit 0" if words[1:2] and not errexit else ""
    if before == "||" and program in _NEVER_FAIL:
        return f"|| {last.strip()} makes every end a good one"
    if before == "|" and program in _PASS_ON and not pipefail and "exit" not in last:
        return f"the status is that of {program}, at the end of the pipe: how what stands before it ended is lost"
    if before in ("&&", "||", "|") or errexit:
        return ""
    if program in _NEVER_FAIL:
        return f"it ends in {program}, which never fails"
    if program in _DECLARE and re.search(r"=[\"']?(?:\$\(|`)", last):
        return f"the status is that of {program}: how what it is given ended is lost"
    return _sign_of_curl(program, words)


def _sign_of_curl(name: str, words: Sequence[str]) -> str:
    """`curl` without `-f` takes a 500 for a good end; only of what is asked over HTTP."""
    if name != "curl" or any("://" in word and not re.search(r"https?://", word) for word in words):
        return ""
    fails = any(re.match(r"-[A-Za-z]*f|--fail|-[A-Za-z]*K|--config", word) for word in words[1:])
    return "" if fails else "curl without -f ends well whatever status is answered, a 500 too"


def _program(text: str) -> tuple[str, list[str]]:
    """The program of a simple command, and its words; without what sets variables or starts it."""
    try:
        words = shlex.split(text, comments=True)
    except ValueError:
        return "", []
    while words and (_ASSIGNMENT.fullmatch(words[0]) or words[0] in ("!", "{", "(")):
        if words[0] == "!":
            return "", []
        words = words[1:]
    words = _unwrapped(words)
    return (words[0].rpartition("/")[2], words) if words else ("", [])


def _unwrapped(words: list[str]) -> list[str]:
    """The words without `env A=1`, `timeout 5` and their like."""
    while words and (own := _WRAPPERS.get(words[0].rpartition("/")[2])) is not None:
        rest = words[1:]
        while rest and (rest[0].startswith("-") or _ASSIGNMENT.fullmatch(rest[0])):
            rest = rest[2:] if rest[0] in _WITH_WORD else rest[1:]
        words = rest[own:]
    return words
