"""`kubernetes`: a rollout is complete, as kubectl and the operator's own access to the cluster tell it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from runbook.checks.base import Finding, Kind, Surroundings
from runbook.checks.findings import NotTaken, Unreachable, failed, seconds_left, unknown, unreachable, without_value
from runbook.checks.here.amounts import misfit
from runbook.checks.platforms.programs import complaint_of, mentions, misnamed, name_for, without_answer
from runbook.checks.platforms.rollouts import KINDS, SHORT, Object, ready_pods, wanted_pods, why_incomplete
from runbook.checks.platforms.typed_answers import read_as
from runbook.judge.verdicts import Status
from runbook.system.processes import Finished
from runbook.system.secrets import VariableTrouble
from runbook.system.shell_words import shell_line

# Names of objects are those of DNS; names of contexts are free, and kubectl takes them after an equals sign.
_OBJECT = re.compile(r"(?:[a-z]+/)?[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")
_NAMESPACE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_CONTEXT = re.compile(r"[^\s\x00-\x1f\x7f-\x9f]{1,253}")
_LOG_LINE = re.compile(r"[EIWF]\d{4} ")  # of the client library, before the sentence that is meant for people
_SERVER = re.compile(r"""https?://(?:[^/"\\\s@]*@)?(?P<place>[^/"\\\s@]+)""")
_GONE = (
    "was refused",
    "unable to connect",
    "connection reset",
    "timed out",
    "timeout",
    "no route to host",
    "unexpected EOF",
    "(InternalError)",
    "(ServiceUnavailable)",
    "currently unable to handle",
    "TLS handshake",
    "no such host",
    "x509:",
)
_NOBODY = ("(Unauthorized)", "You must be logged in")
_UNITS = {"ready": "count", "wanted": "count", "value": "count"}
_NOWHERE = "it wants 0 pods: no node fits its node selector and tolerations; kubectl get nodes --show-labels"
_NO_KUBECTL = "install kubectl (apt install kubernetes-client, or brew install kubernetes-cli)"
_NO_CLUSTER = "kubectl knows no cluster here; set KUBECONFIG, or name one with kubeconfig or context"


@dataclass(frozen=True)
class _Place:
    """Which cluster and namespace is asked, as arguments of kubectl, and what is asked for."""

    resource: str
    name: str
    where: Sequence[str]

    @property
    def shown(self) -> str:
        return f"{self.resource}/{self.name}"


