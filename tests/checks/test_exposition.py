"""The reader of expositions, beside the parser that Prometheus' own Python client has."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_open_metrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from runbook.checks.findings import NotTaken
from runbook.checks.monitoring.exposition import Exposed, read_exposition
from tests.places import shared

Plain = tuple[str, tuple[tuple[str, str], ...], float, float | None]


def taken(text: str | bytes, *, open_metrics: bool = False, whole: bool = False) -> list[Exposed]:
    """All samples of a text, by metric."""
    body = text.encode() if isinstance(text, str) else text
    exposition = read_exposition(body, open_metrics=open_metrics, whole=whole)
    return [sample for name in exposition.lines for sample in exposition.samples(name)]


def ours(text: str, *, open_metrics: bool = False) -> list[Plain]:
    samples = taken(text, open_metrics=open_metrics, whole=True)
    return sorted((one.name, tuple(sorted(one.labels.items())), one.value, one.at) for one in samples)


def theirs(text: str, *, open_metrics: bool = False) -> list[Plain]:
    """What the client library reads; it calls a counter `x` without the usual ending `x_total`."""
    read = read_open_metrics if open_metrics else read_text
    wanted = {line.split("{")[0].split(" ")[0] for line in text.splitlines() if not line.startswith("#")}
    found: list[Plain] = []
    for family in read(text):
        for one in family.samples:
            name = one.name if one.name in wanted or "" in wanted else one.name.removesuffix("_total")
            at = None if one.timestamp is None else float(one.timestamp)
            found.append((name, tuple(sorted(one.labels.items())), float(one.value), at))
    return sorted(found)


def corpus() -> Iterator[Path]:
    folder = shared("corpora/prometheus")
    yield from sorted(each for each in folder.iterdir() if each.suffix in (".prom", ".txt"))


def test_the_files_of_the_corpus() -> None:
    """Where both read a file they read the same, and none is read here that the library refuses."""
    read = 0
    for path in corpus():
        text = path.read_text("utf-8")
        open_metrics = text.rstrip().endswith("# EOF")
        try:
            expected = theirs(text, open_metrics=open_metrics)
        except ValueError:
            with pytest.raises(NotTaken):
                taken(text, open_metrics=open_metrics)
            continue
        assert ours(text, open_metrics=open_metrics) == expected, path.name
        read += 1
    assert read >= 5


def test_every_cut_of_a_file() -> None:
    """A text that was cut off anywhere is refused or is a beginning of the whole, never another number."""
    text = (
        shared("corpora/prometheus") / "prometheus__prometheus__cmd__promtool__testdata__metrics-test.prom"
    ).read_text()
    whole = {(one.name, tuple(one.labels.items())): one.value for one in taken(text)}
    for end in range(len(text)):
        try:
            for one in taken(text[:end]):
                assert whole[one.name, tuple(one.labels.items())] == one.value
        except NotTaken:
            pass
    lines = text.splitlines(keepends=True)
    for end in range(1, len(lines)):
        with pytest.raises(NotTaken, match="EOF"):
            taken("".join(each for each in lines[:end] if each != "\n"), open_metrics=True)


GOOD = {
    "a 1\n": ("a", {}, 1.0, None),
    "a{} 1\n": ("a", {}, 1.0, None),
    'a{b="c"}1\n': ("a", {"b": "c"}, 1.0, None),
    'a { b = "c" , d="e", }  2.5e-3  \n': ("a", {"b": "c", "d": "e"}, 0.0025, None),
    "a\t-7\t1500\n": ("a", {}, -7.0, 1.5),
    'a:b_c9{__x="é \\"q\\" \\\\ \\n {},="} 1\n': ("a:b_c9", {"__x": 'é "q" \\ \n {},='}, 1.0, None),
    '{"dotted.name",b="c"} 3\n': ("dotted.name", {"b": "c"}, 3.0, None),
    '{__name__="x",b="c"} 3\n': ("x", {"b": "c"}, 3.0, None),
    "a +Inf\n": ("a", {}, math.inf, None),
    "# a note\n\n# HELP a one\n# TYPE a gauge\na .5\r\n": ("a", {}, 0.5, None),
    "# EOF\na 1\n": ("a", {}, 1.0, None),
}


@pytest.mark.parametrize("text", GOOD)
def test_what_the_format_allows(text: str) -> None:
    name, labels, value, at = GOOD[text]
    assert taken(text) == [Exposed(name, labels, value, at)]


BAD = {
    "": "empty",
    "  \n\n": "empty",
    "a 1": "cut off",
    "a\n": "line 1",
    "a \n": "line 1",
    "ok 1\na b\n": "line 2",
    "a 1 2 3\n": "line 1",
    "a 1 1.5\n": "line 1",
    "a 1_000\n": "line 1",
    "a 0x10\n": "line 1",
    "a 1,5\n": "line 1",
    "a \u0661\n": "line 1",
    "\u00e4 1\n": "line 1",
    "9a 1\n": "line 1",
    "a-b 1\n": "line 1",
    "a1\n": "line 1",
    'a{b="c" 1\n': "line 1",
    "a{b=c} 1\n": "line 1",
    "a{b='c'} 1\n": "line 1",
    'a{b="c",,} 1\n': "line 1",
    'a{b="c" d="e"} 1\n': "line 1",
    'a{9="c"} 1\n': "line 1",
    'a{b="c"} x 1\n': "line 1",
    'a 1{b="c"} 2\n': "line 1",
    'a{b="c",b="d"} 1\n': "twice",
    'a{"x"} 1\n': "twice",
    'a{b="c\n"} 1\n': "line 1",
    '{b="c"} 1\n': "line 1",
    "a 1e3 # note\n": "line 1",
    "# TYPE a\n": "line 1",
    "# TYPE a speed\na 1\n": "speed",
    "# TYPE a gauge\n# TYPE a gauge\na 1\n": "second time",
    "a 1\n# TYPE a gauge\n": "after its samples",
    "<html><body>1</body></html>\n": "line 1",
    '{"value": 1}\n': "line 1",
}


@pytest.mark.parametrize("text", BAD)
def test_what_the_format_does_not_allow(text: str) -> None:
    with pytest.raises(NotTaken, match=BAD[text]):
        taken(text)


OPEN_BAD = {
    "a 1\n": "EOF",
    "a 1\n# EOF\na 2\n": "line 3 follows",
    "a 1\n# EOF\n\n": "follows",
    "\n# EOF\n": "line 1",
    "a  1\n# EOF\n": "line 1",
    " a 1\n# EOF\n": "line 1",
    "a 1 \n# EOF\n": "line 1",
    "a\t1\n# EOF\n": "line 1",
    "a 1\r\n# EOF\n": "line 1",
    "# a note\n# EOF\n": "line 1",
    "#TYPE a gauge\n# EOF\n": "line 1",
    "# TYPE a untyped\na 1\n# EOF\n": "untyped",
    "# TYPE a counter\n# TYPE a counter\n# EOF\n": "second time",
    "a_total 1\n# TYPE a counter\n# EOF\n": "after its samples",
    'a 1 # {x="y"}\n# EOF\n': "line 1",
    "a 1 # 5\n# EOF\n": "line 1",
    "a 1 x\n# EOF\n": "line 1",
    "# eof\n": "line 1",
}


@pytest.mark.parametrize("text", OPEN_BAD)
def test_what_open_metrics_does_not_allow(text: str) -> None:
    with pytest.raises(NotTaken, match=OPEN_BAD[text]):
        taken(text, open_metrics=True)


def test_open_metrics() -> None:
    text = """\
