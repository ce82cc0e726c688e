"""What `${...}` means, and how a value is put where it stands so that it stays a value: never code, path or header."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from runbook.language.substitution import Reference, Template, TemplateError, parse_template
from runbook.system.secret_sources import Secret
from runbook.system.secrets import Masker, VariableTrouble

_SCHEME = re.compile(r"https?://", re.IGNORECASE)


class MissingVariable(VariableTrouble):
    """A name that nobody gave a value, and that has no default."""

    def __init__(self, name: str) -> None:
        where = "is not known here" if name[0].islower() else "is not set"
        hint = "" if name[0].islower() else f"set it, or write ${{{name}:-default}}"
        super().__init__(f"${{{name}}} {where}", hint)
        self.name = name


class UnsafeValue(VariableTrouble):
    """A value that cannot stand where it is asked for. The message names the variable, never the value."""


@dataclass
class Variables:
    """The values of `${...}`. Upper case is looked up in `secrets`, `declared` (the environment's `variables`),
    `from_file` (its `variables_from`), `process`; lower case in `context`. A value is never read for `${...}` again.

    Secrets are read when they are first needed, and `masker` learns them before they are used.
    """

    declared: Mapping[str, str] = field(default_factory=dict)
    from_file: Mapping[str, str] = field(default_factory=dict)
    process: Mapping[str, str] = field(default_factory=dict)
    context: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    masker: Masker = field(default_factory=Masker)
    _read: dict[str, str] = field(default_factory=dict, repr=False)

    def is_set(self, name: str) -> bool:
        """Whether a name has a value that is not empty. Raises SecretTrouble for a secret that cannot be read."""
        return bool(self._find(name))

    def text(self, template: str) -> str:
        """The text with its values put in as they are. Raises VariableTrouble."""
        return self._filled(template, self._value)

    def argument(self, template: str) -> str:
        """The text as one argument of a program, whatever its values hold. Raises VariableTrouble."""
        return self._filled(template, lambda reference: _without_nul(reference, self._value(reference)))

    def url(self, template: str) -> str:
        """The text as a URL. Values are percent-encoded, except one at the very start that is the URL's beginning.

        Raises VariableTrouble, also where such a beginning is no http or https URL or relative path, and where values
        make a step to the folder above of what is none as it is written.
        """
        from urllib.parse import quote

        def encoded(reference: Reference) -> str:
            value = self._value(reference)
            if reference.start == 0:
                return _url_beginning(reference, value)
            return quote(value.encode("utf-8", "surrogateescape"), safe="")

        url = self._filled(template, encoded)
        if _steps_up(url) > _steps_up(self._filled(template, lambda reference: "x")):
            raise UnsafeValue("the values in this URL make a '..' of it, which would leave its place")
        return url

    def host_from_outside(self, template: str) -> bool:
        """Whether the host of this URL comes from a value that the playbook does not hold itself.

        Such a host is checked after it was resolved: it may not be this machine or a metadata server.
        """
        template_ = _parsed(template)
        beginning = _SCHEME.match(template)
        path = template.find("/", beginning.end()) if beginning else 0
        end = path if path >= 0 else len(template)
        return any(
            (reference.start == 0 or reference.start < end) and not self._is_ours(reference)
            for reference in template_.references
        )

    def file_name(self, template: str, *, pattern: bool = False) -> str:
        """The text as a path. A value from outside the playbook stays one name: it holds no slash and is not `..`.

        With `pattern` the text is a glob, and what a value holds is matched as it is. Raises VariableTrouble.
        """

        def one_name(reference: Reference) -> str:
            import glob

            value = _without_nul(reference, self._value(reference))
            if not self._is_ours(reference) and ("/" in value or value in (".", "..")):
                raise UnsafeValue(
                    f"${{{reference.name}}} would leave the folder", "a value here is one name, without /"
                )
            return glob.escape(value) if pattern else value

        name = self._filled(template, one_name)
        if not pattern and ".." in Path(name).parts and ".." not in Path(template).parts:
            raise UnsafeValue(
                f"the values in {template} would leave the folder", "a value here is one name, without .."
            )
        return name

    def shell(self, template: str) -> tuple[str, dict[str, str]]:
        """The shell line with references to variables of the shell, and those variables.

        A value is never part of the script. Raises VariableTrouble, also where a reference stands where the shell
        would not read a variable safely (single quotes, arithmetic, here-documents).
        """
        from runbook.system.shell_places import script_with

        additions: dict[str, str] = {}

        def name_of(reference: Reference) -> str:
            name = "RUNBOOK_VALUE_" + re.sub(r"\W", "_", reference.name)
            additions[name] = _without_nul(reference, self._value(reference))
            return name

        return script_with(_parsed(template), name_of), additions

    def sql(self, template: str) -> tuple[str, dict[str, str | int | float]]:
        """The query with named parameters (`:value_1`), and their values. Raises VariableTrouble.

        A value outside of quotes that is a number is bound as one, every other as text; a quoted text that holds
        references is bound as a whole.
        """
        from runbook.system.sql_places import query_with

        return query_with(_parsed(template), self._value)

    def any(self, plain: object, fill: Callable[[str], str] | None = None) -> object:
        """Every text in lists and mappings filled (with `text` if nothing else is named); the rest as it is."""
        fill = fill or self.text
        if isinstance(plain, str):
            return fill(plain)
        if isinstance(plain, Mapping):
            return {key: self.any(value, fill) for key, value in plain.items()}
        if isinstance(plain, list | tuple):
            return [self.any(value, fill) for value in plain]
        return plain

    def secret_names(self) -> frozenset[str]:
        """The process's variables that hold declared secrets: what a child is not given unless it names it."""
        return frozenset(self.secrets) | {secret.env for secret in self.secrets.values() if secret.env is not None}

    def _filled(self, template: str, fill: Callable[[Reference], str]) -> str:
        return "".join(piece if isinstance(piece, str) else fill(piece) for piece in _parsed(template).pieces)

    def _value(self, reference: Reference) -> str:
        found = self._find(reference.name)
        if not found and reference.default is not None:
            return reference.default
        if found is None:
            raise MissingVariable(reference.name)
        return found

    def _find(self, name: str) -> str | None:
        if name[:1].islower():
            return self.context.get(name)
        if name in self.secrets:
            return self._secret(name)
        for source in (self.declared, self.from_file, self.process):
            if name in source:
                value = str(source[name])
                self.masker.learn_environment({name: value})
                return value
        return None

    def _secret(self, name: str) -> str:
        if name not in self._read:
            value = self.secrets[name].read(name, self.process)
            self.masker.learn(value)
            self._read[name] = value
        return self._read[name]

    def _is_ours(self, reference: Reference) -> bool:
        """Whether the value is written in the playbook itself."""
        name = reference.name
        if name not in self.secrets and name in self.declared:
            return True
        return reference.default is not None and not self._find(name)


def _parsed(template: str) -> Template:
    try:
        return parse_template(template)
    except TemplateError as trouble:
        raise VariableTrouble(trouble.message, trouble.hint) from None


def _steps_up(url: str) -> int:
    """How many parts of its path stand for a folder (`.` and `..`) and not for a name."""
    return sum(part in (".", "..") for part in re.split(r"[?#]", url, maxsplit=1)[0].split("/"))


def _without_nul(reference: Reference, value: str) -> str:
    if "\0" in value:
        raise UnsafeValue(f"${{{reference.name}}} holds a NUL character")
    return value


def _url_beginning(reference: Reference, value: str) -> str:
    if re.search(r"[\x00-\x20\x7f]", value):
        raise UnsafeValue(f"${{{reference.name}}} holds a space or control character, so it is no URL")
    if not (_SCHEME.match(value) or re.match(r"/(?!/)", value)):
        raise UnsafeValue(
            f"${{{reference.name}}} is not the beginning of a URL", "it has to begin with http:// or https://"
        )
    return value
