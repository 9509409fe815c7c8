# The one place where commands live. `make` alone lists them.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help install run test lint types contracts unit clients lock clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

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

lock:  ## renew both locks (needs uv; names, versions and hashes only)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate -q pyproject.toml --group build -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate -q pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock

clean:  ## remove .venv and caches
	rm -rf .venv .mypy_cache .ruff_cache .import_linter_cache build dist
