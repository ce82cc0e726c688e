"""Every kind of check by its key. A new kind is one file and one row here; its module is loaded when it is used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module

from runbook.checks.base import Kind

# The key of a kind, and the module and class that are it, in the order of the reference.
BUILT_IN: Mapping[str, str] = {
    "http": "network.http:Http",
    "prometheus": "monitoring.prometheus:Prometheus",
    "scrape": "monitoring.scrape:Scrape",
    "alertmanager": "monitoring.alertmanager:Alertmanager",
    "tcp": "network.tcp:Tcp",
    "dns": "network.dns:Dns",
    "tls": "network.tls:Tls",
    "sql": "stores.sql:Sql",
    "cosmos": "stores.cosmos:Cosmos",
    "redis": "stores.redis:Redis",
    "ollama": "platforms.ollama:Ollama",
    "command": "here.command:Command",
    "run": "here.run:Run",
    "file": "here.file:File",
    "disk": "here.disk:Disk",
    "machine": "here.machine:Machine",
    "log": "here.log:Log",
    "variables": "here.variables:VariablesSet",
    "flags": "here.flags:Flags",
    "systemd": "platforms.systemd:Systemd",
    "docker": "platforms.docker:Docker",
    "kubernetes": "platforms.kubernetes:Kubernetes",
    "git": "platforms.git:Git",
    "github": "platforms.github:Github",
    "load": "network.load:Load",
    "sign": "people.sign:Sign",
    "inspect": "people.inspect:Inspect",
    "all": "all_of:All",
}


@cache
def built_in(key: str) -> type[Kind]:
    """The class of a kind. Raises KeyError for a key that is none."""
    module, _, name = BUILT_IN[key].partition(":")
    kind: type[Kind] = getattr(import_module(f"runbook.checks.{module}"), name)
    return kind


class Kinds(Mapping[str, type[Kind]]):
    """The kinds by key; each is loaded when it is asked for, so that a command pays for those it uses."""

    def __getitem__(self, key: str) -> type[Kind]:
        return built_in(key)

    def __contains__(self, key: object) -> bool:
        return key in BUILT_IN

    def __iter__(self) -> Iterator[str]:
        return iter(BUILT_IN)

    def __len__(self) -> int:
        return len(BUILT_IN)


KINDS: Mapping[str, type[Kind]] = Kinds()
