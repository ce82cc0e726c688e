"""Packages that bring kinds of check, installed by pip as anybody's, from wheels that are made here."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.places import PROJECT

SPOOL = PROJECT / "tests/plugin/runbook-spool"


@dataclass(frozen=True)
class Package:
    """A package of one module, whose entry points are `module:Class` by key."""

    name: str
    text: str
    kinds: Mapping[str, str]
    version: str = "1.0"

    @property
    def module(self) -> str:
        return self.name.replace("-", "_")


def spool_package() -> Package:
    """The package of the how-to page, from its own files."""
    project = tomllib.loads((SPOOL / "pyproject.toml").read_text("utf-8"))
    (module,) = project["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
    about = project["project"]
    kinds = about["entry-points"]["runbook.checks"]
    return Package(about["name"], (SPOOL / module).read_text("utf-8"), kinds, about["version"])


def wheel(package: Package, folder: Path) -> Path:
    """A wheel of it, as a build backend would make one."""
    about = f"{package.module}-{package.version}.dist-info"
    files = {
        f"{package.module}.py": package.text,
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {package.name}\nVersion: {package.version}\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: by-hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{about}/entry_points.txt": "[runbook.checks]\n" + "".join(f"{k} = {v}\n" for k, v in package.kinds.items()),
    }
    files[f"{about}/RECORD"] = "".join(f"{name},,\n" for name in [*files, f"{about}/RECORD"])
    path = folder / f"{package.module}-{package.version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def installed(folder: Path, *packages: Package) -> Path:
    """A folder for PYTHONPATH into which pip installed these packages."""
    folder.mkdir(exist_ok=True)
    target = folder / "site"
    wheels = [wheel(package, folder) for package in packages]
    pip: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-index",
        "--no-deps",
        "--target",
        target,
    ]
    subprocess.run([*pip, "--disable-pip-version-check", *wheels], check=True, capture_output=True, timeout=120)
    return target


def unpacked(folder: Path, *packages: Package) -> Path:
    """The same without pip, which takes its time."""
    target = folder / "site"
    target.mkdir(parents=True, exist_ok=True)
    for package in packages:
        with zipfile.ZipFile(wheel(package, folder)) as archive:
            archive.extractall(target)
    return target
