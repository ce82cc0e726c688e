"""The exit status of a command where a monitoring plugin is asked for."""

from __future__ import annotations

from runbook.system.refusals import Exit

OK, WARNING, CRITICAL, UNKNOWN = 0, 1, 2, 3


def nagios_status(code: Exit, *, warns: bool = False) -> int:
    """The plugin status of an exit status: a no is critical; what is unknown, refused or broken is unknown (3).

    `warns`: something that does not count does not hold. Source: Monitoring Plugins Development Guidelines, return
    codes.
    """
    if code is Exit.GO:
        return WARNING if warns else OK
    return CRITICAL if code is Exit.NO_GO else UNKNOWN
