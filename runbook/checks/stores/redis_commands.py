"""The commands of Redis that only look, and what a reply means as one value."""

from __future__ import annotations

import re
from collections.abc import Sequence

from runbook.checks.answers import number_or_text
from runbook.checks.findings import NotTaken
from runbook.checks.stores.resp import Reply
from runbook.judge.verdicts import Reason

# With how many words behind them, at least and at most. Each gives one value in little time: no KEYS, no EVAL.
_LOOKS: dict[str, tuple[int, int]] = {
    **dict.fromkeys(("PING", "ECHO"), (0, 1)),
    **dict.fromkeys(("DBSIZE", "LASTSAVE", "ROLE"), (0, 0)),
    "INFO": (0, 4),
    **dict.fromkeys(("GET", "STRLEN", "TYPE", "TTL", "PTTL"), (1, 1)),
    **dict.fromkeys(("LLEN", "HLEN", "SCARD", "ZCARD", "XLEN"), (1, 1)),
    **dict.fromkeys(("HGET", "HEXISTS", "HSTRLEN", "SISMEMBER", "ZSCORE", "ZRANK", "ZREVRANK"), (2, 2)),
    **dict.fromkeys(("LINDEX", "GETBIT", "JSON.GET", "JSON.STRLEN", "JSON.ARRLEN"), (1, 2)),
    **dict.fromkeys(("GETRANGE", "ZCOUNT", "ZLEXCOUNT"), (3, 3)),
    "BITCOUNT": (1, 4),
    "EXISTS": (1, 20),
    "MEMORY USAGE": (1, 3),
    **dict.fromkeys(("OBJECT ENCODING", "OBJECT FREQ", "OBJECT IDLETIME", "OBJECT REFCOUNT"), (1, 1)),
    "CONFIG GET": (1, 1),
    **dict.fromkeys(("SLOWLOG LEN", "CLUSTER INFO", "CLUSTER MYID", "ACL WHOAMI"), (0, 0)),
    "SENTINEL CKQUORUM": (1, 1),
}
_UNITS = {
    "TTL": "s",
    "PTTL": "ms",
    "STRLEN": "bytes",
    "HSTRLEN": "bytes",
    "MEMORY USAGE": "bytes",
    "OBJECT IDLETIME": "s",
}
_TEXTS = ("INFO", "CLUSTER INFO")  # lines of NAME:VALUE
_TWO_WORDS = frozenset(name.partition(" ")[0] for name in _LOOKS if " " in name)
_NO_ONE_SETTING = re.compile(r"[*?\[]|pass|auth|secret", re.IGNORECASE)
_LONGEST = 64 << 10  # characters of a value


def name_of(command: Sequence[str]) -> str:
    """The command's name, in capitals: its first word, or two where the second is part of it."""
    first = command[0].upper() if command else ""
    return f"{first} {command[1].upper()}" if first in _TWO_WORDS and len(command) > 1 else first


def is_text(command: Sequence[str]) -> bool:
    """Whether the reply is a text of `NAME:VALUE`, out of which one has to be taken."""
    return name_of(command) in _TEXTS


def command_problem(command: Sequence[str]) -> str | None:
    """Why a command is not asked here; None for one that only looks."""
    name = name_of(command)
    if name not in _LOOKS:
        return (
            f"{name[:40] or 'an empty command'} is not among the commands that only look and give one value: "
            "GET, EXISTS, TTL, STRLEN, LLEN, HGET, SCARD, ZCARD, DBSIZE, INFO and others; a check changes nothing"
        )
    fewest, most = _LOOKS[name]
    given = len(command) - len(name.split())
    if not fewest <= given <= most:
        wanted = str(fewest) if fewest == most else f"{fewest} to {most}"
        return f"{name} takes {wanted} more {'word' if wanted == '1' else 'words'}; here are {given}"
    if name == "CONFIG GET" and _NO_ONE_SETTING.search(command[-1]):
        return "CONFIG GET is asked for one setting by its name, and for none that holds a secret"
    return None


def value_of(command: Sequence[str], reply: Reply) -> int | float | str:
    """The one value of a reply. Raises NotTaken: nothing there is no data, a list is an error."""
    if isinstance(reply, list) and reply and name_of(command) in ("ROLE", "CONFIG GET"):
        reply = reply[0] if name_of(command) == "ROLE" else reply[-1]
    if reply is None or reply == []:
        raise NotTaken("there is no such value", Reason.NODATA)
    if isinstance(reply, list):
        raise NotTaken(f"the reply is a list of {len(reply)} where one value was meant; ask for its length")
    if isinstance(reply, int):
        return _lifetime(reply) if name_of(command) in ("TTL", "PTTL") else reply
    text = text_of(reply)
    if len(text) > _LONGEST:
        raise NotTaken(f"the value is a text of {len(text)} characters; ask for its length, or for a part of it")
    return number_or_text(text)


def _lifetime(reply: int) -> int:
    """What is left of a key's life; -2 says that it is not there, -1 that it has no end. Raises NotTaken."""
    if reply == -2:
        raise NotTaken("there is no such key", Reason.NODATA)
    if reply < 0:
        raise NotTaken("the key never expires")
    return reply


def unit_of(command: Sequence[str]) -> str | None:
    """The unit of the command's number, where it has one."""
    return _UNITS.get(name_of(command))


def field_of(text: str, field: str) -> int | float | str:
    """The value of `NAME:VALUE` in a text of such lines; `db0.keys` is a part of one. Raises NotTaken."""
    name, _, part = field.partition(".")
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if colon and key.strip() == name:
            parts = dict(piece.partition("=")[::2] for piece in value.split(",")) if part else {"": value}
            if part in parts:
                return number_or_text(parts[part])
    raise NotTaken(f"there is no {field} in the reply", Reason.NODATA)


def text_of(reply: Reply) -> str:
    """A reply as text. Raises NotTaken for bytes that are none."""
    try:
        return reply.decode() if isinstance(reply, bytes) else str(reply)
    except UnicodeDecodeError:
        raise NotTaken("the value is bytes where a number or text was meant; ask for its length") from None
