"""Writing a report: where it goes, what stays of what stands there, and the copy that the project keeps."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from runbook.reports.parts import PartsDamaged, marked, merge, owner_of
from runbook.system.files import FileTrouble, digest_of, ensure_folder, read_regular, write_private
from runbook.system.refusals import Exit, Refusal
from runbook.system.replacement import replace_atomically


@dataclass(frozen=True)
class Document:
    """A made document: the name of its file, its text, and whose it is (`CHAIN/NUMBER`, as its markers say)."""

    name: str
    text: str
    chain: str
    incident: int

    @property
    def owner(self) -> str:
        return f"{self.chain}/{self.incident}"


@dataclass(frozen=True)
class Written:
    """Where a document was written (`path`, absolute) and kept, None where it could not be.

    `said` are sentences about what was not as asked for.
    """

    path: Path
    kept: Path | None
    text: str
    said: tuple[str, ...]


@dataclass(frozen=True)
class _Place:
    """A file that a document may go into, and what stands there; None for a file that is not there yet."""

    path: Path
    present: bytes | None


def write(document: Document, wanted: Path, project: Path) -> Written:
    """Write a document to `wanted` and keep it under the project's `incidents/NUMBER/`.

    What people wrote around the generated parts stays, in either file. Where another document stands, a name with the
    incident's number is taken. Raises `Refusal`; a file is written whole or not at all.
    """
    fresh = marked(document.text, document.owner)
    place = _place_for(document, wanted)
    said = []
    if place.path != _real(wanted):
        said.append(f"{wanted} holds {_what_stands_in(wanted)}, so {place.path.name} was written instead")
    text, left_out = _text_for(place, fresh)
    if left_out:
        said.append(f"left out, since they were removed from {place.path.name}: {', '.join(left_out)}")
    _put(place, text)
    folder = project / "incidents" / str(document.incident)
    kept: Path | None = place.path
    if _real(folder / document.name) != place.path:
        try:
            kept = _keep(document, folder, fresh, text)
        except Refusal as refusal:  # the report itself is there
            kept = None
            said.append(f"no copy was kept: {refusal.message}")
    return Written(place.path, kept, text, tuple(said))


def _keep(document: Document, folder: Path, fresh: str, text: str) -> Path:
    """Keep a copy: the text as it was written at first, from then on with what people write into the copy."""
    try:
        ensure_folder(folder)
    except FileTrouble as trouble:
        raise _refusal(trouble) from trouble
    place = _place_for(document, folder / document.name)
    _put(place, text if place.present is None else _text_for(place, fresh)[0])
    return place.path


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _place_for(document: Document, wanted: Path) -> _Place:
    """The first of FILE, FILE-NUMBER and FILE-CHAIN-NUMBER that is free or holds this very document."""
    folder = _real(wanted).parent
    if not os.path.isdir(folder):  # noqa: PTH112 - a folder that may not be looked into is no error here
        raise Refusal(
            f"the folder {folder} is not there", exit_=Exit.USAGE, next_steps=["make it, or name another file"]
        )
    for suffix in ("", f"-{document.incident}", f"-{document.chain}-{document.incident}"):
        path = _real(wanted.with_name(f"{wanted.stem}{suffix}{wanted.suffix}"))
        place = _Place(path, _present(path))
        if place.present is None or _owner(place) == document.owner:
            return place
    raise Refusal(
        f"{wanted} and the names beside it hold something else; nothing was written",
        exit_=Exit.FAILED,
        next_steps=["name another file: -o FILE"],
    )


def _what_stands_in(path: Path) -> str:
    owner = _owner(_Place(path, _present(_real(path))))
    return "something else" if owner is None else f"the report of another incident ({owner})"


def _present(path: Path) -> bytes | None:
    if not os.path.exists(path):  # noqa: PTH110 - as above; the writing says why it cannot be written
        return None
    try:
        return read_regular(path)
    except FileTrouble as trouble:
        raise _refusal(trouble) from trouble


def _owner(place: _Place) -> str | None:
    try:
        return owner_of(_decoded(place.present or b""))
    except PartsDamaged as damaged:
        raise _damaged(place.path, damaged) from damaged


def _text_for(place: _Place, fresh: str) -> tuple[str, tuple[str, ...]]:
    if place.present is None:
        return fresh, ()
    merged = merge(_decoded(place.present), fresh)
    return merged.text, merged.left_out


def _decoded(data: bytes) -> str:
    """The text of a file that people write into, whatever its encoding: bytes that are no UTF-8 come out again."""
    return data.decode("utf-8", "surrogateescape")


def _put(place: _Place, text: str) -> None:
    data = text.encode("utf-8", "surrogateescape")
    try:
        if place.present is None:
            write_private(place.path, data)
        elif data != place.present:
            replace_atomically(place.path, data, expected_digest=digest_of(place.present))
    except FileTrouble as trouble:
        raise _refusal(trouble) from trouble


def _refusal(trouble: FileTrouble) -> Refusal:
    return Refusal(
        f"{trouble.path} {trouble.reason}; no report was written there",
        exit_=Exit.FAILED,
        next_steps=[trouble.hint] if trouble.hint else ["name another file: -o FILE"],
    )


def _damaged(path: Path, damaged: PartsDamaged) -> Refusal:
    return Refusal(
        f"{path}:{damaged.line}: {damaged.reason}; nothing was written",
        exit_=Exit.FAILED,
        next_steps=["put the marker back, or move the file away and make the report again"],
    )
