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
        "auth": "`{bearer: ...}` or `{basic: USER:PASSWORD}`",
        "status": "the status that is meant: a number, `2xx`, or a list of them (2xx)",
        "jq": "a value out of the answer, which is JSON",
        "header": "a value out of this header",
        "matches": "a regular expression that the answer has to match; its first group is the value",
        "list": "a jq program; each entry that it gives is shown by name; an empty list passes",
        "max_redirects": "how many redirects are followed (0)",
        "ca": "a file of certificates that are trusted",
        "within": "the answer has to be there in this time",
    },
}

TRIED: dict[str, Tried] = {
    "http": Tried("tests/checks/test_http.py", "HTTP servers on loopback that answer by the byte, hostile ones too"),
}
