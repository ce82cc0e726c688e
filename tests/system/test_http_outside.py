"""Hosts that come from outside the playbook: never this machine, the local link or a metadata server, however spelt."""

from __future__ import annotations

import asyncio

import pytest

from runbook.system.addresses import Resolver, is_forbidden
from runbook.system.http import HttpTrouble, Request, Response, fetch, fetch_now
from runbook.system.http_requests import filled
from runbook.system.secrets import VariableTrouble
from runbook.system.variables import Variables
from tests.servers import answer, scripted

THIS_MACHINE = [
    "127.0.0.1", "127.0.0.2", "127.1", "127.0.1", "127.255.255.254", "0", "0.0.0.0", "0x7f.1", "0x7f000001",
    "0177.0.0.1", "0177.1", "017700000001", "2130706433",
    "localhost", "LOCALHOST", "localhost.", "LocalHost", "%6cocalhost",
    "127.0.0.1.", "127%2e0%2e0%2e1", "①②⑦.⓪.⓪.①", "１２７.0.0.1", "127。0。0。1",
    "[::1]", "[0:0:0:0:0:0:0:1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:7f00:1]",
    "[::127.0.0.1]", "[64:ff9b::127.0.0.1]", "[2002:7f00:1::]", "[::ffff:0:0]",
]  # fmt: skip
ELSEWHERE = [
    "169.254.169.254", "169.254.170.2", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.43518",
    "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::]", "[fe80::1]", "[fd00:ec2::254]",
    "100.100.100.200", "[::ffff:100.100.100.200]", "224.0.0.1", "255.255.255.255", "240.0.0.1", "[ff02::1]",
]  # fmt: skip
TRICKS = [
    "127.0.0.1@", "ok.example@127.0.0.1", "127.0.0.1#", "127.0.0.1?", "127.0.0.1\\", "ok.example\\@127.0.0.1",
    "127.0.0.1 ", "\t127.0.0.1", "127.0.0.1/..", "[::1%25lo]", "127.0.0.1\r\nHost: ok.example",
]  # fmt: skip


@pytest.mark.parametrize("host", THIS_MACHINE + ELSEWHERE + TRICKS)
def test_no_spelling_of_a_variable_gets_there(host: str) -> None:
    """As a value in the host's place, where it is encoded, and as the beginning of the URL, where it is not."""
    with scripted({"/": answer("ok"), "/x": answer("ok")}) as server:
        for written, value in (
            (f"http://${{HOST}}:{server.port}/", host),
            ("${BASE}/x", f"http://{host}:{server.port}"),
            ("${BASE}/x", f"http://{host}"),
        ):
            variables = Variables(process={"HOST": value, "BASE": value})
            try:
                request = filled(Request(written), None, variables, variables.masker)
            except VariableTrouble as refused:  # a value that cannot stand in a URL
                assert refused.message
                continue
            assert request is not None
            assert request.guarded
            found = fetch_now(request, 2)
            assert isinstance(found, HttpTrouble), found
            assert found.phase in ("refuse", "resolve"), found
    assert server.asked == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "[::ffff:127.0.0.1]"])
def test_what_the_playbook_writes_itself_is_asked(host: str) -> None:
    with scripted({"/": answer("ok")}) as server:
        variables = Variables(declared={"HOST": host.strip("[]"), "BASE": f"http://{host}:{server.port}"})
        for written in (f"http://{host}:{server.port}/", "${BASE}/"):
            request = filled(Request(written), None, variables, variables.masker)
            assert request is not None
            assert not request.guarded
            assert isinstance(fetch_now(request, 2), Response)


class Changing(Resolver):
    """A name that changes its mind: it leads elsewhere when it is asked again."""

    def __init__(self, *answers: tuple[str, ...]) -> None:
        super().__init__()
        self.answers = list(answers)

    async def resolve(self, host: str, port: int) -> tuple[str, ...]:
        return self.answers.pop(0)


def test_a_name_that_changes_its_mind_gains_nothing() -> None:
    """The connection goes to the address that was looked at, which is nobody's; the second one is never used."""
    with scripted({"/": answer("ok")}) as server:
        names = Changing(("192.0.2.1",), ("127.0.0.1",))
        request = Request(f"http://rebinding.example:{server.port}/", guarded=True)
        found = asyncio.run(fetch(request, 0.5, resolver=names))
    assert isinstance(found, HttpTrouble)
    assert found.phase == "connect"
    assert server.asked == []
    assert names.answers == [("127.0.0.1",)]


@pytest.mark.parametrize("hidden", ["127.0.0.1", "169.254.169.254", "::1", "fe80::1"])
def test_one_bad_address_among_good_ones_is_enough(hidden: str) -> None:
    for addresses in (("8.8.8.8", hidden), (hidden, "8.8.8.8")):
        request = Request("http://mixed.example/", guarded=True)
        found = asyncio.run(fetch(request, 0.5, resolver=Changing(addresses)))
        assert isinstance(found, HttpTrouble)
        assert (found.phase, "comes from a variable" in found.message) == ("refuse", True)


def test_what_is_nobodys_business_stays_allowed() -> None:
    assert not any(is_forbidden(address) for address in ("10.0.0.5", "172.16.0.1", "192.168.1.1", "fd12::1", "1.1.1.1"))
