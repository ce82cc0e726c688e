"""A Kubernetes API server in miniature for the real kubectl: discovery, and the objects that a test gives it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers import Script, Scripted, answer, scripted

APPS = {"Deployment": "deployments", "StatefulSet": "statefulsets", "DaemonSet": "daemonsets"}
STATUS = {200: "200 OK", 403: "403 Forbidden", 404: "404 Not Found", 401: "401 Unauthorized"}
STATUS |= {500: "500 Internal Server Error", 503: "503 Service Unavailable"}


@dataclass
class KubeApi:
    """A running API server, and the kubeconfig that leads to it. `server.asked` are the requests so far."""

    server: Scripted
    kubeconfig: Path
    home: Path

    def environment(self, path: str) -> dict[str, str]:
        """What kubectl gets of its environment; its cache lies in a home of its own."""
        return {"PATH": path, "HOME": str(self.home), "KUBECONFIG": str(self.kubeconfig)}


def plain(kind: str, name: str, spec: dict[str, Any], status: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    """An object as the API server writes it."""
    return {
        "kind": kind,
        "apiVersion": "v1" if kind == "Pod" else "apps/v1",
        "metadata": {"name": name, "namespace": "shop", "uid": "u-1", "generation": 4, **metadata},
        "spec": {"selector": {"matchLabels": {"app": name}}, "template": {"spec": {"containers": []}}, **spec},
        "status": {} if kind == "Pod" and not status else {"observedGeneration": 4, **status},
    }


def deployment(name: str = "web", wanted: int = 3, **status: Any) -> dict[str, Any]:
    """A Deployment whose rollout is complete, but for what `status` says."""
    full = {"replicas": wanted, "updatedReplicas": wanted, "readyReplicas": wanted, "availableReplicas": wanted}
    conditions = [
        condition("Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability."),
        condition("Progressing", "True", "NewReplicaSetAvailable", f'ReplicaSet "{name}-5d4" has progressed.'),
    ]
    spec = {"replicas": wanted, "strategy": {"type": "RollingUpdate"}, "progressDeadlineSeconds": 600}
    given = {key: value for key, value in {**full, "conditions": conditions, **status}.items() if value is not None}
    return plain("Deployment", name, spec, given)


def condition(type_: str, status: str, reason: str = "", message: str = "") -> dict[str, Any]:
    """A condition of an object."""
    moment = "2026-01-02T03:04:05Z"
    return {"type": type_, "status": status, "reason": reason, "message": message, "lastTransitionTime": moment}


def said(kind: str, code: int, reason: str, message: str) -> Script:
    """What an API server answers where it has no such object, or may not give it."""
    body = {"kind": kind, "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message}
    return as_json({**body, "reason": reason, "code": code}, code)


def as_json(body: Any, code: int = 200) -> Script:
    return answer(json.dumps(body), status=STATUS[code], headers="Content-Type: application/json\r\n")


def _discovery() -> dict[str, Script]:
    version = {"groupVersion": "apps/v1", "version": "v1"}
    group = {"name": "apps", "versions": [version], "preferredVersion": version}
    return {
        "/version": as_json({"major": "1", "minor": "30", "gitVersion": "v1.30.0"}),
        "/api": as_json({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}),
        "/apis": as_json({"kind": "APIGroupList", "apiVersion": "v1", "groups": [group]}),
        "/api/v1": as_json(_resources("v1", {"Pod": "pods"}, ["po"])),
        "/api/v1/namespaces/shop": as_json({"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "shop"}}),
        "/apis/apps/v1": as_json(_resources("apps/v1", APPS, [])),
    }


def _resources(group: str, kinds: dict[str, str], short: list[str]) -> dict[str, Any]:
    each = [
        {"name": plural, "singularName": kind.lower(), "namespaced": True, "kind": kind, "verbs": ["get", "list"]}
        | ({"shortNames": short} if short else {})
        for kind, plural in kinds.items()
    ]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group, "resources": each}


def path_of(kind: str, name: str, namespace: str = "shop") -> str:
    """Where an object lies."""
    if kind == "Pod":
        return f"/api/v1/namespaces/{namespace}/pods/{name}"
    return f"/apis/apps/v1/namespaces/{namespace}/{APPS[kind]}/{name}"


def missing(kind: str, name: str) -> Script:
    """The answer of an API server that has no such object."""
    plural = f'{APPS[kind]}.apps "{name}"' if kind in APPS else f'pods "{name}"'
    return said("Status", 404, "NotFound", f"{plural} not found")


@contextlib.contextmanager
def kube_api(folder: Path, *objects: dict[str, Any], **scripts: Script) -> Iterator[KubeApi]:
    """A server that has these objects; `scripts` answer for a Deployment of that name in the namespace `shop`."""
    answers = _discovery()
    answers |= {path_of(each["kind"], each["metadata"]["name"]): as_json(each) for each in objects}
    answers |= {path_of("Deployment", name): script for name, script in scripts.items()}
    with scripted(answers) as server:
        kubeconfig = folder / "kubeconfig"
        kubeconfig.write_text(json.dumps(_kubeconfig(server.url)))
        home = folder / "home"
        home.mkdir(exist_ok=True)
        yield KubeApi(server, kubeconfig, home)


def _kubeconfig(url: str) -> dict[str, Any]:
    return {
        "kind": "Config",
        "apiVersion": "v1",
        "clusters": [{"name": "here", "cluster": {"server": url}}],
        "users": [{"name": "somebody", "user": {"token": "canary-of-the-cluster"}}],
        "contexts": [
            {"name": "here", "context": {"cluster": "here", "user": "somebody", "namespace": "shop"}},
            {"name": "elsewhere", "context": {"cluster": "here", "user": "somebody", "namespace": "other"}},
        ],
        "current-context": "here",
    }
