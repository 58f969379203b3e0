# The verbs of the project. `make help` lists them; each installs what it needs first.
# Needs: Python >= 3.11, make, git. Everything else goes into .venv and .local.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.ONESHELL:

PYTHON ?= $(firstword $(shell command -v python3.11 python3.12 python3.13 python3 python))
BIN := .venv/bin
LOCKED_EXTRAS := --extra receiver --extra console --extra pipeline --extra destinations --extra dev
# Universal: one lock for every platform and every Python from 3.11 on. Addresses of indexes are never written.
COMPILE := .local/lock/bin/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-strip-extras --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --quiet
# Two test processes: the smallest machine we promise to run on has two cores.
TEST_PROCESSES ?= 2

.PHONY: help
help: ## List the verbs.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: .venv/.installed ## Make .venv and install the lock (again only when the lock changed).

.venv/.installed: requirements.txt pyproject.toml
	@if ! "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
		echo "Python 3.11 or newer is needed; name one with: make PYTHON=/path/to/python3.11 ..." >&2; exit 1
	fi
	if ! "$(PYTHON)" -m venv .venv; then
		echo "Python's venv module did not work; on Debian: apt-get install python3-venv" >&2; exit 1
	fi
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	touch $@

.PHONY: demo
demo: setup ## The whole product on this machine, with traffic; Ctrl-C ends it. ONCE=1 ends by itself.
	@exec $(BIN)/custom-events demo $(if $(ONCE),--once)

.PHONY: test
test: lint types contracts dbt-parse ## Everything CI checks: lint, types, import contracts, dbt, tests with coverage.
	$(BIN)/python -m pytest -n $(TEST_PROCESSES) --cov --cov-report=term
	$(MAKE) test-machine

# Many examples of the same statements, which other tests send to both servers: once is enough (CI has 25 minutes on two cores).
LONG_LAWS := tests/ledger/test_day.py tests/hindsight/test_laws.py tests/pipeline/test_order_of_arrival.py \
	tests/catalog/files/test_round_trip.py

# The same database tests on the machine's own PostgreSQL, where there is one; 5 means none was selected.
.PHONY: test-machine
test-machine: setup
	@if compgen -G '/usr/lib/postgresql/*/bin/initdb' > /dev/null; then
		$(BIN)/python -m pytest -n $(TEST_PROCESSES) -m database --postgres=machine --durations=10 $(LONG_LAWS:%=--ignore=%) || [ $$? -eq 5 ]
	else
		echo "No PostgreSQL binaries on this machine: the database tests ran on the embedded server only."
	fi

.PHONY: lint
lint: setup ## Ruff: rules and format.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

.PHONY: types
types: setup ## Basedpyright, strict.
	$(BIN)/basedpyright

.PHONY: contracts
contracts: setup ## Who may import whom (pyproject.toml, [tool.importlinter]).
	$(BIN)/lint-imports

.PHONY: dbt-parse
dbt-parse: setup
	@if [ -f dbt/dbt_project.yml ]; then
		$(BIN)/dbt parse --quiet --project-dir dbt --profiles-dir dbt
		touch dbt/target/manifest.json  # dbt leaves one alone that would be the same
	fi

.PHONY: bench
bench: setup .venv/.bench ## Measurements beside the peers; BENCHMARKS="receiver pipeline" chooses. Figures: .local/bench/.
	$(BIN)/python -m benchmarks $(BENCHMARKS)

.venv/.bench: requirements-bench.txt .venv/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-bench.txt
	touch $@

.PHONY: lock
lock: ## Renew requirements.txt and requirements-bench.txt from pyproject.toml (KEEP=1 keeps the versions that fit).
	"$(PYTHON)" -m venv .local/lock
	.local/lock/bin/python -m pip install --quiet --disable-pip-version-check uv
	$(COMPILE) $(LOCKED_EXTRAS) $(if $(KEEP),,--upgrade) --output-file requirements.txt
	$(COMPILE) --extra bench --constraint requirements.txt $(if $(KEEP),,--upgrade) --output-file requirements-bench.txt

.PHONY: docs
docs: setup ## Generate the reference pages (docs/reference) and dbt staging.
	$(BIN)/python -m orchestration.dbt_staging
	$(BIN)/python -m cli.reference docs/reference

.PHONY: clean
clean: ## Remove .local (database, certificates, logs, figures); the embedded server is stopped first.
	@for pid in $$(find .local -name postmaster.pid -exec head -n 1 {} \; 2> /dev/null); do
		if [ "$$(ps -o comm= -p "$$pid" 2> /dev/null)" = postgres ]; then
			kill -INT "$$pid"
			for _ in $$(seq 100); do kill -0 "$$pid" 2> /dev/null || break; sleep 0.1; done
		fi
	done
	rm -rf .local
