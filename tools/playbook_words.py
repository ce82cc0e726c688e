"""The sentences of docs/reference/playbook.md that stand between its generated tables."""

from __future__ import annotations

INTRODUCTION = """# The playbook language

One YAML file describes one service. It lies in the project's `playbooks/` and has the key `runbook`. Everything in it
is read and checked before anything is done, and all mistakes are shown at once, each with its line and column:
`runbook lint` does only that. `runbook schema` prints a JSON Schema for editors. A word that is not in the tables below
is refused, with what was probably meant; a word that is planned and not built yet is refused by name, never ignored.

The one exception is the emergency. It reads only `runbook`, `needs`, `service`, `flags`, `environments`, `rollback` and
`verify`; mistakes elsewhere do not stop it, and where even these cannot be read it works from the kit of the last ramp.

`extends: base.yaml` takes over what an organisation shares: mappings merge key by key, lists and values are replaced,
and what stands in the playbook wins. The path starts at the playbook; every other relative path starts at the project's
folder. A file is at most 1 MiB long and 64 levels deep.

Kinds of check and action have [a page of their own](checks.md).
"""

CONDITIONS = """## Conditions

One small language serves gates, triggers, limits of metrics, `when` and `expect`.

| form | example |
|---|---|
| a comparison with units | `error_rate < 2%`, `p95_latency <= 3s`, `spend > $40`, `free > 20GiB`, `postgres >= 13.0` |
| text and truth | `state == HEALTHY`, `enabled == false` (only `==` and `!=`) |
| arithmetic | `tokens > budget * 0.9` |
| over a window | `avg(error_rate, 7d) < 1%`; also `min max sum p50 p95 p99 count rate last` |
| held for a time | `error_rate > 5% for 5m` |
| M of N points | `error_rate > 5% in 3 of 5` |
| against a reference | `p95_latency increase < 30%`, `increase < 30% vs canary`, `error_rate < error_rate@baseline` |
| the treated alone | `treated(error_rate) < 2%`: what the changed share of the traffic sees |
| agreement with the percentage | `share matches percent`, `share matches percent +- 3%` |
| a check | `health fails for 1m`, `health passes` |
| joined | `a < 1% and b < 2s`, `or`, `not`, parentheses |

Built in: `percent`, `fraction`, `stage`, `stage_age`, `incidents` (open ones), `incidents_p0`, `rollbacks`. A bare
number takes the metric's unit. Units that do not go together are a mistake that `lint` finds before anything runs.

A bare metric in a gate has to hold now **and** on average over the bake so far: one good minute after hours of bad ones
is not a go. A reference is the baseline or a stage of this rollout ([more](../how-to/judge-against-a-reference.md)). A
trigger with neither `for`, M of N nor a window fires after two evaluations in a row.
"""

VALUES = """## Values: `${...}`

`${NAME}` and `${NAME:-default}`, in capital letters, come from the environment's `variables`, then from the process.
`${percent}`, `${stage}`, `${environment}`, `${service}`, `${today}` and `${month}` (in the calendar's zone, else UTC)
come from the tool; a notice's text may name more ([which](../how-to/tell-people.md)). A value never
becomes code: in `sql` it is a bound parameter, in `run` an environment variable of the shell, in `command` one
argument, in a URL it is percent-encoded, and in a file name it cannot leave the folder.

Secrets are masked in everything that is shown or stored: the names under `secrets`, names that end in TOKEN, KEY,
SECRET or PASSWORD, the user part of a URL, and whatever reaches `auth`, `headers` and `sql`.
"""

PLACES = """## Places

The **project** is the nearest folder upwards that holds `runbook.toml`, a `.runbook/` folder, or a `playbooks/` folder
with a playbook in it, else the current folder. `RUNBOOK_PROJECT` overrides that. Commands run there. Store, journals,
locks, kits and kept output lie in its `.runbook/`; where that cannot be written, the user's state folder is used, and
said so. Beside a flag file only the temporary file of its own edit ever stands.

`bake_scale` (with `sandbox: true` only) multiplies bakes, `wait`, `for`, windows, `interval` and `max_age`, never a
time-out.

A playbook is named by `-p`: its file without `.yaml`, its path, or its service. Where the project has one playbook,
none has to be named, and likewise an environment, unless it is `protected`.
"""

TESTS = """## Recorded answers

`tests` hold what was answered, or could be, and what must come of it. `runbook test` lets each take place in a folder
of its own: the flag file as the ladder says, the step watched for its bake, the people under `signed` asked, and the
rules that judge the service. A request is named `GET /health`, `/health`, by its URL, or `*` for all of them; anything
else by the id of its check, or by its metric. What is asked and not recorded fails the test
([how to write them](../how-to/test-a-playbook.md)).
"""