# TYPE a counter
# UNIT a seconds
# HELP a Seconds.
a_total{b="c"} 5 1700000000.5 # {trace="x"} 0.5 1700000000.1
a_created{b="c"} 1.7e9
# EOF"""
    assert taken(text, open_metrics=True, whole=True)[0] == Exposed("a_total", {"b": "c"}, 5.0, 1700000000.5)


def test_bytes_that_are_no_text_are_told_with_their_line() -> None:
    with pytest.raises(NotTaken, match="line 2 is not UTF-8"):
        taken(b'a 1\nb{c="\xff"} 1\n')


@pytest.mark.parametrize(
    "text",
    [
        'a{b="' + "x" * 1_000_000 + '"} 1\n',
        'a{b="' + "\\\\" * 500_000 + '"} 1\n',
        'a{b="' + '\\"' * 500_000 + "\n",
        "a{" + ",".join(f'l{i}="v"' for i in range(90_000)) + "} 1\n",
        "a{" + 'b="",' * 200_000 + "\n",
        "{" * 1_000_000,
        "a" * 1_000_000,
        "a 1 " + "2 " * 500_000,
        "a " + " " * 1_000_000 + "\n",
        "a " + "9" * 1_000_000 + "\n",
        "# TYPE " + "a" * 1_000_000 + "\n",
        "#" * 1_000_000,
        "\n" * 1_000_000,
        "a 1\n" * 250_000,
        "".join(f'requests_total{{code="{i}",path="/a/b"}} {i}\n' for i in range(25_000)),
    ],
    ids=lambda text: f"{text[:8]!r}",
)
def test_a_megabyte_is_read_within_a_second(text: str) -> None:
    """A second of this process, since the others on the machine are none of its business."""
    began = time.process_time()
    with contextlib.suppress(NotTaken):
        taken(text)
    assert time.process_time() - began < 1


names = st.from_regex(r"[a-zA-Z_:][a-zA-Z0-9_:]{0,8}", fullmatch=True)
keys = st.from_regex(r"[a-zA-Z][a-zA-Z0-9_]{0,5}", fullmatch=True)
values = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=12)


@given(names, st.dictionaries(keys, values, max_size=4), st.floats(), st.none() | st.integers(0, 10**13))
def test_what_is_written_is_read_again(name: str, labels: dict[str, str], value: float, at: int | None) -> None:
    marks = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})
    inside = ",".join(f'{key}="{text.translate(marks)}"' for key, text in labels.items())
    number = "NaN" if math.isnan(value) else str(value).replace("inf", "Inf")
    text = f"{name}{{{inside}}} {number}" + ("" if at is None else f" {at}") + "\n"
    (found,) = taken(text)
    assert (found.name, found.labels) == (name, labels)
    assert found.value == value or (math.isnan(found.value) and math.isnan(value))
    assert found.at == (None if at is None else at / 1000)


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda data: data.decode("latin-1")))
def test_no_text_breaks_it(text: str) -> None:
    for open_metrics in (False, True):
        try:
            taken(text.encode("utf-8", "replace"), open_metrics=open_metrics, whole=True)
        except NotTaken as trouble:
            assert trouble.message
