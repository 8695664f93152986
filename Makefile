# `make demo` and `make test` set up what they need and run it. Nothing but Python >= 3.11, pip and make is assumed.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: demo test test-all lint bench docs notebooks clean

demo: $(VENV)/demo.stamp
	$(BIN)/lg-toolroute demo

# A fixed sample of each large matrix (`tests/support/sampling.py`); under eight minutes on two cores.
test: $(VENV)/test.stamp lint
	$(BIN)/python -m pytest -n 2 --dist worksteal

# Every cell of every matrix, and all of LangChain's own tests for `create_agent` with the routing in every agent.
test-all: $(VENV)/test.stamp lint
	$(BIN)/python -m pytest --whole -n 2 --dist worksteal

lint: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/test.stamp
	$(BIN)/python -m benchmarks

# Writes the tables that the tests measure into docs/.
docs: $(VENV)/test.stamp
	LG_TOOLROUTE_WRITE_DOCS=1 $(BIN)/python -m pytest --whole -q tests

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
	$(BIN)/python -m tests.support.langchain_source
	touch $@ $(VENV)/demo.stamp

clean:
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
