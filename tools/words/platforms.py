"""Words of the kinds that ask a platform or a service of somebody else's."""

from __future__ import annotations

from tools.words.tried import Tried

OPTIONS: dict[str, dict[str, str]] = {
    "ollama": {
        "ollama": "the server's URL; a relative one starts at the environment's `url`",
        "models": "the models that must be there, with a tag (`llama3:8b`) or under any (`llama3`)",
    },
    "systemd": {
        "systemd": "the unit, or a list of them; `.service` may be left out",
        "state": "`active` (which a reload is as well), `running` (with a process), or `inactive`",
        "user": "`true`: units of the user's own manager",
    },
    "docker": {
        "docker": "the container's name; with `compose` the name of a service",
        "compose": "the compose project: every container of the service is looked at",
        "image": "the image that it has to run, and of that the one that has the name now: `shop/api:v2`",
        "healthy": "`true`: it must have a health check; `false`: its health check does not count",
        "socket": "the Unix socket of the engine (that of DOCKER_HOST, else /var/run/docker.sock)",
    },
    "kubernetes": {
        "kubernetes": "`deployment/NAME`, `statefulset/NAME`, `daemonset/NAME` or `pod/NAME` (a Deployment)",
        "namespace": "the namespace (that of the context)",
        "context": "the context (the current one)",
        "kubeconfig": "the file that says how to get at the cluster; in a dry run it needs `reads: true` (KUBECONFIG)",
        "replicas": "how many pods have to be ready at the least (1)",
    },
    "git": {
        "git": "a folder in the repository; `.` is the project's",
        "clean": "`true`: nothing is changed, staged or untracked",
        "branch": "this branch is checked out",
        "at": "the commit of this tag, branch or id is checked out",
        "pushed": "`true`: the upstream has every commit, as far as was fetched",
        "merged": "every commit of this branch is in `into`",
        "into": "the branch that `merged` is about (what is checked out)",
    },
    "github": {
        "github": "`OWNER/REPOSITORY`",
        "workflow": "the name of the workflow's file, or its number",
        "branch": "the branch (main)",
        "sha": "the commit, by all its 40 digits, instead of the branch",
        "newer_than": "the run began within this time",
        "token": "the token: `${GITHUB_TOKEN}`; without one GitHub takes 60 requests an hour",
        "api": "where the API is (https://api.github.com); of a GitHub Enterprise Server `https://HOST/api/v3`",
    },
}

TRIED: dict[str, Tried] = {
    "ollama": Tried(
        "tests/checks/test_ollama.py", "HTTP servers on loopback that answer as Ollama does, and hostile ones"
    ),
    "systemd": Tried(
        "tests/checks/test_systemd.py", "systemctl of this machine, and one that answers as it does under systemd"
    ),
    "docker": Tried("tests/checks/test_docker.py", "a scripted Docker Engine on a Unix socket, hostile ones too"),
    "kubernetes": Tried("tests/checks/test_kubernetes.py", "kubectl against a scripted API server on loopback"),
    "git": Tried("tests/checks/test_git.py", "git on repositories on disk: shallow, hostile, of somebody else"),
    "github": Tried("tests/checks/test_github.py", "an HTTP server on loopback that answers as GitHub's API does"),
}
