# From a fresh clone: `make demo` shows the tool, `make test` proves it. Both set up what they need, once.

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.installed
# Workers of the test run: one a core; `make test WORKERS=0` runs all tests in one process.
WORKERS ?= auto
# What pytest is given besides, as in `make test TESTS="tests/flags -k bom"`.
TESTS ?= tests
PYTEST := $(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal -o faulthandler_timeout=300
TYPED := runbook tests benchmarks tools

.PHONY: help demo test lint bench servers fault completions format clean
.NOTPARALLEL:

help: ## this list
	@sed -n 's/^\([a-z]*\):[^#]*## */\1	/p' $(MAKEFILE_LIST) | while IFS='	' read -r name words; do \
		printf '  make %-12s %s\n' "$$name" "$$words"; done

demo: $(READY) ## one whole rollout against a practice service, in under a minute
	@$(BIN)/runbook demo

test: $(READY) lint ## lint, then every test but the full kill run
	@sh tools/servers.sh for-tests
	@$(PYTEST) -m "not fault" $(TESTS)

lint: $(READY) ## ruff and mypy --strict
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check . || { echo "some files are not formatted; next: make format" >&2; exit 1; }
	@$(BIN)/mypy --strict --no-error-summary $(TYPED)

bench: $(READY) ## times the commands and writes docs/performance.md
	@$(BIN)/python -m benchmarks

servers: ## installs what some tests start: servers, strace, ... (as root or by sudo)
	@sh tools/servers.sh install

fault: $(READY) ## kills the tool at every system call that touches state (slow)
	@sh tools/servers.sh for-tests
	@$(BIN)/python tests/fault/kill_everywhere.py --all

completions: $(READY) ## writes completions/ again
	@$(BIN)/python tools/completions.py

format: $(READY) ## lays the Python files out as `make lint` wants them
	@$(BIN)/ruff check --quiet --fix . || true
	@$(BIN)/ruff format --quiet .

clean: ## removes what set-up, tests and builds made; nothing of .runbook/
	@rm -rf $(VENV) .servers dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): pyproject.toml tools/set_up.sh
	@sh tools/set_up.sh $(VENV)
	@touch $@
