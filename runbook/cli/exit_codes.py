"""`runbook exit-codes`: the table of exit statuses."""

from __future__ import annotations

import typer

from runbook.cli.boundary import command
from runbook.cli.options import Shared
from runbook.show.answer import Answer
from runbook.show.formats.status import nagios_status
from runbook.system.refusals import Exit

app = typer.Typer()

MEANING = {
    Exit.GO: "done, or all checks and gates hold",
    Exit.NO_GO: "a check, gate or rule says no; a trigger fired; nothing was broken by us",
    Exit.USAGE: "wrong arguments, an invalid playbook, or a needed answer that could not be asked",
    Exit.UNKNOWN: "nothing says no, but something could not be measured or was not answered",
    Exit.FAILED: "an action failed, a flag file could not be edited exactly, or an operation stands half done",
    Exit.BUSY: "another operator holds this service and environment right now",
    Exit.BUG: "an unexpected error of the tool; a report is kept and named",
    Exit.INTERRUPTED: "ended by Ctrl-C, after the current step was made safe",
    Exit.TERMINATED: "ended by termination, after the current step was made safe",
}


@command(app, "exit-codes")
def exit_codes(shared: Shared) -> Answer:
    """The exit statuses and what they mean, and what each becomes under --format nagios.

    Example: runbook exit-codes
    """
    answer = Answer(Exit.GO, "exit statuses")
    rows = [(int(code), code.reason, nagios_status(code), meaning) for code, meaning in MEANING.items()]
    answer.page.table(("code", "name", "nagios", "meaning"), rows)
    answer.page.line("nagios: the status under --format nagios; 1 (warning) is a go beside which a warning stands")
    answer.lists["details"] = {
        str(code): {"name": name, "meaning": meaning, "nagios": nagios} for code, name, nagios, meaning in rows
    }
    return answer
