# The two commands of a newcomer are `make demo` and `make test`. Each sets up all it needs.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
# In half the time: the lists name all packages, so there is nothing to resolve, and what is used of them
# is compiled when it is imported.
INSTALL := $(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-compile
# More than two cores: while some wait, others compute. Each takes 12 seconds of a core, on PostgreSQL 7,
# before its first test. Both databases at the same time take as long as one after the other, and the
# tests of processes suffer.
XDIST ?= 5

.PHONY: help demo run test test-all test-dates fuzz types lint format check bench clean requirements schema

help:
	@echo "make demo    see it work: Savedesk beside a sandbox (ONCE=1: run the steps and end)"
	@echo "make run     web server and workers, configured by the environment or .env"
	@echo "make test    make check, then the tests, on SQLite and on PostgreSQL"
	@echo "make test-all    also those that take long"
	@echo "make test-dates  tests without processes, as if it were the end of a month or of a year"
	@echo "make fuzz    send the API requests made up from its schema, for minutes (EXAMPLES=500)"
	@echo "make bench   measure receiver and pipeline beside their ceilings, reload and crash them,"
	@echo "             take the broker away, let thousands unsubscribe at once, ask each page of a"
	@echo "             desk with 10,000 briefs, and let everything fail for a minute"
	@echo "make check   lint, types, import contracts, code that nothing uses, known vulnerabilities"
	@echo "make requirements  pin what pyproject.toml names, with hashes (UPGRADE=1: the newest)"
	@echo "make schema  write what the API takes and answers into docs/openapi.json"
	@echo "make format  put the code in order"

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Savedesk needs Python 3.11 or newer; name one with make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: $(VENV)/bin/python requirements.txt
	$(INSTALL) -r requirements.txt
	@touch $@

$(VENV)/.development: $(VENV)/.runtime requirements-dev.txt
	$(INSTALL) -r requirements-dev.txt
	@touch $@

demo: $(VENV)/.runtime
	@exec $(PY) manage.py demo $(if $(ONCE),--once)

run: $(VENV)/.runtime
	@$(PY) manage.py migrate --noinput
	@$(PY) manage.py load_starter_rules
	@exec $(PY) manage.py supervise

# Dozens of processes import the same modules: the first one writes their bytecode for all.
unexport PYTHONDONTWRITEBYTECODE
PYTEST := $(PY) -m pytest -q -n $(XDIST) --dist worksteal

test: check
	@echo "== SQLite =="
	$(PYTEST) -m "not on_postgresql and not long and not again"
	@echo "== PostgreSQL =="
	$(PY) -m sandbox.postgres --fast -- $(PYTEST) -m "not on_sqlite and not long"

test-all: test
	@echo "== What ran on PostgreSQL alone, on SQLite as well =="
	$(PYTEST) -m "again and not on_postgresql and not long"
	@echo "== What ran on SQLite alone, on PostgreSQL as well =="
	$(PY) -m sandbox.postgres --fast -- $(PYTEST) -m "page and not long"
	@echo "== What takes long =="
	$(PY) -m sandbox.postgres --fast -- $(PYTEST) -m long
	@echo "== Any input, ten times as much of it =="
	FUZZ_EXAMPLES=300 $(PYTEST) -m "hypothesis and not on_postgresql and not long" --hypothesis-profile=many

# The last days of months, noon or minutes before and after midnight (UTC). Left out are tests of
# processes and pages in a browser, tests of any input, and those that set the clock themselves.
SQLITE_DAYS := 2027-01-29T12:00 2027-02-28T23:57 2026-12-31T23:57
POSTGRESQL_DAYS := 2028-02-29T12:00 2027-04-30T23:57 2027-01-01T00:02
ON_DAY = $(PYTEST) -m "not (processes or browser or hypothesis or begins_at or long or $(1))" --day $(2)

test-dates: $(VENV)/.development
	@for day in $(SQLITE_DAYS); do echo "== $$day, SQLite =="; $(call ON_DAY,on_postgresql,$$day) || exit 1; done
	@for day in $(POSTGRESQL_DAYS); do echo "== $$day, PostgreSQL =="; \
	  $(PY) -m sandbox.postgres --fast -- $(call ON_DAY,on_sqlite,$$day) || exit 1; done

# By the same test as in make test, with more examples for each address and role.
fuzz: $(VENV)/.development
	EXAMPLES=$(or $(EXAMPLES),500) $(PYTEST) briefs/api/tests/test_any_request.py

# The types take as long as all else together, so both are checked at the same time.
check: $(VENV)/.development
	@$(MAKE) --no-print-directory --output-sync=target -j2 types lint

types: $(VENV)/.development
	$(VENV)/bin/mypy .

lint: $(VENV)/.development
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports
	$(PY) .ci/unused.py
	$(PY) .ci/audit.py
	DEBUG=1 $(PY) manage.py makemigrations --check --dry-run
	@# Once, before each of the workers would write the bytecode of all tests for itself.
	@$(PY) -m pytest -q --collect-only >/dev/null

format: $(VENV)/.development
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

bench: $(VENV)/.development
	$(PY) -m benchmarks.ingest
	$(PY) -m benchmarks.siege
	$(PY) -m benchmarks.reload --reloads 5
	$(PY) -m benchmarks.crash --events 20000
	$(PY) -m benchmarks.pipeline
	$(PY) -m benchmarks.reprocess
	$(PY) -m benchmarks.prune --events 100000
	$(PY) -m benchmarks.poison
	$(PY) -m benchmarks.broker_away
	$(PY) -m benchmarks.idle
	$(PY) -m benchmarks.blast
	$(PY) -m benchmarks.desk --briefs 10000 --rounds 10
	$(PY) -m benchmarks.metrics --briefs 10000 --rounds 30
	$(PY) -m benchmarks.chaos --minutes 1 --patience 420

# uv pins for all platforms and versions of Python at once. A pin stays as it is until UPGRADE=1
# or a change of pyproject.toml moves it.
$(VENV)/uv/bin/uv: | $(VENV)/bin/python
	$(PYTHON) -m venv $(VENV)/uv
	$(VENV)/uv/bin/python -m pip install --quiet --disable-pip-version-check uv==0.13.9

COMPILE = $(VENV)/uv/bin/uv pip compile pyproject.toml --quiet --universal --generate-hashes \
  --no-emit-index-url --custom-compile-command "make requirements" $(if $(UPGRADE),--upgrade)

requirements: $(VENV)/uv/bin/uv
	$(COMPILE) --output-file requirements.txt
	$(COMPILE) --extra redis --constraints requirements.txt --output-file requirements-redis.txt
	$(COMPILE) --extra sqs --constraints requirements.txt --output-file requirements-sqs.txt
	$(COMPILE) --group dev --constraints requirements.txt --output-file requirements-dev.txt

schema: $(VENV)/.runtime
	DEBUG=1 $(PY) manage.py spectacular --format openapi-json --file docs/openapi.json --validate

clean:
	rm -rf $(VENV) .demo .pytest_cache .mypy_cache .ruff_cache
