"""Every kind of check by its key. A new kind is one file and one row here; its module is loaded when it is used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module

from runbook.checks.base import Kind

# The key of a kind, and the module and class that are it, in the order of the reference.
BUILT_IN: Mapping[str, str] = {
    "http": "http:Http",
    "prometheus": "prometheus:Prometheus",
    "scrape": "scrape:Scrape",
    "alertmanager": "alertmanager:Alertmanager",
    "tcp": "tcp:Tcp",
    "dns": "dns:Dns",
    "tls": "tls:Tls",
    "sql": "sql:Sql",
    "cosmos": "cosmos:Cosmos",
    "redis": "redis:Redis",
    "ollama": "ollama:Ollama",
    "command": "command:Command",
    "run": "run:Run",
    "file": "file:File",
    "disk": "disk:Disk",
    "machine": "machine:Machine",
    "log": "log:Log",
    "variables": "variables:VariablesSet",
    "flags": "flags:Flags",
    "systemd": "systemd:Systemd",
    "docker": "docker:Docker",
    "kubernetes": "kubernetes:Kubernetes",
    "git": "git:Git",
    "github": "github:Github",
    "load": "load:Load",
    "sign": "sign:Sign",
    "inspect": "inspect:Inspect",
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

# Kinds of the language that are not built yet: refused by name, never ignored.
NOT_YET: frozenset[str] = frozenset()
