"""After a way back: staying until the numbers have recovered too. It never changes how the way back ended."""

from __future__ import annotations

import sys

from runbook.cli.options import Format, Shared
from runbook.cli.talk import Growing, can_ask, show
from runbook.language.durations import show_duration
from runbook.rollout.recovery import WatchedRecovery, time_for_recovery, watch_recovery
from runbook.rollout.site import Site
from runbook.show.answer import Answer
from runbook.show.page import Line, Page
from runbook.show.printing import is_terminal


def stay_for_recovery(shared: Shared, site: Site, answer: Answer, *, asked: bool) -> Answer:
    """Watch recovery where that was asked for, or on a terminal; the answer gets what came of it, and nothing else."""
    here = can_ask() and is_terminal(sys.stdout)
    condition = site.playbook.rollback.recovered if site.playbook.rollback else None
    if not condition:
        if asked:
            _tell(answer, WatchedRecovery(None, "nothing to watch: the playbook has no `recovered` under rollback"))
        return answer
    if not (asked or here):
        return answer
    if not shared.quiet:  # a person waits for the verdict, not for the numbers
        show(shared, _before_the_end(answer.page))
        if here and shared.format is Format.TABLE and shared.output is None:
            answer.page = Page([block for block in answer.page.blocks if _typed(block)])
    _tell(answer, _watched(shared, site))
    return answer


def _watched(shared: Shared, site: Site) -> WatchedRecovery:
    for_long = show_duration(time_for_recovery(site))
    line = Growing(shared, f"Watching recovery for up to {for_long} (Ctrl-C leaves, nothing is lost): ")
    try:
        return watch_recovery(site, line)
    except KeyboardInterrupt:
        return WatchedRecovery(False, "left")
    except Exception as error:  # the way back is done: nothing that goes wrong from here on may say otherwise
        return WatchedRecovery(None, f"it could not be watched: {error or type(error).__name__}")
    finally:
        line.end()


def _typed(block: object) -> bool:
    return isinstance(block, Line) and block.typed


def _before_the_end(page: Page) -> Page:
    """The page without what to type, which comes when the watching has ended."""
    return Page([block for block in page.blocks if not _typed(block)])


def _tell(answer: Answer, watched: WatchedRecovery) -> None:
    answer.lists["recovered"] = watched.recovered
    said = Page()
    said.line(f"Recovery: {watched.message}.", indent=2)
    blocks = answer.page.blocks
    at = next((number for number, block in enumerate(blocks) if _typed(block)), len(blocks))
    blocks[at:at] = said.blocks
