"""Looking with one kind as the tool would, for the tests of a package that brings it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from runbook.checks.base import Check, CheckResult, Kind, Surroundings
from runbook.checks.packages.apart import kept_apart


def look_at(
    kind: type[Kind],
    options: Mapping[str, Any],
    *,
    folder: Path | None = None,
    url: str | None = None,
    variables: Mapping[str, str] | None = None,
    seconds: float = 10.0,
) -> CheckResult:
    """The row of one check: `options` are the keys of the item in a playbook, `expect` among them where there is one.

    `folder` stands for the project's (the current one), `url` for the environment's; `seconds` is the deadline.
    Raises ValueError for options that a playbook could not hold, with what `lint` would say.
    """
    from runbook.checks.asker import Asker
    from runbook.checks.runner import look_now
    from runbook.system.variables import Variables

    own = {key: value for key, value in options.items() if key != "expect"}
    given: Any = msgspec.convert(own, kept_apart(kind, kind.__module__))
    if problems := given.problems():
        raise ValueError("; ".join(problems))
    known = Variables(declared=variables or {})
    around = Surroundings(
        project=folder or Path.cwd(),
        environment="local",
        url=url,
        variables=known,
        masker=known.masker,
        asker=Asker(),
        deadline=time.monotonic() + seconds,
        now=time.time(),
    )
    check = Check(title=kind.KEY, id=kind.KEY, kind=kind.KEY, options=given, expect=options.get("expect"))
    return look_now([check], around)[0]
