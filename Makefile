# `make` sets up and runs the main job on the simulated world; `make help` lists the rest. Raw data are never deleted.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := demo
.NOTPARALLEL:
MAKEFLAGS += --no-builtin-rules --no-print-directory

RAW ?= data/raw
DATA ?= data/processed
SCENARIO ?= russia-2022
DEMO ?= data/demo
SAMPLE ?= data/sample
SOURCES ?=

usable = import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
PYTHON ?= $(shell for name in python3.13 python3.12 python3.11 python3; do \
  if "$$name" -c '$(usable)' >/dev/null 2>&1; then echo "$$name"; break; fi; done)
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
JOB = $(BIN)/python -m pipelines
# a worker a core; who has no more to do takes over half of another's tests
PYTEST = $(BIN)/python -m pytest --numprocesses logical --dist worksteal

.PHONY: demo demo-fetch help setup fetch flows families coverage bilateral supply leakage features scores flags cases changes rollups report run sample backtest
.PHONY: test test-fast test-kills soak nights test-pythons fuzz mutants licences dist container test-coverage lint lint-docs typecheck check hooks bench clean

demo: $(READY) ## set up, then the main job on the simulated world (default)
	@$(JOB) demo --raw $(DEMO)/raw --data $(DEMO)/processed --scenario "$(SCENARIO)"

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' Makefile
	@echo "RAW=$(RAW) DATA=$(DATA) SCENARIO=$(SCENARIO)"

setup: $(READY) ## .venv with the pinned packages of requirements.lock

$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "needs Python 3.11, 3.12 or 3.13 with venv: say PYTHON=<path>" >&2; exit 1; }
	@echo "setting up $(VENV) with $(PYTHON)" >&2
	@test -x $(BIN)/python || "$(PYTHON)" -m venv "$(VENV)"
	@# --no-deps: the lock is complete, and a resolver would look at releases that are newer than it
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@told=$$($(BIN)/python -m pip check --disable-pip-version-check) || { echo "$$told" >&2; exit 1; }
	@touch $@

fetch: $(READY) ## bring raw files from their publishers into RAW: make fetch SOURCES="<names, or all>"; needs the network
	@$(BIN)/anomaly fetch $(SOURCES) --raw "$(RAW)" --scenario "$(SCENARIO)"

demo-fetch: $(READY) ## the same from fetch to report: publishers on this machine answer from the simulated world; no network
	@$(BIN)/python -m loopback --regime "$(SCENARIO)" -- $(BIN)/anomaly fetch $(or $(SOURCES),comtrade comext ecb) --raw $(DEMO)/fetched/raw --scenario "$(SCENARIO)"
	@$(JOB) run --raw $(DEMO)/fetched/raw --data $(DEMO)/fetched/processed --scenario "$(SCENARIO)"

flows: $(READY) ## raw files -> flows
families: flows ## goods that stay the same when the HS changes
coverage: families ## who reported which period
bilateral: coverage ## both sides of every route
supply: bilateral ## what the coalition sells to hubs
features: bilateral ## windows and indicators
leakage: features ## what went to hubs, and on to targets, beyond what can be explained
scores: features ## the forest and its calibration
flags: scores supply ## routes that deserve a question
cases: flags ## a route with all its flagged windows
changes: cases ## what changed in the cases since the run before
rollups: flags ## per good and per hub
report: changes rollups leakage ## the documents people read

flows families coverage bilateral supply features leakage scores flags cases changes rollups report:
	@$(JOB) $@ --raw "$(RAW)" --data "$(DATA)" --scenario "$(SCENARIO)"

run: $(READY) ## all of them in one process: make run RAW=<folder> DATA=<folder>
	@$(JOB) run --raw "$(RAW)" --data "$(DATA)" --scenario "$(SCENARIO)"

sample: $(READY) ## a small real extract of the Comext files in RAW=<folder>, and the main job on it, in SAMPLE=<folder>
	@$(JOB) sample --raw "$(RAW)" --data "$(SAMPLE)" --scenario "$(SCENARIO)"

backtest: demo ## flags of the demo as of each date beside simpler rankings, into docs/backtest.md and the README; minutes
	@$(BIN)/anomaly backtest --raw $(DEMO)/raw --data $(DEMO)/processed --scenario "$(SCENARIO)" \
	  --page docs/backtest.md --summary README.md

test: $(READY) ## the tests, on every core, no network
	@$(PYTEST)

test-fast: $(READY) ## those that take no whole run, no browser and no real data: two minutes
	@$(PYTEST) -m "not slow"

test-coverage: $(READY) ## the tests, and which lines of the library and the jobs none of them runs
	@$(PYTEST) --cov --cov-report=term:skip-covered

