"""Words of the kinds that look at this machine and this project, and of those that people answer."""

from __future__ import annotations

from tools.words.tried import Tried

OUTPUT = {
    "jq": "a value out of the output, which is JSON",
    "matches": "a regular expression; its first group is the value",
    "lines": "the number of lines is the value",
    "list": "each line (or each entry that a jq program gives) is shown by name; an empty list passes",
}

OPTIONS: dict[str, dict[str, str]] = {
    "command": {"command": "the program and its arguments; each `${...}` is one argument, whatever it holds", **OUTPUT},
    "run": {"run": "the shell line; each `${...}` reaches it as an environment variable", **OUTPUT},
    "file": {
        "file": "the path, from the project's folder; of a glob the newest counts",
        "newer_than": "it was changed within this time",
        "older_than": "it was not changed within this time",
        "size": 'a condition on its size: "> 1MiB"',
        "matches": "a regular expression that its content has to match",
        "jq": "a value out of it, which is JSON",
        "lines": "the number of its lines is the value",
    },
    "disk": {
        "disk": "a path on the file system that is meant; a relative one starts at the project's folder",
        "take": "which number is the value: `free` or `total` bytes, or the share `used` of room or of `inodes` (free)",
    },
    "log": {
        "log": "the file; of a glob the newest counts, and its rotated parts `FILE.1`, `FILE.2` as far as needed",
        "count": "a regular expression; how many lines match it is the value",
        "share": "a regular expression; the share of lines that match it among those that match `of` is the value",
        "of": "a regular expression: among which lines `share` or `top` looks",
        "top": "so many of the patterns seen most often are shown; how many there are is the value",
        "last": "the window as a time; the lines have to begin with one",
        "lines": "the window as a number of lines (1000)",
    },
    "variables": {
        "variables": "names that must have a value that is not empty",
        "no_secrets": "a file that must hold no secret in plain text",
    },
    "flags": {
        "flags": "`safe`, `live`, or the name of one key, whose value `expect` judges",
        "from": "of `live`: the endpoint that tells the running values",
        "map": "of `live`: each key with the jq path of its running value",
        "as": "of `live`: the service tells the one key as a `fraction` (0.1) or in `percent` (10), unlike the file",
    },
    "machine": {
        "machine": "`cpu`, `memory` or `swap`: the share in use; `load`: of one minute, for each processor",
    },
    "load": {
        "load": "the URL, as in `http`; one request has 30 s, and all of them 10 minutes where there is no `timeout`",
        "requests": "how many are sent (100)",
        "concurrency": "how many of them at a time, each over a connection of its own (10)",
        "per_day": "instead of `requests`: so many at 100 %, and of that the share of the stage's percentage",
        "rate": "how many a second at the most",
        "method": "how each is asked (GET)",
        "json": "what each sends, as JSON",
        "text": "what each sends, as it is",
        "headers": "headers by name; their values are masked in everything that is shown",
        "status": "the status that is meant: a number, `2xx`, or a list of them (2xx); all else is an error",
        "allow": "`true`: also in a protected environment",
    },
    "sign": {
        "sign": "`true`: a person answers",
        "valid": "how long an answer counts",
        "evidence": "what the answer has to rest on",
    },
    "inspect": {
        "inspect": "a URL (it begins with `/` or `http`), or a file in the project",
        "questions": "what is asked of each item; yes to all of them is a yes to the item",
        "list": "a jq program that gives the items; without it a JSON list, or the lines of a text",
        "sample": "how many of them are judged, spread evenly over all (20)",
        "share": "how many of the items need a yes (100%)",
        "valid": "how long the answer counts",
    },
    "all": {"all": "the nested checks"},
}

TRIED: dict[str, Tried] = {
    "command": Tried("tests/checks/test_processes.py", "processes of this machine"),
    "run": Tried("tests/checks/test_processes.py", "shells of this machine"),
    "file": Tried("tests/checks/test_file.py", "files, globs, FIFOs and folders on disk"),
    "disk": Tried("tests/checks/test_disk.py", "the file systems of this machine"),
    "log": Tried("tests/checks/test_log.py", "logs on disk: rotated, torn, binary, growing, in seven forms of time"),
    "variables": Tried("tests/checks/test_people_and_lists.py", "the environment of a process, files on disk"),
    "flags": Tried("tests/checks/test_flags.py", "env files on disk and a service on loopback"),
    "machine": Tried("tests/checks/test_machine.py", "the machine that the tests run on"),
    "load": Tried("tests/checks/test_load.py", "servers on loopback that answer, hang, refuse and die in the middle"),
    "sign": Tried("tests/checks/test_people_and_lists.py", "kept answers"),
    "inspect": Tried("tests/checks/test_inspect.py", "a server on loopback, files on disk, kept answers"),
    "all": Tried("tests/checks/test_people_and_lists.py", "the nested kinds"),
}
