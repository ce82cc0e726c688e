"""Where in the playbook a check stands."""

from __future__ import annotations

import pytest

from runbook.cli.check_places import lines_of_checks

PLAYBOOK = """\
runbook: 1
checklists:
  ready:
    - {check: One, http: /a}
    - check: "Two: quoted"
      all:
        - {check: Inner, file: x}
verify: &same
  - {check: One, http: /b}
again: *same
"""


def test_each_check_has_its_line_and_the_first_of_two_counts() -> None:
    assert lines_of_checks(PLAYBOOK) == {"One": 4, "Two: quoted": 5, "Inner": 7}


@pytest.mark.parametrize("text", ["", "[", "a: [*b]", "check: [1]", "- - - - x", "&a [*a]", "? [check]\n: x"])
def test_what_is_no_playbook_has_no_checks(text: str) -> None:
    assert lines_of_checks(text) == {}
