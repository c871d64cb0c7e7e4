# The verbs of this house. `make run` and `make test` need nothing but git, make and Python 3.11 or newer with venv.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run shell test check format bench faults docs clean
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip --disable-pip-version-check --quiet
PACKAGED := setup.cfg pyproject.toml

# A virtual environment whose Python has gone (the system was upgraded) is worth nothing: it is made anew.
$(if $(shell test -x $(BIN)/python || echo gone),$(shell rm -rf .venv))

define SHELL_RC
[ -r ~/.bashrc ] && . ~/.bashrc
PATH="$(CURDIR)/$(BIN):$$PATH"
export XMPPD_CONFIG="$${XMPPD_CONFIG:-$(CURDIR)/var/xmppd.toml}"
eval "$$(_XMPPCTL_COMPLETE=bash_source xmppctl)"
PS1="(xmppd) $$PS1"
echo "xmppctl --help lists what can be done here; exit leaves."
endef
export SHELL_RC

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s%s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: .venv/installed ## start the server; the first time set it up in var/
	@exec $(BIN)/xmppd --first-run $(ARGS)

shell: .venv/installed ## an administrator's shell: xmppctl at hand, with completion
	@exec bash --rcfile <(printf '%s\n' "$$SHELL_RC") -i

test: check ## check, and every test with branch coverage
	@$(BIN)/coverage erase
	@$(BIN)/pytest --cov --cov-report=term

check: .venv/developed ## format, lint, types, layers, golden files
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/pytest --quiet tests/golden

format: .venv/developed ## write the code in house style
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format --quiet .

bench: .venv/developed ## measure: make bench ARGS="--help"
	@exec $(BIN)/python -m bench $(ARGS)

faults: .venv/developed ## kill the server and its databases fifty times over, and write a report
	@exec $(BIN)/python -m tests.faults $(ARGS)

docs: .venv/installed ## write README's XEP table and conf/xmppd.toml anew from the code
	@$(BIN)/python -m xmppd.app.docs

clean: ## remove what was built or installed here; var/, the server's own data, stays
	@rm -rf .venv .cache .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@rm -rf build dist htmlcov *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The two stamps: what `make run` needs, and what developing needs on top. Fresh stamps cost no call of pip.
.venv/installed: $(PACKAGED) | .venv/bin/python
	@echo "Installing xmppd and what it needs into .venv (about a minute, once) ..."
	@$(PIP) install --editable .
	@touch $@

.venv/developed: $(PACKAGED) | .venv/bin/python
	@echo "Installing xmppd and the tools of its developers into .venv (a minute or two, once) ..."
	@$(PIP) install --editable '.[dev]'
	@touch $@ .venv/installed

.venv/bin/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit("xmppd needs Python 3.11 or newer, and this is %d.%d; name another with `make PYTHON=python3.11 ...`" % v[:2])'
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "No virtual environment could be made: apt install python3-venv" >&2; exit 1; }
