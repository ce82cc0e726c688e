"""Which kind of file system a path lies on."""

from __future__ import annotations

import re
from pathlib import Path

_NETWORK = re.compile(
    r"nfs\d?|cifs|smb\w*|9p|afs|ncpfs|ceph|glusterfs|lustre|gpfs|ocfs2|beegfs|orangefs|virtiofs|vboxsf|prl_fs|acfs"
    r"|fuse\.(?!fuse-overlayfs).*"
)
_ESCAPED = re.compile(r"\\([0-7]{3})")


def is_on_network(path: Path, mounts: Path = Path("/proc/self/mountinfo")) -> bool:
    """Whether other machines may use the same file system. False where the machine does not tell."""
    return bool(_NETWORK.fullmatch(file_system_of(path, mounts)))


def file_system_of(path: Path, mounts: Path) -> str:
    """The type of the file system that `path` lies on, as `mountinfo` names it; empty where it does not tell."""
    real = path.resolve()
    best, found = -1, ""
    try:
        text = mounts.read_text("utf-8", "replace")
    except OSError:
        return ""
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) < 5 or not after:
            continue
        point = Path(_ESCAPED.sub(lambda match: chr(int(match[1], 8)), fields[4]))
        # A later mount on the same point hides the earlier one.
        if (real == point or point in real.parents) and len(point.parts) >= best:
            best, found = len(point.parts), after.split(" ")[0]
    return found
