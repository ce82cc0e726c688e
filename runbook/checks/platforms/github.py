"""`github`: the last run of a workflow passed, as the API of GitHub (or of a GitHub Enterprise Server) tells it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

from runbook.checks.base import Finding, Kind, Surroundings
from runbook.checks.findings import NotTaken, answered, failed, unknown, without_value
from runbook.checks.here.amounts import misfit
from runbook.checks.platforms.github_runs import Run, Runs, newest_own, refusal_of
from runbook.checks.platforms.programs import counted, misnamed, name_for
from runbook.checks.platforms.typed_answers import read_as
from runbook.judge.verdicts import Reason, Status
from runbook.language.durations import DurationError, parse_duration, show_duration
from runbook.system.http_messages import Request, Response, bearer
from runbook.system.http_requests import curl_line, filled
from runbook.system.secrets import VariableTrouble

_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,99}/(?!\.{1,2}\Z)[A-Za-z0-9._-]{1,100}")
_WORKFLOW = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_. -]{0,249}")
_BRANCH = re.compile(r"[^\s\x00-\x1f\x7f-\x9f~^:?*\[\\]{1,250}")
_COMMIT = re.compile(r"[0-9a-fA-F]{40}")
_AT_ONCE = 30  # runs in one answer; those of forks among them are passed over
_UNITS: Mapping[str, str | None] = {"age": "s", "attempt": "count", "value": None}


@dataclass(frozen=True)
class _Asked:
    """What is asked for, with its values put in."""

    repository: str
    workflow: str
    branch: str
    commit: str | None


class Github(Kind, frozen=True, kw_only=True):
    """The newest run counts, so one that is under way is no pass yet. Runs of forks, whose branches may have any name,
    are passed over. The value is the run's conclusion; `expect` has `age`, the time since it began, and `attempt`.
    """

    KEY: ClassVar[str] = "github"
    GIVES: ClassVar[tuple[str, ...] | None] = ("age", "attempt")
    LOOKS_AT: ClassVar[str] = "GitHub: the last run of a workflow passed"
    EXAMPLE: ClassVar[str] = (
        '{check: The build is green, github: team/enrichment, workflow: ci.yml, api: "https://github.test/api/v3"}'
    )

    github: str
    workflow: str
    branch: str = "main"
    sha: str | None = None
    newer_than: str | None = None
    token: str | None = None
    api: str = "https://api.github.com"

    def problems(self) -> list[str]:
        """What is wrong with the options beyond their types."""
        found = misnamed("github", self.github, _REPOSITORY, "OWNER/REPOSITORY")
        found += misnamed("workflow", self.workflow, _WORKFLOW, "ci.yml, the name of its file")
        found += misnamed("branch", self.branch, _BRANCH, "main")
        if self.sha is not None:
            found += misnamed("sha", self.sha, _COMMIT, "the 40 digits of a commit")
        try:
            parse_duration(self.newer_than or "1s")
        except DurationError as trouble:
            found.append(f"newer_than: {trouble}")
        if "$" not in self.api and not re.match(r"https?://", self.api):
            found.append("api is the URL of the API: https://HOST/api/v3 for a GitHub Enterprise Server")
        return found

    def by_hand(self, url: str | None) -> str:
        request = self._request(_Asked(self.github, self.workflow, self.branch, self.sha), plain="${}")
        return curl_line(replace(request, headers={**self._token_header(), **request.headers}), url)

    async def look(self, around: Surroundings) -> Finding:
        if (refused := misfit(around, _UNITS)) is not None:
            return refused
        try:
            asked = self._asked(around)
            request = filled(self._request(asked), around.url, around.variables, around.masker)
            request = request and replace(request, authorization=self._authorization(around))
        except VariableTrouble as trouble:
            return without_value(trouble)
        except NotTaken as trouble:
            return unknown(trouble.message)
        answer = await answered(request, around)
        if isinstance(answer, Finding):
            return answer
        if answer.status != 200:
            return unknown(refusal_of(answer, asked.repository, asked.workflow), observed=str(answer.status))
        try:
            runs = read_as(answer.body, Runs).workflow_runs
        except NotTaken as trouble:
            return unknown(f"this does not answer as GitHub does: {trouble.message}")
        run = newest_own(runs, asked.repository)
        return _without_run(asked, len(runs)) if run is None else self._judge(run, answer, around)

    def _judge(self, run: Run, answer: Response, around: Surroundings) -> Finding:
        now = around.now if answer.date is None else answer.date
        age = run.age(now)
        ago = "" if age is None else f", {show_duration(age)} ago"
        what = f"run {run.run_number}{ago}: {run.html_url}"
        if run.status != "completed":
            return unknown(f"waiting: {what}", Reason.INCONCLUSIVE, run.status.replace("_", " "))
        said = (run.conclusion or "no conclusion").replace("_", " ")
        if run.conclusion != "success":
            return failed(what, said, "success")
        if self.newer_than is not None:
            if age is None:
                return unknown(f"the answer does not tell when the run began; {what}", observed=said)
            if age > parse_duration(self.newer_than):
                return failed(f"older than {self.newer_than}; {what}", f"{said}{ago}", f"newer than {self.newer_than}")
        values: dict[str, Any] = {"attempt": run.run_attempt} | ({} if age is None else {"age": age})
        units = {name: unit for name, unit in _UNITS.items() if unit is not None and name in values}
        return Finding(Status.PASS, said, message=what, value=said, values=values, units=units, at=answer.date)

    def _asked(self, around: Surroundings) -> _Asked:
        """Raises NotTaken and VariableTrouble."""
        return _Asked(
            name_for(around, "github", self.github, _REPOSITORY),
            name_for(around, "workflow", self.workflow, _WORKFLOW),
            name_for(around, "branch", self.branch, _BRANCH),
            None if self.sha is None else name_for(around, "sha", self.sha, _COMMIT),
        )

    def _request(self, asked: _Asked, plain: str = "") -> Request:
        """The request for the newest runs; the characters of `plain` stand in it as they are."""
        wanted: Sequence[tuple[str, str]] = [("branch", asked.branch)]
        if asked.commit is not None:
            wanted = [("head_sha", asked.commit)]
        query = urlencode([*wanted, ("per_page", str(_AT_ONCE))], safe=plain)
        workflow = quote(asked.workflow, safe=plain)
        return Request(
            url=f"{self.api.rstrip('/')}/repos/{asked.repository}/actions/workflows/{workflow}/runs?{query}",
            headers={"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"},
        )

    def _authorization(self, around: Surroundings) -> str | None:
        """Raises VariableTrouble."""
        token = "" if self.token is None else around.variables.text(self.token)
        around.masker.learn(token)
        return bearer(token) if token else None

    def _token_header(self) -> dict[str, str]:
        return {} if self.token is None else {"Authorization": f"Bearer {self.token}"}


def _without_run(asked: _Asked, others: int) -> Finding:
    """Nothing is known; runs that were answered are those of `others`, and do not count."""
    where = f"commit {asked.commit[:10]}" if asked.commit else asked.branch
    said = f"no run of {asked.workflow} on {where}"
    if others:
        whose = "another repository (fork)" if others == 1 else "other repositories (forks)"
        said += f"; {counted(others, 'run')}, but of {whose}"
    return unknown(said, Reason.NODATA)
