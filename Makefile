# Two commands are all a fresh machine needs:
#   make demo   trains, tests and shows a small joint model on a synthetic street
#   make test   runs every test, and the examples in docstrings
# The first call of either makes .venv and installs the files in requirements.lock, by their checksums; later calls install nothing.
#   make install            only makes .venv
#   make lint, make types   check the code; make format lays it out
#   make torture    broken files, full disks and kills against every reader and writer, for a minute at most
#   make test-oldest        every test on the oldest versions that setup.cfg claims, in .venv-oldest

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/ready

# The oldest Python at hand that the oldest torch and numpy have wheels for; pyenv's need not be switched on.
OLDEST_PYTHON ?= $(shell for python in python3.10 "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/3.10.*/bin/python python3.11; do \
	"$$python" -c 'import ensurepip' 2>/dev/null && echo "$$python" && break; done)
OLDEST        := .venv-oldest

INSTALL := -m pip install --quiet --disable-pip-version-check

# Tests run small networks: one thread each, a process for each core.
export OMP_NUM_THREADS ?= 1

# Compiled once, also where the environment says never: each of two processes would take 6.5 s for the test files, and each
# of some fifty interpreters half a second for the package.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo install test torture lint format types oldest-python test-oldest clean

demo: $(READY)
	env -u OMP_NUM_THREADS $(BIN)/python tools/demo.py

install: $(READY)

# tests/conftest.py has put the files in order.
test: $(READY)
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

torture: $(READY)
	$(BIN)/python -W ignore tools/torture.py --minutes 1 --cases 300

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(READY)
	$(BIN)/mypy

$(READY): requirements.lock setup.cfg pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "reidar_plugin needs Python 3.10 or newer, this is " + sys.version.split()[0])'
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python $(INSTALL) --require-hashes --requirement requirements.lock
	$(BIN)/python $(INSTALL) --no-deps --no-build-isolation --editable .
	touch $(READY)

test-oldest: $(OLDEST)/ready
	@$(OLDEST)/bin/python -c 'import sys, torch, numpy; print("Python", sys.version.split()[0], "torch", torch.__version__, "numpy", numpy.__version__)'
	$(OLDEST)/bin/python -m pytest -n auto --dist loadfile

# Prints nothing where there is none.
oldest-python:
	@echo $(OLDEST_PYTHON)

$(OLDEST)/ready: constraints-oldest.txt setup.cfg pyproject.toml
	@test -n "$(OLDEST_PYTHON)" || { echo "make test-oldest needs Python 3.10 or 3.11 with venv; name it: make test-oldest OLDEST_PYTHON=..." >&2; exit 1; }
	$(OLDEST_PYTHON) -m venv --clear $(OLDEST)
	$(OLDEST)/bin/python $(INSTALL) --constraint constraints-oldest.txt --editable '.[test,report]'
	touch $(OLDEST)/ready

clean:
	rm -rf $(VENV) $(OLDEST) build dist *.egg-info demo-output
