"""Standard output belongs to the tool: what code of other packages prints goes to standard error.

One JSON document may be expected on standard output, and nothing else.
"""

from __future__ import annotations

import io
import os
import sys
import threading
from typing import Any

_of_thread = threading.local()


def this_thread_is_foreign() -> None:
    """What this thread prints from now on is not ours."""
    _of_thread.foreign = True


class _Parted:
    """Standard output as the tool sees it; a foreign thread that prints meets standard error instead."""

    def __init__(self, ours: Any) -> None:
        self._ours = ours

    def __getattr__(self, name: str) -> Any:
        return getattr(sys.stderr if getattr(_of_thread, "foreign", False) else self._ours, name)


def part_output() -> None:
    """Part it, once, and before somebody keeps the stream: at the latest before a package is imported.

    Programs that a package starts inherit descriptor 1, which becomes standard error; ours goes on under another one.
    """
    ours: Any = sys.stdout
    if isinstance(ours, _Parted):
        return
    if isinstance(ours, io.TextIOWrapper) and ours is sys.__stdout__ and ours.fileno() == 1:
        ours.flush()
        lines = 1 if ours.isatty() else -1
        own = os.fdopen(os.dup(1), "w", buffering=lines, encoding=ours.encoding, errors=ours.errors)
        os.dup2(2, 1)
        ours = own
    sys.stdout = _Parted(ours)
