"""A DNS server over UDP that answers as a test tells it: with addresses, without any, with rubbish, or not at all."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import struct
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

_TYPES = {1: 4, 28: 6}  # A and AAAA, and the IP version of each
NO_SUCH_NAME, SERVER_FAILURE, REFUSED = 3, 2, 5


@dataclass
class DnsServer:
    """`names` are what is known: addresses, or a response code, or bytes that are sent as they are; None for silence.

    `asked` are the names that were asked for so far.
    """

    names: Mapping[str, Sequence[str] | int | bytes | None]
    asked: list[str] = field(default_factory=list)

    def answer(self, query: bytes) -> bytes | None:
        name, end = _name_in(query)
        kind = struct.unpack(">H", query[end : end + 2])[0]
        self.asked.append(name)
        known = self.names.get(name.lower(), NO_SUCH_NAME)
        if known is None or isinstance(known, bytes):
            return known if known is None else query[:2] + known
        addresses = [] if isinstance(known, int) else [ipaddress.ip_address(each) for each in known]
        records = [each.packed for each in addresses if each.version == _TYPES.get(kind)]
        flags = 0x8180 | (known if isinstance(known, int) else 0)
        head = query[:2] + struct.pack(">HHHHH", flags, 1, len(records), 0, 0)
        lines = [struct.pack(">HHHIH", 0xC00C, kind, 1, 60, len(each)) + each for each in records]
        return head + query[12 : end + 4] + b"".join(lines)


def _name_in(query: bytes) -> tuple[str, int]:
    """The name that is asked for, and where what follows it begins."""
    labels, place = [], 12
    while length := query[place]:
        labels.append(query[place + 1 : place + 1 + length].decode("latin-1"))
        place += 1 + length
    return ".".join(labels), place + 1


@contextlib.contextmanager
def dns_server(address: str, names: Mapping[str, Sequence[str] | int | bytes | None]) -> Iterator[DnsServer]:
    """A server on port 53 of an address of this machine, which only root may open."""
    server = DnsServer(names)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind((address, 53))
        listening.settimeout(0.05)
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                with contextlib.suppress(TimeoutError):
                    query, who = listening.recvfrom(4096)
                    if (said := server.answer(query)) is not None:
                        listening.sendto(said, who)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            over.set()
            thread.join()
