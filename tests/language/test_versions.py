"""What is asked of a version, and which versions it lets through."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.language.versions import VersionError, version_fits, version_of

VERSIONS = st.lists(st.integers(0, 999_999), min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts)))


@pytest.mark.parametrize(
    ("ours", "wanted", "fits"),
    [
        ("0.1.0", ">= 0.1", True),
        ("0.1.0", "== 0.1", True),
        ("0.1.0", "> 0.1", False),
        ("0.10", ">= 0.9", True),
        ("1.2.3", ">= 1, < 2", True),
        ("2.0", ">= 1, < 2", False),
        ("0.9", " >=1 ,<2 ", False),
        ("1.0", "<= 1", True),
        ("1.2.0rc1", "< 1.3", True),
    ],
)
def test_what_fits(ours: str, wanted: str, fits: bool) -> None:
    assert version_fits(ours, wanted) is fits


@pytest.mark.parametrize(
    ("wanted", "part"),
    [("", ""), ("1", "1"), (">= x", ">= x"), (">= 1,", ""), ("~= 1", "~= 1"), (">= 1.2.3.4.5", ">= 1.2.3.4.5"),
     (">= 1, newest", "newest"), (">= 12345678", ">= 12345678")],
)  # fmt: skip
def test_what_names_no_version_is_told(wanted: str, part: str) -> None:
    with pytest.raises(VersionError) as error:
        version_fits("1.0", wanted)
    assert str(error.value) == part


@given(VERSIONS, VERSIONS)
def test_the_signs_agree_with_each_other(ours: str, other: str) -> None:
    less, equal, more = (version_fits(ours, f"{sign} {other}") for sign in ("<", "==", ">"))
    assert [less, equal, more].count(True) == 1
    assert version_fits(ours, f"<= {other}") is (less or equal)
    assert version_fits(ours, f">= {other}") is (more or equal)
    assert less is (version_of(ours) < version_of(other))
