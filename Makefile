# What there is to do here: make up | test | check | demo | bench | format | lock | clean.

# The first Python 3.11 or newer; `make PYTHON=python3.13 up` chooses another one.
PYTHON ?= $(firstword $(foreach python,python3 python3.13 python3.12 python3.11,$(shell \
	$(python) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(python))) python3)
# Where `make up` keeps its desk.
DESK_HOME ?= $(CURDIR)/home
# Under CI=true slow tests run too, and a missing server fails its tests instead of skipping them.
MARKS := $(if $(filter true,$(CI)),slow or not slow,not slow)
# How many processes the tests that need no server run in; those with servers run one after the other.
WORKERS ?= auto
# `make test OPTIONS="-k threads -x"`
OPTIONS ?=

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PEERS := .venv-peers

.DEFAULT_GOAL := help
.PHONY: help up test check lint demo bench format lock clean

help:
	@sed -n '1s/^# //p' Makefile

# Run a desk in the foreground; the first time this installs it and makes its home.
up: $(VENV)/.installed
	@test -f "$(DESK_HOME)/desk.toml" || $(BIN)/desk --home "$(DESK_HOME)" init
	@exec $(BIN)/desk --home "$(DESK_HOME)" up

# A throw-away desk with 200 tickets that came in as real mail, and the list of them.
demo: $(VENV)/.installed
	@exec $(BIN)/desk demo

# The default tests and those with real servers; the latter are skipped where a server is not installed.
test: $(VENV)/.installed-dev
	$(BIN)/pytest -n $(WORKERS) -m "not real and ($(MARKS))" $(OPTIONS)
	$(BIN)/pytest -m "real and ($(MARKS))" $(OPTIONS)

# What must hold before every commit.
check: lint
	$(BIN)/pytest -n $(WORKERS) --cov --cov-report=term --cov-fail-under=90 $(OPTIONS)

lint: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(VENV)/.installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# The figures of the README, with the peers they are compared to in an environment of their own.
bench: $(VENV)/.installed-dev $(PEERS)/.installed
	$(BIN)/python bench/run.py $(OPTIONS)

# Resolve pyproject.toml anew and write down what came out.
lock:
	rm -rf build/lock
	$(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip --disable-pip-version-check --quiet install -e '.[dev,postgresql]'
	{ echo '# Written by `make lock`. Every version that is installed, from pyproject.toml with all extras.'; \
	  build/lock/bin/python -m pip --disable-pip-version-check freeze --exclude-editable | grep '=='; \
	} > requirements.lock
	rm -rf build/lock

clean:
	rm -rf $(VENV) $(PEERS) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The lock holds more than a desk needs; as a constraint it fixes the versions and adds nothing.
$(VENV)/.installed: pyproject.toml requirements.lock | $(BIN)/python
	$(PIP) install --constraint requirements.lock --editable .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml requirements.lock | $(BIN)/python
	$(PIP) install --constraint requirements.lock --editable '.[dev,postgresql]'
	@touch $@ $(VENV)/.installed

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Python 3.11 or newer is needed, and $(PYTHON) is not; choose one: make PYTHON=python3.12 up" >&2; \
		exit 1; }
	$(PYTHON) -m venv $(VENV)

$(PEERS)/.installed: bench/peers/requirements.txt
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip --disable-pip-version-check --quiet install --requirement $<
	@touch $@
