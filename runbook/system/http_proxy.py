"""Which proxy a request goes through: the one that is said, or the environment's; never for this machine itself."""

from __future__ import annotations

import ipaddress
import os
import re

FROM_ENVIRONMENT = "environment"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def proxy_for(said: str | None, scheme: str, host: str, port: int) -> str | None:
    """The URL of the proxy for a host, or None for none.

    `said` is a proxy's URL, `environment` (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY, in lower case first, as
    curl reads them), or None. A proxy would take localhost for itself, so this machine is always asked directly.
    Raises ValueError for a proxy that is neither http nor https.
    """
    if said is None or _is_loopback(host):
        return None
    if said == FROM_ENVIRONMENT:
        said = _variable(f"{scheme}_proxy") or _variable("all_proxy")
        if not said or _spared(host, port, _variable("no_proxy")):
            return None
    proxy = said if _SCHEME.match(said) else f"http://{said}"
    if not proxy.lower().startswith(("http://", "https://")):
        raise ValueError(f"a proxy of the kind {proxy.partition(':')[0]} is not spoken here, only http and https")
    return proxy


def proxies_of_environment() -> list[str]:
    """The URLs of all proxies that the environment names."""
    return [url for url in map(_variable, ("http_proxy", "https_proxy", "all_proxy")) if url]


def _variable(name: str) -> str:
    return (os.environ.get(name) or os.environ.get(name.upper()) or "").strip()


def _is_loopback(host: str) -> bool:
    address = _address(host)
    if address is None:
        name = host.lower().rstrip(".")
        return name == "localhost" or name.endswith(".localhost")
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


def _spared(host: str, port: int, exceptions: str) -> bool:
    """Whether NO_PROXY names the host: `*`, a domain and all below it, an address, a network; also with `:PORT`."""
    return any(_names(entry, host, port) for entry in re.split(r"[,\s]+", exceptions) if entry)


def _names(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    address = _address(host)
    if address is not None and _in_network(address, entry):
        return True
    name, _, its_port = entry.rpartition(":") if re.search(r"[^:]:\d+\Z", entry) else (entry, "", "")
    if its_port and int(its_port) != port:
        return False
    if address is not None:
        return _address(name) == address
    domain = name.lower().removeprefix("*").strip(".")
    asked = host.lower().rstrip(".")
    return bool(domain) and (asked == domain or asked.endswith(f".{domain}"))


def _in_network(address: ipaddress.IPv4Address | ipaddress.IPv6Address, entry: str) -> bool:
    try:
        return address in ipaddress.ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        return False
