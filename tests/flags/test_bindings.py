"""The fast reading of ordinary lines finds what python-dotenv finds, stretch by stretch."""

from __future__ import annotations

import io

import pytest
from dotenv.parser import parse_stream
from hypothesis import given, settings
from hypothesis import strategies as st

from runbook.flags.bindings import WINDOW, bindings_of
from tests.places import shared

PIECES = [
    "A=1", "B='x'", "export C=2", 'D="a\nb"', " E = f # c", "#x", "\n", "\r\n", "\r", "  ", "\t", "=", "'", '"', "\\",
    "export ", "export=1", "K: v", "\x0b", "\u00a0", "é=ü", "A=a'b", "A=#x", "A= #x", 'A="', "A='", "'q'=1", "A b=1",
    "A=$B", "A=`x`", "export export A=1", "\x0c", "\x85", "A", "A.b-c=1", "a=b c  ", "=x", "export A", "\ufeff",
]  # fmt: skip


def found_by_dotenv(text: str) -> list[tuple[str | None, str | None, bool]]:
    readings = [(one.key, one.value, one.error) for one in parse_stream(io.StringIO(text, newline=""))]
    return [reading for reading in readings if reading[0] is not None or reading[2]]


def found_by_us(text: str) -> list[tuple[str | None, str | None, bool]]:
    readings = [(one.key, one.value, one.error) for one in bindings_of(text)]
    return [reading for reading in readings if reading[0] is not None or reading[2]]


@settings(max_examples=1000)
@given(st.lists(st.sampled_from([*PIECES, "\n", "\n", "\n"]), max_size=14).map("".join))
def test_any_text_is_read_as_dotenv_reads_it(text: str) -> None:
    assert found_by_us(text) == found_by_dotenv(text)
    if not text.startswith("\ufeff"):
        assert "".join(one.string for one in bindings_of(text)) == text


def test_real_files_are_read_as_dotenv_reads_them() -> None:
    files = sorted(shared("corpora/dotenv").iterdir())
    texts = [path.read_bytes().decode("utf-8", "surrogateescape").replace("\0", "") for path in files]
    assert [found_by_us(text) for text in texts] == [found_by_dotenv(text) for text in texts]
    assert len(texts) > 100


@pytest.mark.parametrize("length", [WINDOW - 10, WINDOW, 3 * WINDOW])
def test_a_value_longer_than_the_window_is_read_whole(length: int) -> None:
    text = f'A=1\nLONG="{"x" * length}"\nB=2\n'
    assert found_by_us(text) == found_by_dotenv(text)


def test_a_quote_that_never_closes_stays_linear() -> None:
    text = "A='never closed\n" * 3000
    assert found_by_us(text) == found_by_dotenv(text)
