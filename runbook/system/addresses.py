"""From a host's name to addresses, and the addresses that a host named from outside may not have."""

from __future__ import annotations

import asyncio
import ipaddress
import socket

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Metadata servers of clouds that stand on no link-local address.
_METADATA = {ipaddress.ip_address("fd00:ec2::254"), ipaddress.ip_address("100.100.100.200")}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


async def resolve(host: str, port: int) -> tuple[str, ...]:
    """The addresses of a host, in the system's order. Raises OSError (socket.gaierror) when it has none."""
    try:
        return (str(ipaddress.ip_address(host)),)
    except ValueError:
        pass
    from runbook.system.daemon_threads import in_thread

    found = await in_thread(lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


class Resolver:
    """Looks each host up once, however many ask at the same time."""

    def __init__(self) -> None:
        self._asked: dict[tuple[str, int], asyncio.Task[tuple[str, ...]]] = {}
        self._preferred: dict[tuple[str, int], str] = {}

    async def resolve(self, host: str, port: int) -> tuple[str, ...]:
        """As `resolve`; an address that took a connection before comes first."""
        task = self._asked.get((host, port))
        if task is None:
            task = self._asked[host, port] = asyncio.create_task(resolve(host, port))
        addresses = await asyncio.shield(task)
        first = self._preferred.get((host, port))
        return addresses if first is None else (first, *(one for one in addresses if one != first))

    def prefer(self, host: str, port: int, address: str) -> None:
        """From now on this address of the host comes first: it took a connection."""
        self._preferred[host, port] = address

    def close(self) -> None:
        for task in self._asked.values():
            if task.done():
                task.cancelled() or task.exception()  # looked at, so that nobody is told of it later
            task.cancel()
        self._asked.clear()


def is_forbidden(address: str) -> bool:
    """Whether an address is this machine, the local link, a metadata server or nobody's, in whatever disguise."""
    plain = _undisguised(ipaddress.ip_address(address.partition("%")[0]))
    return (
        plain.is_loopback
        or plain.is_link_local
        or plain.is_multicast
        or plain.is_unspecified
        or plain.is_reserved
        or plain in _METADATA
        or (plain.version == 4 and int(plain) >> 24 == 0)
    )


def _undisguised(address: Address) -> Address:
    if isinstance(address, ipaddress.IPv4Address):
        return address
    inner = address.ipv4_mapped or address.sixtofour
    if inner is None and address in _NAT64:
        inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if inner is None and int(address) >> 32 == 0 and int(address) > 1:
        inner = ipaddress.IPv4Address(int(address))  # the old "compatible" form, ::127.0.0.1
    return inner or address
