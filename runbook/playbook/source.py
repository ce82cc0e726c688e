"""From a file's bytes to its text: one encoding, no characters that hide what the text says."""

from __future__ import annotations

import codecs
import re

from runbook.language.places import Place
from runbook.playbook.reading import Broken, Reading
from runbook.system.harmless import harmless

LARGEST = 1024 * 1024
MOST_HIDDEN = 20
OTHER_ENCODINGS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
PATTERNS = {"\u200d": "\u200d(?![\u2190-\u2bff\U0001f000-\U0001faff])"}
LINE_END = re.compile(r"\r\n|\r|\n")


def text_of(data: bytes, reading: Reading) -> str:
    """The text without a byte order mark. Raises Broken, with the problem noted, when it is no clean UTF-8 text."""
    start = Place(reading.file, 1, 1)
    if len(data) > LARGEST:
        raise reading.wrong(start, f"the file has {len(data):,} bytes; at most {LARGEST:,} are read")
    for mark, name in OTHER_ENCODINGS:
        if data.startswith(mark):
            raise reading.wrong(start, f"the file is written in {name}", "save it as UTF-8")
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode()
        place = place_at(before, len(before), reading.file)
        raise reading.wrong(place, f"byte {data[error.start]:#04x} is not UTF-8", "save the file as UTF-8") from None
    refuse_hidden(text, reading)
    return text


def refuse_hidden(text: str, reading: Reading) -> None:
    """Note every character that hides something; more than a few are not listed. Raises Broken when there is one.

    Text direction, zero width, control characters and line ends that editors do not show: what is reviewed would not
    be what is run (CVE-2021-42574). The joiner U+200D is let through in front of emoji only.
    """
    hidden = sorted(character for character in set(text) - set("\t\r\n") if harmless(character) != character)
    if not hidden:
        return
    found = list(re.finditer("|".join(PATTERNS.get(character, re.escape(character)) for character in hidden), text))
    for match in found[:MOST_HIDDEN]:
        place = place_at(text, match.start(), reading.file)
        hint = "delete it: it can hide what a line does"
        reading.wrong(place, f"a hidden character (U+{ord(match[0]):04X}) stands here", hint)
    if len(found) > MOST_HIDDEN:
        more = len(found) - MOST_HIDDEN
        reading.wrong(place_at(text, found[MOST_HIDDEN].start(), reading.file), f"{more:,} more hidden characters")
    if found:
        raise Broken


def place_at(text: str, offset: int, file: str) -> Place:
    """The place of the character at `offset`."""
    ends = list(LINE_END.finditer(text, 0, offset))
    return Place(file, len(ends) + 1, offset - (ends[-1].end() if ends else 0) + 1)
