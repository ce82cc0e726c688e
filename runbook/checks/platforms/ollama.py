"""`ollama`: the model server answers, and the named models are there."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, ClassVar

from runbook.checks.answers import parse_json
from runbook.checks.base import Finding, Kind, Surroundings
from runbook.checks.findings import NotTaken, answered, failed, unknown, unreachable, without_value
from runbook.judge.verdicts import Status
from runbook.system.http_messages import Request, Response
from runbook.system.http_requests import curl_line, filled
from runbook.system.secrets import VariableTrouble


class Ollama(Kind, frozen=True, kw_only=True):
    """A model named without a tag (`llama3`) is there under any tag; `llama3:8b` only as that."""

    KEY: ClassVar[str] = "ollama"
    LOOKS_AT: ClassVar[str] = "an Ollama server: it answers, and the named models are there"
    EXAMPLE: ClassVar[str] = (
        '{check: Models are present, ollama: "http://localhost:11434", models: [nomic-embed-text, llama3]}'
    )

    ollama: str
    models: tuple[str, ...] = ()

    def presence(self) -> bool:
        return True

    def takes_value(self) -> bool:
        return False

    def problems(self) -> list[str]:
        """What is wrong with the options beyond their types."""
        found = [] if self.ollama.strip() else ["ollama is empty: name the server, http://localhost:11434"]
        return found + [f"{model!r} is no name of a model" for model in self.models if not _is_name(model)]

    def by_hand(self, url: str | None) -> str:
        return curl_line(self._written(), url)

    async def look(self, around: Surroundings) -> Finding:
        try:
            request = filled(self._written(), around.url, around.variables, around.masker)
            wanted = [around.variables.text(model) for model in self.models]
        except VariableTrouble as trouble:
            return without_value(trouble)
        answer = await answered(request, around)
        if isinstance(answer, Finding):
            return answer
        if answer.status // 100 != 2:
            return unreachable(f"status {answer.status}", observed=str(answer.status))
        try:
            return _judge(wanted, _models_in(answer))
        except NotTaken as trouble:
            return unknown(f"this does not answer as Ollama does: {trouble.message}")

    def _written(self) -> Request:
        return Request(url=f"{self.ollama.rstrip('/')}/api/tags")


def _judge(wanted: Sequence[str], present: Collection[str]) -> Finding:
    missing = [model for model in wanted if not _is_there(model, present)]
    if missing:
        found = len(wanted) - len(missing)
        message = f"pull what is missing with: ollama pull {missing[0]}"
        return failed(message, f"{found} of {len(wanted)} there", "all there", listed=missing)
    count = len(present)
    return Finding(Status.PASS, observed=", ".join(wanted) or f"{count} {'model' if count == 1 else 'models'}")


def _is_there(model: str, present: Collection[str]) -> bool:
    if _tag_of(model):
        return model in present
    return any(name.removesuffix(f":{_tag_of(name)}") == model for name in present)


def _tag_of(name: str) -> str:
    """What follows the last colon; a colon before a slash is that of a registry's port."""
    return name.rpartition("/")[2].partition(":")[2]


def _models_in(answer: Response) -> set[str]:
    """The names in the answer; a server without models may send null for the list. Raises NotTaken."""
    document = parse_json(answer.body)
    if not isinstance(document, dict) or "models" not in document:
        raise NotTaken("there is no list of models in the answer")
    listed = [] if document["models"] is None else document["models"]
    if not isinstance(listed, list):
        raise NotTaken("what it calls models is no list")
    return {_name_of(each) for each in listed}


def _name_of(entry: Any) -> str:
    name = entry.get("name") if isinstance(entry, dict) else None
    if not isinstance(name, str):
        raise NotTaken("it lists a model without a name")
    return name


def _is_name(model: str) -> bool:
    return bool(model) and not any(character.isspace() for character in model)
