"""Runs of workflows as GitHub lists them, and what its refusals mean."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from runbook.checks.findings import NotTaken
from runbook.checks.platforms.typed_answers import moment_of, read_as
from runbook.system.clock import local_clock
from runbook.system.http_messages import Response


class Repository(msgspec.Struct, frozen=True):
    """Where a commit comes from."""

    full_name: str


class Run(msgspec.Struct, frozen=True):
    """One run. `status` is `completed` or how far it is; `conclusion` how it ended, once it has."""

    run_number: int
    status: str
    html_url: str
    conclusion: str | None = None
    run_attempt: int = 1
    run_started_at: str | None = None
    created_at: str | None = None
    head_repository: Repository | None = None

    def age(self, now: float) -> float | None:
        """Seconds since its last attempt began, as of `now`, in seconds since the epoch; None where it is not told."""
        began = moment_of(self.run_started_at) or moment_of(self.created_at)
        return None if began is None else max(0.0, now - began)


class Runs(msgspec.Struct, frozen=True):
    """A list of runs."""

    workflow_runs: Sequence[Run]


class _Complaint(msgspec.Struct, frozen=True):
    message: str = ""


def newest_own(runs: Sequence[Run], repository: str) -> Run | None:
    """The newest run of a repository's own commits. None where there is none.

    A run whose repository is told to be another one is a fork's; of one that was deleted nothing is told.
    """
    wanted = repository.lower()
    own = [run for run in runs if run.head_repository is not None and run.head_repository.full_name.lower() == wanted]
    return max(own, key=lambda run: run.run_number, default=None)


def refusal_of(answer: Response, repository: str, workflow: str) -> str:
    """Why GitHub did not give the runs, and what helps."""
    if (again := _used_up(answer)) is not None:
        return f"GitHub takes no more requests{again}; a token allows 5,000 an hour: token: ${{GITHUB_TOKEN}}"
    if answer.status == 401:
        return "GitHub does not accept the token; it has expired, or is none"
    if answer.status == 403:
        return f"the token may not read the runs of {repository} (it takes actions: read): {_said(answer)}"
    if answer.status == 404:
        return f"GitHub has no workflow {workflow} in {repository}, or shows it only with a token that may read it"
    if answer.status in (301, 302, 307, 308):
        return f"{repository} was moved; name it as it is called now"
    return f"GitHub answers with status {answer.status}: {_said(answer)}"


def _used_up(answer: Response) -> str | None:
    """When requests are taken again, in words, where the limit of requests is what refused this one."""
    if answer.status not in (403, 429):
        return None
    wait, reset = answer.header("retry-after") or "", answer.header("x-ratelimit-reset") or ""
    if answer.header("x-ratelimit-remaining") == "0" and reset.isdecimal() and len(reset) < 12:
        return f" before {local_clock(float(reset))}"
    if wait.isdecimal() and len(wait) < 8:
        return f" for {wait} s"
    return "" if answer.status == 429 or "rate limit" in _said(answer) else None


def _said(answer: Response) -> str:
    try:
        return read_as(answer.body, _Complaint).message[:150] or "without a reason"
    except NotTaken:
        return "without a reason"
