# The one place where commands live. `make` alone lists them.
PYTHON ?= python3
BIN := .venv/bin
# Real tools take seconds to start; a test of theirs that hangs ends after three minutes.
REAL := -n 2 -rs -o faulthandler_timeout=180

.PHONY: help install run demo test lint types contracts unit clients clients-all conformance prices leakhunt leakhunt-full crash soak recognition tasks bench bench-gate gate-corpus profile lock clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("halfdoor needs Python 3.11 or newer; this is " + sys.version.split()[0] + "; hint: make PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv

# Two stamps: what runs the product, and what tests it. Each is a hash-pinned lock.
.venv/.run: requirements.lock pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: requirements-dev.lock .venv/.run
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

install: .venv/.run  ## make .venv from the lock, nothing else

run: .venv/.run  ## start the gateway on 127.0.0.1:4114 with what it finds
	$(BIN)/halfdoor serve

demo: .venv/.run  ## what halfdoor does, in a minute: no keys, no engines, no network
	$(BIN)/halfdoor demo

test: lint types contracts unit  ## format, lint, types, import contracts, all tests

lint: .venv/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: .venv/.dev
	$(BIN)/mypy

contracts: .venv/.dev
	$(BIN)/lint-imports

unit: .venv/.dev
	$(BIN)/pytest -n 2

clients: .venv/.dev  ## real coding tools through halfdoor: Claude Code, Codex, Aider (installs them in .clients)
	@PYTHON=$(PYTHON) clients/install .clients
	$(BIN)/pytest $(REAL) -m clients tests/clients

clients-all: .venv/.dev  ## the same and OpenCode, Continue, Cline, llm (2.3 GB on disk in all)
	@PYTHON=$(PYTHON) clients/install .clients all
	$(BIN)/pytest $(REAL) -m 'clients or more_clients' tests/clients

.PHONY: engine
engine: .venv/.dev  ## a real engine with a real, tiny model behind halfdoor (compiles it once, in .engine)
	@PYTHON=$(PYTHON) engine/install .engine
	$(BIN)/pytest -m engine -rs tests/engine

.PHONY: mutate
mutate: .venv/.dev  ## 12,000 broken requests over every endpoint: no 500, no crash, no hang, no foreign shape
	$(BIN)/python -m tests.mutate $(MUTATE)

conformance: .venv/.dev  ## every dialect to every dialect with the official SDKs; writes the page of docs/reference
	$(BIN)/python -m tests.conformance

prices: .venv/.dev  ## renew the price list that halfdoor ships; a person reads what changed
	$(BIN)/python -m tests.pricelist

leakhunt: .venv/.dev  ## canaries in every place and way: none may leave (three minutes)
	$(BIN)/python -m tests.leakhunt $(LEAKHUNT)
	$(BIN)/pytest $(REAL) -m clients tests/clients/test_claude_code_leaks.py

leakhunt-full: .venv/.dev  ## the same with every planted key and 100,000 generated requests
	$(BIN)/python -m tests.leakhunt --fuzz 100000 --share 1 $(LEAKHUNT)
	$(BIN)/pytest $(REAL) -m clients tests/clients/test_claude_code_leaks.py

crash: .venv/.dev  ## 300 kills at random moments, under load and at start and stop (some minutes)
	$(BIN)/python -m tests.crash

.PHONY: chaos
chaos: .venv/.dev  ## seeded storms of faults: no leak, nothing lost, no hang, no bricked session (five minutes)
	$(BIN)/python -m tests.chaos $(CHAOS)

soak: .venv/.dev  ## 100,000 requests through one process: memory, descriptors, log (some minutes)
	$(BIN)/python -m tests.soak

recognition: .venv/.dev  ## how well text that comes back is recognised, and how seldom wrongly (15 seconds)
	$(BIN)/python -m tests.recognition

tasks: .venv/.dev  ## read the labelled requests; writes the confusion matrix of docs/reference
	$(BIN)/python -m tests.tasks

bench: .venv/.run  ## CPU, latency and throughput beside a direct call and nginx (two minutes)
	$(BIN)/python -m bench

bench-gate: .venv/.run  ## what `halfdoor gate` costs on a ten-file change, process start included
	$(BIN)/python -m bench.gate

gate-corpus: .venv/.dev  ## what each check finds and how often it is wrong; writes the page of docs/reference (half an hour)
	$(BIN)/python -m tests.gatecorpus > .gate-corpus.md
	$(BIN)/python -m tests.gatecorpus.releases >> .gate-corpus.md
	mv .gate-corpus.md docs/reference/check-rates.md

profile: .venv/.run  ## the same under py-spy, which must be on the PATH; writes profile.json
	$(BIN)/python -m bench --rounds 1 --profile profile.json

lock:  ## renew the locks (needs uv and npm; names, versions and hashes only)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate -q pyproject.toml --group build -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate -q pyproject.toml --extra gate --extra checks --group dev -c requirements.lock -o requirements-dev.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate -q clients/aider.in -o clients/aider.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate -q clients/more/llm.in -o clients/more/llm.lock
	for folder in clients clients/more; do (cd $$folder && npm install --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved); $(PYTHON) clients/complete $$folder/package-lock.json; done
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate -q engine/engine.in --no-emit-package llama-cpp-python -o engine/server.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate -q engine/engine.in --no-deps -o engine/llama.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate -q engine/build.in -o engine/build.lock

clean:  ## remove .venv and caches
	rm -rf .venv .clients .engine .mypy_cache .ruff_cache .import_linter_cache build dist
