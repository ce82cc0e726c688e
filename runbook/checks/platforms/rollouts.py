"""Whether a rollout of Kubernetes is complete, judged on the object as the API server gives it.

The rules are those of `kubectl rollout status` (k8s.io/kubectl, pkg/polymorphichelpers/rollout_status.go), with two
more: nothing at all that runs is no complete rollout, and a StatefulSet that is updated by hand is judged as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from runbook.checks.platforms.programs import counted

# How a resource is named in a playbook, and the kind that the API server calls it.
KINDS: Mapping[str, str] = {
    "deployment": "Deployment",
    "statefulset": "StatefulSet",
    "daemonset": "DaemonSet",
    "pod": "Pod",
}
SHORT: Mapping[str, str] = {"deploy": "deployment", "sts": "statefulset", "ds": "daemonset", "po": "pod"}
_STUCK = "ProgressDeadlineExceeded"


class _Shape(msgspec.Struct, frozen=True, rename="camel"):
    pass


class Metadata(_Shape, frozen=True):
    """`generation` counts the changes of what is wanted. `deletion_timestamp` is set once somebody deletes it, while
    its pods still run.
    """

    name: str
    namespace: str = ""
    generation: int = 0
    deletion_timestamp: str | None = None


class RollingUpdate(_Shape, frozen=True):
    """`partition` of a StatefulSet: pods below this number stay as they are."""

    partition: int | None = None


class Strategy(_Shape, frozen=True):
    """How pods are replaced: RollingUpdate, Recreate or OnDelete."""

    type: str = "RollingUpdate"
    rolling_update: RollingUpdate | None = None


class Spec(_Shape, frozen=True):
    """What is wanted."""

    replicas: int | None = None
    paused: bool = False
    update_strategy: Strategy = msgspec.field(default_factory=Strategy)


class Condition(_Shape, frozen=True):
    """One condition of an object: what it is, whether it holds, and why."""

    type: str
    status: str
    reason: str = ""
    message: str = ""


class Status(_Shape, frozen=True):
    """What is: of Deployments and StatefulSets, of DaemonSets, and of Pods. What is left out is 0."""

    observed_generation: int = 0
    replicas: int = 0
    updated_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    current_revision: str = ""
    update_revision: str = ""
    desired_number_scheduled: int = 0
    updated_number_scheduled: int = 0
    number_ready: int = 0
    number_available: int = 0
    phase: str = ""
    conditions: Sequence[Condition] | None = None


class Object(_Shape, frozen=True):
    """A Deployment, StatefulSet, DaemonSet or Pod, in the parts that tell how far it is."""

    kind: str
    metadata: Metadata
    status: Status = msgspec.field(default_factory=Status)
    spec: Spec = msgspec.field(default_factory=Spec)


def wanted_pods(one: Object) -> int:
    """How many pods there should be. Of a Deployment and StatefulSet 1 where it is not said, as the API has it."""
    if one.kind == "Pod":
        return 1
    if one.kind == "DaemonSet":
        return one.status.desired_number_scheduled
    return 1 if one.spec.replicas is None else one.spec.replicas


def ready_pods(one: Object) -> int:
    """How many pods are ready."""
    if one.kind == "Pod":
        return int(not _pod(one))
    return one.status.number_ready if one.kind == "DaemonSet" else one.status.ready_replicas


def why_incomplete(one: Object) -> str:
    """Why a rollout is not complete, in words; empty where it is."""
    if one.metadata.deletion_timestamp is not None:
        return "it is being deleted"
    if one.kind == "Pod":
        return _pod(one)
    if one.metadata.generation > one.status.observed_generation:
        return "the last change of it was not taken up yet"
    if one.kind == "DaemonSet":
        return _daemon_set(one)
    return _stateful_set(one) if one.kind == "StatefulSet" else _deployment(one)


def _deployment(one: Object) -> str:
    wanted, is_ = wanted_pods(one), one.status
    if (progressing := _condition(one, "Progressing")) is not None and progressing.reason == _STUCK:
        return _with_cause(one, f"it exceeded its progress deadline: {progressing.message}")
    if is_.updated_replicas < wanted:
        paused = ", and it is paused" if one.spec.paused else ""
        return _with_cause(one, f"{is_.updated_replicas} of {wanted} replicas updated{paused}")
    if is_.replicas > is_.updated_replicas:
        return f"{counted(is_.replicas - is_.updated_replicas, 'old replica')} pending termination"
    if is_.available_replicas < is_.updated_replicas:
        return _with_cause(one, f"{is_.available_replicas} of {is_.updated_replicas} updated replicas available")
    return ""


def _stateful_set(one: Object) -> str:
    wanted, is_ = wanted_pods(one), one.status
    if is_.ready_replicas < wanted:
        return f"{is_.ready_replicas} of {wanted} replicas ready"
    strategy = one.spec.update_strategy
    partition = strategy.rolling_update.partition if strategy.rolling_update is not None else None
    if partition:
        least = max(0, wanted - partition)
        short = is_.updated_replicas < least
        return f"{is_.updated_replicas} of {least} replicas updated (partition {partition})" if short else ""
    if is_.update_revision != is_.current_revision:
        by_hand = "; OnDelete: the others are replaced when they are deleted" if strategy.type == "OnDelete" else ""
        return f"{is_.updated_replicas} of {wanted} replicas updated{by_hand}"
    return ""


def _daemon_set(one: Object) -> str:
    wanted, is_ = one.status.desired_number_scheduled, one.status
    if is_.updated_number_scheduled < wanted:
        return f"{is_.updated_number_scheduled} of {wanted} pods updated"
    return f"{is_.number_available} of {wanted} updated pods available" if is_.number_available < wanted else ""


def _pod(one: Object) -> str:
    ready = _condition(one, "Ready")
    if one.status.phase == "Running" and ready is not None and ready.status == "True":
        return ""
    said = (ready.message or ready.reason) if ready is not None else ""
    state = "it is running and not ready" if one.status.phase == "Running" else f"it is {one.status.phase or 'nowhere'}"
    return f"{state}: {said}" if said else state


def _with_cause(one: Object, why: str) -> str:
    """With what the controller says of pods that it may not create."""
    failure = _condition(one, "ReplicaFailure")
    return f"{why}; {failure.message}" if failure is not None and failure.status == "True" and failure.message else why


def _condition(one: Object, type_: str) -> Condition | None:
    return next((each for each in one.status.conditions or () if each.type == type_), None)
