"""`kubernetes`: the real kubectl asks a scripted API server; and a kubectl that is missing, or says anything at all."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runbook.checks.base import CheckResult
from runbook.checks.platforms.kubernetes import Kubernetes
from runbook.judge.verdicts import Reason, Status
from runbook.system.variables import Variables
from tests.checks.looking import a_check, looked, surroundings
from tests.hostile import BODIES, hang
from tests.real.kube_api import KubeApi, condition, deployment, kube_api, missing, plain, said
from tests.servers import Script, answer, closed_port

STUCK = [
    condition("Available", "False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability."),
    condition("Progressing", "False", "ProgressDeadlineExceeded", 'ReplicaSet "stuck-5d4" has timed out progressing.'),
    condition("ReplicaFailure", "True", "FailedCreate", "pods is forbidden: exceeded quota: small"),
]
READY = [condition("Ready", "True")]
NOT_READY = [condition("Ready", "False", "ContainersNotReady", "containers with unready status: [app]")]


def stateful_set(name: str, strategy: dict[str, Any] | None = None, **status: Any) -> dict[str, Any]:
    full = {"replicas": 3, "readyReplicas": 3, "updatedReplicas": 3, "currentRevision": "a", "updateRevision": "a"}
    spec = {"replicas": 3, "updateStrategy": strategy or {"type": "RollingUpdate"}}
    return plain("StatefulSet", name, spec, {**full, **status})


def daemon_set(name: str, wanted: int = 4, **status: Any) -> dict[str, Any]:
    full = {"desiredNumberScheduled": wanted, "updatedNumberScheduled": wanted, "numberReady": wanted}
    return plain("DaemonSet", name, {}, {**full, "numberAvailable": wanted, **status})


def pod(name: str, phase: str, conditions: list[dict[str, Any]]) -> dict[str, Any]:
    return plain("Pod", name, {}, {"phase": phase, "conditions": conditions})


def being_deleted(one: dict[str, Any]) -> dict[str, Any]:
    """As the API server shows it after `kubectl delete --wait=false`, until its pods are gone."""
    metadata = {"deletionTimestamp": "2026-01-02T03:04:05Z", "deletionGracePeriodSeconds": 30}
    return {**one, "metadata": {**one["metadata"], **metadata, "finalizers": ["foregroundDeletion"]}}


PARTITION = {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}
OBJECTS = [
    deployment(),
    deployment("single", 1),
    deployment("asleep", 0),
    deployment("behind", updatedReplicas=2),
    deployment("untold", updatedReplicas=None, replicas=None, readyReplicas=None, availableReplicas=None),
    deployment("surplus", replicas=4),
    deployment("slow", availableReplicas=1, readyReplicas=1),
    deployment("stuck", conditions=STUCK, updatedReplicas=0, availableReplicas=0, readyReplicas=0),
    deployment("unseen", observedGeneration=3),
    stateful_set("whole"),
    stateful_set("unready", readyReplicas=2),
    stateful_set("mixed", updateRevision="b", updatedReplicas=1),
    stateful_set("parted", PARTITION, updateRevision="b", updatedReplicas=2),
    stateful_set("half-parted", PARTITION, updateRevision="b", updatedReplicas=1),
    stateful_set("by-hand", {"type": "OnDelete"}, updateRevision="b", updatedReplicas=1),
    daemon_set("everywhere"),
    daemon_set("partly", updatedNumberScheduled=3),
    daemon_set("waiting", numberAvailable=2, numberReady=2),
    daemon_set("nowhere", 0),
    pod("ready", "Running", READY),
    pod("unready", "Running", NOT_READY),
    pod("pending", "Pending", []),
    pod("done", "Succeeded", NOT_READY),
    *(being_deleted(each) for each in (deployment("ends"), stateful_set("ends"), daemon_set("ends"))),
    being_deleted(pod("ends", "Running", READY)),
]
REFUSALS: dict[str, Script] = {
    "gone": missing("Deployment", "gone"),
    "forbidden": said("Status", 403, "Forbidden", 'deployments.apps "forbidden" is forbidden: User "x" cannot get it'),
    "unknown-user": said("Status", 401, "Unauthorized", "Unauthorized"),
    "broken": said("Status", 500, "InternalError", "an error on the server"),
    "away": said("Status", 503, "ServiceUnavailable", "the server is currently unable to handle the request"),
    "escaped": said("Status", 403, "Forbidden", "\x1b[2J is forbidden\n\x1b]0;x\x07"),
    "other": answer(json.dumps(deployment("something-else")), headers="Content-Type: application/json\r\n"),
    "html": answer("<html>Sign in</html>", headers="Content-Type: text/html\r\n"),
    "hanging": hang,
}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KubeApi]:
    with kube_api(tmp_path_factory.mktemp("cluster"), *OBJECTS, **REFUSALS) as running:
        yield running


def seen(api: KubeApi, plain: dict[str, Any], seconds: float = 10.0, **more: str) -> CheckResult:
    variables = Variables(process={**api.environment(os.environ["PATH"]), **more})
    return looked(plain, surroundings(api.kubeconfig.parent, seconds=seconds, variables=variables))


@pytest.mark.needs("kubectl")
@pytest.mark.parametrize(
    ("what", "status", "observed", "says"),
    [
        ("deployment/web", Status.PASS, "3 of 3 ready", ""),
        ("web", Status.PASS, "3 of 3 ready", ""),
        ("deploy/single", Status.PASS, "1 of 1 ready", ""),
        ("asleep", Status.FAIL, "0 of 0 ready", "0 pods are ready, 1 are asked for"),
        ("behind", Status.FAIL, "3 of 3 ready", "2 of 3 replicas updated; kubectl describe deployment/behind --names"),
        ("untold", Status.FAIL, "0 of 3 ready", "0 of 3 replicas updated"),
        ("surplus", Status.FAIL, "3 of 3 ready", "1 old replica pending termination"),
        ("slow", Status.FAIL, "1 of 3 ready", "1 of 3 updated replicas available"),
        ("stuck", Status.FAIL, "0 of 3 ready", 'ReplicaSet "stuck-5d4" has timed out progressing.; pods is forbidden'),
        ("unseen", Status.FAIL, "3 of 3 ready", "the last change of it was not taken up yet"),
        ("statefulset/whole", Status.PASS, "3 of 3 ready", ""),
        ("sts/unready", Status.FAIL, "2 of 3 ready", "2 of 3 replicas ready"),
        ("statefulset/mixed", Status.FAIL, "3 of 3 ready", "1 of 3 replicas updated; kubectl"),
        ("statefulset/parted", Status.PASS, "3 of 3 ready", ""),
        ("statefulset/half-parted", Status.FAIL, "3 of 3 ready", "1 of 2 replicas updated (partition 1)"),
        ("statefulset/by-hand", Status.FAIL, "3 of 3 ready", "1 of 3 replicas updated; OnDelete"),
        ("daemonset/everywhere", Status.PASS, "4 of 4 ready", ""),
        ("ds/partly", Status.FAIL, "4 of 4 ready", "3 of 4 pods updated"),
        ("daemonset/waiting", Status.FAIL, "2 of 4 ready", "2 of 4 updated pods available"),
        ("daemonset/nowhere", Status.FAIL, "0 of 0 ready", "it wants 0 pods: no node fits its node selector"),
        ("deployment/ends", Status.FAIL, "3 of 3 ready", "it is being deleted; kubectl describe deployment/ends"),
        ("statefulset/ends", Status.FAIL, "3 of 3 ready", "it is being deleted"),
        ("daemonset/ends", Status.FAIL, "4 of 4 ready", "it is being deleted"),
        ("pod/ends", Status.FAIL, "1 of 1 ready", "it is being deleted"),
        ("pod/ready", Status.PASS, "1 of 1 ready", ""),
        ("pod/unready", Status.FAIL, "0 of 1 ready", "it is running and not ready: containers with unready status"),
        ("po/pending", Status.FAIL, "0 of 1 ready", "it is Pending"),
        ("pod/done", Status.FAIL, "0 of 1 ready", "it is Succeeded"),
        ("gone", Status.FAIL, "missing", 'deployments.apps "gone" not found'),
        ("forbidden", Status.UNKNOWN, "", "it takes a role that may get deployments"),
        ("unknown-user", Status.UNKNOWN, "", "kubectl config view --minify shows as whom it asks"),
        ("broken", Status.FAIL, "", "InternalError"),
        ("away", Status.FAIL, "", "unable to handle the request"),
        ("other", Status.UNKNOWN, "", "it is Deployment/something-else"),
        ("html", Status.UNKNOWN, "", ""),
        ("escaped", Status.UNKNOWN, "", ""),
    ],
)
def test_rollouts(api: KubeApi, what: str, status: Status, observed: str, says: str) -> None:
    row = seen(api, {"kubernetes": what})
    assert (row.status, row.observed) == (status, observed), row
    assert says in row.message
    assert row.reason is (Reason.ERROR if status is Status.UNKNOWN else None)
    assert not any(ord(character) < 32 for character in row.message)
    assert "canary" not in repr(row)


@pytest.mark.needs("kubectl")
@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"replicas": 3}, Status.PASS),
        ({"replicas": 4}, Status.FAIL),
        ({"kubernetes": "asleep", "replicas": 0}, Status.PASS),
        ({"expect": "ready >= 3"}, Status.PASS),
        ({"expect": "> 3"}, Status.FAIL),
        ({"expect": "wanted == 3"}, Status.PASS),
        ({"kubernetes": "slow", "expect": "ready >= 1"}, Status.FAIL),
        ({"namespace": "shop"}, Status.PASS),
        ({"namespace": "other"}, Status.UNKNOWN),
        ({"context": "here"}, Status.PASS),
        ({"context": "elsewhere"}, Status.UNKNOWN),
        ({"context": "no-such"}, Status.UNKNOWN),
        ({"kubeconfig": "kubeconfig"}, Status.PASS),
        ({"kubeconfig": "no-such-file"}, Status.UNKNOWN),
        ({"namespace": "${PLACE}"}, Status.PASS),
        ({"namespace": "${NOWHERE}"}, Status.UNKNOWN),
    ],
)
def test_options(api: KubeApi, options: dict[str, Any], status: Status) -> None:
    assert seen(api, {"kubernetes": "web", **options}, PLACE="shop").status is status


@pytest.mark.needs("kubectl")
def test_a_daemon_set_that_may_want_no_pods_says_so(api: KubeApi) -> None:
    row = seen(api, {"kubernetes": "daemonset/nowhere", "replicas": 0})
    assert row.status is Status.PASS
    assert row.message.startswith("it wants 0 pods")


@pytest.mark.needs("kubectl")
def test_nobody_answers_and_no_cluster(api: KubeApi, tmp_path: Path) -> None:
    began = time.monotonic()
    row = seen(api, {"kubernetes": "hanging"}, seconds=2.9)
    assert time.monotonic() - began < 5
    assert row.status is Status.FAIL, row
    assert f"(127.0.0.1:{api.server.port})" in row.message
    with closed_port() as port:
        config = json.loads(api.kubeconfig.read_text())
        config["clusters"][0]["cluster"]["server"] = f"http://127.0.0.1:{port}"
        (tmp_path / "kubeconfig").write_text(json.dumps(config))
        row = seen(api, {"kubernetes": "web"}, KUBECONFIG=str(tmp_path / "kubeconfig"))
    assert (row.status, row.message) == (Status.FAIL, f"The connection to the server 127.0.0.1:{port} was refused"), row
    row = seen(api, {"kubernetes": "web"}, KUBECONFIG=str(tmp_path / "absent"))
    assert (row.status, row.reason) == (Status.UNKNOWN, Reason.ERROR)
    assert row.message.startswith("kubectl knows no cluster here")


@pytest.mark.needs("kubectl")
def test_one_call_is_quick(api: KubeApi) -> None:
    seen(api, {"kubernetes": "web"})  # discovery is kept from here on
    asked = len(api.server.asked)
    row = seen(api, {"kubernetes": "web"})
    assert row.status is Status.PASS
    assert len(api.server.asked) - asked <= 2
    assert row.duration < 2


def kubectl(folder: Path, script: str) -> Variables:
    program = folder / "kubectl"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return Variables(process={"PATH": f"{folder}:{os.environ['PATH']}"})


@pytest.mark.parametrize("name", BODIES)
def test_objects_that_are_none(tmp_path: Path, name: str) -> None:
    (tmp_path / "said").write_bytes(BODIES[name])
    variables = kubectl(tmp_path, f"cat {tmp_path}/said")
    row = looked({"kubernetes": "web"}, surroundings(tmp_path, variables=variables))
    assert (row.status, row.reason) == (Status.UNKNOWN, Reason.ERROR)
    assert row.message.startswith("what kubectl says is no such object")


@pytest.mark.parametrize(
    ("script", "status", "says"),
    [
        ('echo \'{"kind": "Deployment", "metadata": {"name": "web"}}\'', Status.FAIL, "0 of 1 replicas updated"),
        ('echo \'{"kind": "List", "metadata": {"name": "web"}, "items": []}\'', Status.UNKNOWN, "it is List/web"),
        ('echo \'{"kind": "Deployment", "metadata": {"name": "web"}, "status": []}\'', Status.UNKNOWN, "shape"),
        ('echo \'{"kind": "Deployment", "metadata": {}, "spec": {"replicas": -1}}\'', Status.UNKNOWN, "shape"),
        ("head -c 20000000 /dev/zero | tr '\\0' '{'", Status.UNKNOWN, "more than can be read"),
        ("printf '\\377\\033[2J' >&2; exit 1", Status.UNKNOWN, "\\x1b[2J"),
        ("exit 1", Status.UNKNOWN, "exit 1"),
        ("kill -11 $$", Status.UNKNOWN, "signal 11"),
        ("exec sleep 60", Status.FAIL, "timed out"),
    ],
)
def test_a_kubectl_that_says_anything(tmp_path: Path, script: str, status: Status, says: str) -> None:
    began = time.monotonic()
    row = looked({"kubernetes": "web"}, surroundings(tmp_path, seconds=1.0, variables=kubectl(tmp_path, script)))
    assert time.monotonic() - began < 5
    assert row.status is status, row
    assert says in row.message


def test_a_machine_without_kubectl(tmp_path: Path) -> None:
    row = looked({"kubernetes": "web"}, variables=Variables(process={"PATH": str(tmp_path)}))
    assert (row.status, row.reason) == (Status.UNKNOWN, Reason.ERROR)
    assert "install kubectl" in row.message


def test_names_that_are_none_and_what_is_wrong_before() -> None:
    for name in ("-o", "a b", "Web", "deployment/", "job/x", "a/b/c", "", "deployment/-x", "\x1b", "web\n"):
        assert a_check({"kubernetes": name}).options.problems(), name
        row = looked({"kubernetes": "${NAME}"}, variables=Variables(process={"NAME": name}))
        assert row.status is Status.UNKNOWN, name
    wrong = {"namespace": "--all", "context": "a b", "kubeconfig": "", "replicas": -1}
    assert len(a_check({"kubernetes": "web", **wrong}).options.problems()) == 4
    assert a_check({"kubernetes": "deployment/${NAME}"}).options.problems() == []


def test_by_hand_and_in_a_dry_run(tmp_path: Path) -> None:
    options = a_check({"kubernetes": "deployment/web", "namespace": "shop", "context": "a b"}).options
    assert isinstance(options, Kubernetes)
    line = "kubectl rollout status deployment/web --namespace=shop '--context=a b' --timeout=10s"
    assert options.by_hand(None) == line
    assert options.only_looks()
    # A kubeconfig can name programs that log in, so one that the playbook brings does not run in a dry run.
    row = looked({"kubernetes": "web", "kubeconfig": "k"}, surroundings(tmp_path, dry_run=True))
    assert row.status is Status.SKIPPED