test-kills: $(READY) ## kill -9 and disk faults at every point of a commit, kills in every stage; minutes
	@ANOMALY_EVERY_FAULT=1 $(BIN)/python -m pytest tests/store/test_store.py tests/store/test_runs.py
	@ANOMALY_EVERY_FAULT=1 $(BIN)/python -m pytest tests/house/test_pipeline.py -k killed_in_a_stage

NIGHTS ?= 30

soak: $(READY) ## NIGHTS nightly runs that are killed, out of disk, not alone, on files that are damaged, beside a reader; minutes
	@$(BIN)/python -m tests.house.soak --nights "$(NIGHTS)"

nights: $(READY) ## a simulated year of NIGHTS=12 fetches and runs; publishers on this machine revise, are late and away; minutes
	@$(BIN)/python -m tests.house.nights --nights "$(if $(filter file,$(origin NIGHTS)),12,$(NIGHTS))"

FUZZ ?= 600

fuzz: $(READY) ## 3,000 changed files over all readers, at most FUZZ seconds
	@$(BIN)/python -m tests.sources.fuzz --files 3000 --seconds "$(FUZZ)"

PYTHONS := 3.11 3.12 3.13
TESTS ?=

test-pythons: ## the tests with every supported Python that is installed, each in build/python-<version>: TESTS=<what to run, or all>
	@tried=0; for version in $(PYTHONS); do \
	  if "python$$version" -c '$(usable)' >/dev/null 2>&1; then \
	    echo "python$$version: $$("python$$version" --version)"; \
	    $(MAKE) VENV="build/python-$$version" PYTHON="python$$version" setup; \
	    "build/python-$$version/bin/python" -m pytest --numprocesses logical --dist worksteal $(TESTS); tried=$$((tried + 1)); \
	  else echo "python$$version: not installed, not tried"; fi; \
	done; echo "tried $$tried of $(words $(PYTHONS)) supported Pythons"; test "$$tried" -gt 0

licences: $(READY) ## the licence of every package that a run needs
	@$(BIN)/python -m release.licences

BUILDER ?= $(shell for name in podman docker; do if "$$name" info >/dev/null 2>&1; then echo "$$name"; break; fi; done)

container: ## the image of Containerfile, with podman or docker, whichever answers; needs the network
	@test -n "$(BUILDER)" || { echo "needs podman, or docker with its daemon: say BUILDER=<name>" >&2; exit 1; }
	@$(BUILDER) build --file Containerfile --tag anomaly .

dist: $(READY) ## wheel, sdist and bill of materials of the last commit into dist/, the same bytes every time
	@test -z "$$(git status --porcelain)" || { echo "what is not committed would go out: commit it first" >&2; exit 1; }
	@rm -rf dist && mkdir dist
	@export SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct); \
	  $(BIN)/python -m hatchling build --directory dist; $(BIN)/python -m release.bill dist
	@cd dist && sha256sum -- *.whl *.tar.gz *.json | tee SHA256SUMS

MUTANTS ?=
COSMIC_RAY := build/mutants/.venv/bin/cosmic-ray

mutants: $(READY) $(COSMIC_RAY) ## changes of the code that no test sees, of MUTANTS="reference/editions …" or all; minutes a module
	@$(BIN)/python -m tests.house.mutants $(COSMIC_RAY) $(MUTANTS)

$(COSMIC_RAY): mutants.lock
	@$(BIN)/python -m venv build/mutants/.venv
	@build/mutants/.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement mutants.lock
	@touch $@

lint: $(READY) lint-docs ## ruff: rules and format; the docstrings
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

# Public docstrings are in numpydoc's form, but for those that click shows as help.
DOCUMENTED := anomaly pipelines release loopback
NOT_YET := anomaly/cli/commands.py anomaly/cli/operating.py anomaly/cli/case_commands.py

lint-docs: $(READY) ## numpydoc on the public docstrings
	@$(BIN)/numpydoc lint $$(find $(DOCUMENTED) -name '*.py' $(NOT_YET:%=! -path %))

typecheck: $(READY) ## mypy: strict for the library and the jobs, tests and benchmarks too
	@$(BIN)/mypy

check: lint typecheck test ## all that must pass before a change is kept

hooks: $(READY) ## let git run ruff, mypy and the house's rules before each commit
	@$(BIN)/prek install

bench: $(READY) ## time and memory beside DuckDB and pandas
	@$(BIN)/python -m benchmarks

clean: ## remove what make makes again: .venv, caches, the demo; never raw data, tables or reports
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage .coverage.* "$(DEMO)"
	find anomaly pipelines release loopback tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
