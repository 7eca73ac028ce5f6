# Two commands are all a fresh machine needs:
#   make demo   trains, tests and shows a small joint model on a synthetic street
#   make test   runs every test
# The first call of either makes .venv and installs the versions in constraints.txt; later calls install nothing.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/ready

# Tests run small networks: one thread each, a process for each core.
export OMP_NUM_THREADS ?= 1

.PHONY: demo test lint types clean

demo: $(READY)
	env -u OMP_NUM_THREADS $(BIN)/python tools/demo.py

test: $(READY)
	$(BIN)/python -m pytest -n auto

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

$(READY): constraints.txt setup.cfg pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "reidar_plugin needs Python 3.10 or newer, this is " + sys.version.split()[0])'
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test,report]'
	touch $(READY)

clean:
	rm -rf $(VENV) build dist *.egg-info demo-output
