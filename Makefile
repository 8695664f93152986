# `make demo` and `make test` set up what they need and run it. Nothing but Python >= 3.11, pip and make is assumed.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: demo test lint bench docs notebooks langchain-suite clean

demo: $(VENV)/demo.stamp
	$(BIN)/lg-toolroute demo

test: $(VENV)/test.stamp lint
	$(BIN)/python -m pytest -n 2 --dist worksteal

lint: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/test.stamp
	$(BIN)/python -m benchmarks

# Writes the tables that the tests measure into docs/.
docs: $(VENV)/test.stamp
	LG_TOOLROUTE_WRITE_DOCS=1 $(BIN)/python -m pytest -q tests

# LangChain's own tests for `create_agent`, with the routing in every agent; about three minutes.
langchain-suite: $(VENV)/test.stamp
	LG_TOOLROUTE_LANGCHAIN_SUITE=1 $(BIN)/python -m pytest -q tests/e2e/langchain_suite

notebooks: $(VENV)/test.stamp
	$(BIN)/python notebooks/run.py

# A Python without `ensurepip` (some Linux packages leave it out) gets its environment from virtualenv.
$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "lg_toolroute needs Python 3.11 or newer, this is " + sys.version)'
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); $(PYTHON) -m pip install --quiet virtualenv && $(PYTHON) -m virtualenv --quiet $(VENV); }

$(VENV)/demo.stamp: $(BIN)/python pyproject.toml constraints.txt
	$(PIP) install --quiet -c constraints.txt -e .
	touch $@

$(VENV)/test.stamp: $(BIN)/python pyproject.toml constraints.txt
	$(PIP) install --quiet -c constraints.txt -e '.[test]'
	touch $@ $(VENV)/demo.stamp

clean:
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
