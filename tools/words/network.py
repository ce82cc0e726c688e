"""Words of the kinds that ask whether something answers on the network."""

from __future__ import annotations

from tools.words.tried import Tried

OPTIONS: dict[str, dict[str, str]] = {
    "http": {
        "http": "the URL; a relative one starts at the environment's `url`",
        "method": "how it is asked (GET); any but GET and HEAD needs `reads: true` to run in a dry run",
        "json": "what is sent, as JSON",
        "text": "what is sent, as it is",
        "form": "what is sent, as a form",
        "headers": "headers by name; their values are masked in everything that is shown",
        "auth": "`{bearer: ...}` or `{basic: USER:PASSWORD}`; it is sent to no other host",
        "status": "the status that is meant: a number, `2xx`, or a list of them (2xx)",
        "jq": "a value out of the answer, which is JSON",
        "header": "a value out of this header",
        "matches": "a regular expression that the answer has to match; its first group is the value",
        "list": "a jq program; each entry that it gives is shown by name; an empty list passes",
        "max_redirects": "how many redirects are followed (0), none to another scheme, host or port",
        "ca": "a file of certificates (PEM) that are trusted instead of the system's",
        "within": "the whole answer has to be there in this time; `expect` has its parts by name, in seconds: "
        "`resolve`, `connect`, `tls`, `wait` (to the head of the answer), `read`, and `time`, their sum. They are as "
        "this process sees them: with many checks at once they carry waiting of its own",
    },
    "tcp": {
        "tcp": "`HOST:PORT`, an IPv6 address in brackets: `[::1]:5432`",
        "within": "the connection has to be there in this time",
        "matches": "a regular expression that the first 4 KiB which it says of itself have to match: `^SSH-`",
    },
    "dns": {
        "dns": "the name",
        "to": "addresses that all have to be among those of the name",
        "exactly": "`true`: the name has no other address than those of `to`",
        "family": "`ipv4` or `ipv6`: only such addresses count",
    },
    "tls": {
        "tls": "`HOST:PORT`, a host alone (port 443), or its `https://` URL",
        "days": "how many days have to be left at least (14)",
        "name": "the name to ask for, and that the certificate has to be for (the host)",
        "ca": "a file of certificates (PEM) that are trusted instead of the system's",
    },
}

TRIED: dict[str, Tried] = {
    "http": Tried(
        "tests/checks/test_http_tls.py", "nginx with TLS, and servers that answer by the byte, hostile ones too"
    ),
    "tcp": Tried("tests/checks/test_tcp.py", "real listeners on loopback, among them one that drops what is sent"),
    "dns": Tried("tests/checks/test_dns.py", "the resolver of the system, before a DNS server that answers as told"),
    "tls": Tried("tests/checks/test_tls.py", "nginx with certificates that are good, and bad in every way named"),
}