class Kubernetes(Kind, frozen=True, kw_only=True):
    """Complete is what `kubectl rollout status` calls so, with `replicas` pods ready at the least (1): what was scaled
    to nothing does not run. A pod is complete when it is ready.

    `expect` has `ready` and `wanted`, numbers of pods. A rollout that is not complete fails whatever `expect` says.
    """

    KEY: ClassVar[str] = "kubernetes"
    GIVES: ClassVar[tuple[str, ...] | None] = ("ready", "wanted")
    LOOKS_AT: ClassVar[str] = "a rollout in Kubernetes: it is complete, and so many pods are ready"
    EXAMPLE: ClassVar[str] = (
        "{check: The rollout is complete, kubernetes: deployment/enrichment-backend, namespace: production}"
    )

    kubernetes: str
    namespace: str | None = None
    context: str | None = None
    kubeconfig: str | None = None
    replicas: int = 1

    def presence(self) -> bool:
        return True

    def only_looks(self) -> bool:
        """A kubeconfig can name programs that kubectl runs to log in: not the operator's own, not in a dry run."""
        return self.kubeconfig is None

    def problems(self) -> list[str]:
        """What is wrong with the options beyond their types."""
        found = misnamed("kubernetes", self.kubernetes, _OBJECT, "deployment/web")
        kind = self.kubernetes.partition("/")[0]
        if not found and "/" in self.kubernetes and "$" not in kind and SHORT.get(kind, kind) not in KINDS:
            found.append(f"kubernetes: {kind} is not looked at; {', '.join(KINDS)} are")
        if self.namespace is not None:
            found += misnamed("namespace", self.namespace, _NAMESPACE, "production")
        if self.context is not None:
            found += misnamed("context", self.context, _CONTEXT, "staging-cluster")
        if self.kubeconfig == "":
            found.append("kubeconfig is empty: name a file")
        return found + ([f"replicas: {self.replicas} is less than none"] if self.replicas < 0 else [])

    def by_hand(self, url: str | None) -> str:
        return shell_line(["kubectl", "rollout", "status", self.kubernetes, *self._flags(), "--timeout=10s"])

    async def look(self, around: Surroundings) -> Finding:
        from runbook.checks.here.processes import run_for_check

        if (refused := misfit(around, _UNITS)) is not None:
            return refused
        try:
            place = self._place(around)
        except VariableTrouble as trouble:
            return without_value(trouble)
        except NotTaken as trouble:
            return unknown(trouble.message)
        seconds = max(1, int(seconds_left(around)))
        argv = ["kubectl", "get", place.shown, *place.where, "--output=json", f"--request-timeout={seconds}s"]
        finished = await run_for_check(argv, around, additions={"LC_ALL": "C"})
        if (nothing := without_answer(finished, _NO_KUBECTL)) is not None:
            return nothing
        if finished.exit != 0:
            refused = _refused(complaint_of(finished, _LOG_LINE), place)
            server = await _server(place, finished, around) if isinstance(refused, Unreachable) else ""
            return refused if server in refused.message else replace(refused, message=f"{refused.message} ({server})")
        try:
            return self._judge(read_as(finished.output.encode(), Object), place)
        except NotTaken as trouble:
            return unknown(f"what kubectl says is no such object: {trouble.message}")

    def _flags(self) -> list[str]:
        """Where to look, as the playbook writes it."""
        given = (("namespace", self.namespace), ("context", self.context), ("kubeconfig", self.kubeconfig))
        return [f"--{name}={value}" for name, value in given if value is not None]

    def _place(self, around: Surroundings) -> _Place:
        """Raises NotTaken and VariableTrouble."""
        written = name_for(around, "kubernetes", self.kubernetes, _OBJECT)
        kind, _, name = written.rpartition("/")
        resource = SHORT.get(kind, kind) or "deployment"
        if resource not in KINDS:
            raise NotTaken(f"kubernetes: {kind} is not looked at; {', '.join(KINDS)} are")
        where = []
        if self.namespace is not None:
            where.append(f"--namespace={name_for(around, 'namespace', self.namespace, _NAMESPACE)}")
        if self.context is not None:
            where.append(f"--context={name_for(around, 'context', self.context, _CONTEXT)}")
        if self.kubeconfig is not None:
            where.append(f"--kubeconfig={around.variables.file_name(self.kubeconfig)}")
        return _Place(resource, name, where)

    def _judge(self, one: Object, place: _Place) -> Finding:
        """Raises NotTaken where it is another object than the one asked for."""
        if one.kind != KINDS[place.resource] or one.metadata.name != place.name:
            raise NotTaken(f"it is {one.kind}/{one.metadata.name}")
        ready, wanted = ready_pods(one), wanted_pods(one)
        observed = f"{ready} of {wanted} ready"
        if why := why_incomplete(one):
            where = f" --namespace={one.metadata.namespace}" if one.metadata.namespace else ""
            return failed(f"{why}; kubectl describe {place.shown}{where} tells more", observed, "complete")
        nowhere = _NOWHERE if one.kind == "DaemonSet" and not wanted else ""
        if ready < self.replicas:
            short = nowhere or f"{ready} pods are ready, {self.replicas} are asked for"
            return failed(short, observed, f"{self.replicas} ready")
        values = {"ready": ready, "wanted": wanted}
        return Finding(Status.PASS, observed, message=nowhere, value=ready, values=values, units=dict(_UNITS))


def _refused(complaint: str, place: _Place) -> Finding:
    """What kubectl could not get: not there, not allowed, nobody answers, or no cluster to ask."""
    if "(NotFound)" in complaint and "the requested resource" not in complaint:  # that is a server of another kind
        return failed(complaint, "missing", "complete")
    if "localhost:8080" in complaint:  # the address that kubectl falls back to where nothing is configured
        return unknown(_NO_CLUSTER)
    if mentions(complaint, _NOBODY):
        return unknown(f"{complaint}; kubectl config view --minify shows as whom it asks")
    if "(Forbidden)" in complaint:
        return unknown(f"{complaint}; it takes a role that may get {place.resource}s")
    if not mentions(complaint, _GONE):
        return unknown(complaint)
    return unreachable(complaint.partition(" - did you specify")[0])


async def _server(place: _Place, finished: Finished, around: Surroundings) -> str:
    """`HOST:PORT` of the server that was asked: as kubectl told it on the way, else as its configuration has it.

    Empty where neither tells it in time.
    """
    from runbook.checks.here.processes import run_for_check

    told = finished.errors
    if _SERVER.search(told) is None:
        view = ["kubectl", "config", "view", "--minify", "--output=jsonpath={.clusters[0].cluster.server}"]
        told = (await run_for_check([*view, *place.where], around, additions={"LC_ALL": "C"})).output
    found = _SERVER.search(told)
    return found["place"] if found else ""
