"""Real env files, and what editors and operators make of them: the inputs of the tests in this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook.flags.changes import EditRefused
from runbook.flags.env_document import EnvDocument, parse
from tests.places import shared

UTF16 = {"allan2__dotenvy__examples__non-utf8__env-example-utf16"}


def real_files() -> list[Path]:
    """Every file of the shared corpus."""
    files = sorted(path for path in shared("corpora/dotenv").iterdir() if path.is_file())
    if len(files) < 100:
        pytest.fail(f"the corpus has only {len(files)} files")
    return files


def real_texts() -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each file that is text in an encoding that contains ASCII."""
    for path in real_files():
        if path.name not in UTF16:
            yield path.name, path.read_bytes()


def derived(data: bytes) -> Iterator[tuple[str, bytes]]:
    """The same file as other editors, systems and habits would leave it."""
    lines = data.replace(b"\r\n", b"\n").split(b"\n")
    setting = [b"=" in line and not line.lstrip().startswith(b"#") for line in lines]
    pairs = list(zip(lines, setting, strict=True))
    yield "CRLF", b"\r\n".join(lines)
    yield "mixed line breaks", b"".join(line + (b"\r\n" if n % 2 else b"\n") for n, line in enumerate(lines))
    yield "byte order mark", b"\xef\xbb\xbf" + data
    yield "no final line break", data.rstrip(b"\r\n")
    yield "key twice", data + b"\n" + data
    yield "commented twin", b"\n".join(b"#" + line + b"\n" + line if sets else line for line, sets in pairs)
    yield "trailing spaces", b"\n".join(line + b"  " for line in lines)
    yield "tabs", b"\n".join(line.replace(b"=", b"\t=\t", 1) if sets else line for line, sets in pairs)
    yield "no-break space", b"\n".join(line + b"\xc2\xa0" for line in lines)
    yield "comment behind", b"\n".join(line + b" # note" if sets else line for line, sets in pairs)
    yield "export", b"\n".join(b"export " + line if sets else line for line, sets in pairs)
    yield "not UTF-8", data + b"\n# caf\xe9\n"


def keys_of(data: bytes) -> list[str]:
    """Each key that is set, once, in the order of the file."""
    try:
        document: EnvDocument = parse(data)
    except EditRefused:
        return []
    return list(dict.fromkeys(assignment.key for assignment in document.assignments))
