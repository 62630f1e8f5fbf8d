# Everything here needs only Python 3.11 to 3.13 with pip and venv. `make run PYTHON=python3.12` picks another interpreter.
PYTHON ?= python3
INSTALLED := .venv/.installed
SYNC := UV_PROJECT_ENVIRONMENT=.venv .venv/bin/uv sync --frozen --inexact --quiet

# Import is most of a small run, and takes two to three times as long where Python may not keep what it compiles. It does so at
# the first import: to compile everything at install takes longer than that.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run test dev lint format clean

help:            ## what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## */  make \1\t/' | expand -t 16

run: $(INSTALLED) ## install, then compute the demo company's key results and show them
	@.venv/bin/plumbline run

test: $(INSTALLED) ## install, then run the whole test suite
	@.venv/bin/python -m pytest

dev: $(INSTALLED) ## install, then open Dagster's UI on the demo, with schedule and sensors running
	@.venv/bin/plumbline dev

lint: $(INSTALLED) ## format, lint and types, all strict
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy

format: $(INSTALLED) ## let the formatter have its way
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

clean:           ## remove what was installed and computed
	rm -rf .venv demo/workspace/.plumbline

$(INSTALLED): pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "Plumbline needs Python 3.11, 3.12 or 3.13; $(PYTHON) is $$($(PYTHON) --version 2>&1). Name one: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 2; }
	@echo "Installing into .venv (once; about a minute) ..."
	@test -x .venv/bin/python || $(PYTHON) -m venv .venv
	@# A virtual environment that was made by other means may come without pip.
	@.venv/bin/python -m pip --version >/dev/null 2>&1 || .venv/bin/python -m ensurepip >/dev/null
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check uv==0.13.9
	@# Behind a company's TLS proxy only the system's certificates are trusted; on a bare machine there may be none but uv's own.
	@$(SYNC) 2>/dev/null || $(SYNC) --system-certs
	@touch $(INSTALLED)
