# Every task of the project, the same for a person and for CI. Needs make and python3 >= 3.11, nothing else.
#   make PYTHON=python3.12 TARGET    makes the environment with that Python
#   make VENV=DIR TARGET             uses the environment DIR, and makes it if it is not there

PYTHON ?= python3
# Taken from the command line only: a shell may well have a VENV or a NAME of its own that is not meant for us.
VENV := .venv
ARGS :=
NAME :=
SEED :=

BIN := $(VENV)/bin
# Says that the environment holds what pyproject.toml and constraints.txt ask for.
INSTALLED := $(VENV)/.installed
# Says that the folder was made here, so that it may be removed here: VENV can name anything.
OURS := $(VENV)/.made-by-make
CHAOS = --yes $(if $(SEED),--seed $(SEED))
PACKAGES := symphony actors adapters xi
# constraints.txt is the whole environment and is installed as it stands: nothing to resolve, and an old pip does it too.
PIP_INSTALL := $(BIN)/python -m pip --disable-pip-version-check --no-input install -qq --no-deps

# "ok", or the version of a Python that is too old (any Python must be able to run this), or nothing if it does not run at all.
python_found = $(shell $(PYTHON) -c 'import sys; v = sys.version_info; print("ok" if v >= (3, 11) else "%d.%d.%d" % v[:3])' 2>/dev/null)
require_python = $(if $(filter ok,$(python_found)),,$(error Symphony needs Python 3.11 or newer, and "$(PYTHON)" is \
$(or $(addprefix Python ,$(python_found)),no command that runs); name one: make $(MAKECMDGOALS) PYTHON=python3.12))

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo test check lint types contracts faults fuzz bench peers clean

help:  ## List what make can do (the default)
	@echo 'make TARGET; a target that needs the environment sets it up first.'
	@awk 'BEGIN {FS = ":[^#]*## "} /^[a-z]+:.*## / {printf "  %-8s %s\n", $$1, $$2}' Makefile

setup: $(INSTALLED)  ## Make .venv with the pinned packages (again only when pyproject.toml or constraints.txt changed)
	@echo 'setup: $(VENV) is ready'

# An environment whose Python has gone (never finished, or the system's Python was upgraded) is made again.
GONE := $(if $(shell test -x $(BIN)/python && echo there),,gone)
.PHONY: gone
gone:

$(VENV)/pyvenv.cfg: $(GONE)
	$(require_python)
	@echo 'setup: making $(VENV)'
	@if [ -e $(OURS) ]; then rm -rf $(VENV); fi
	@[ -e $(VENV) ] || { mkdir -p $(VENV) && touch $(OURS); }
	@$(PYTHON) -m venv $(VENV) || { rm -f $(BIN)/python; exit 1; }

$(INSTALLED): pyproject.toml constraints.txt $(VENV)/pyvenv.cfg
	@echo 'setup: installing the packages of constraints.txt and Symphony itself (15 s or so the first time)'
	@$(PIP_INSTALL) -r constraints.txt
	@$(PIP_INSTALL) --no-build-isolation --editable .
	@$(BIN)/python -m pip check >$@ || { cat $@; exit 1; }

demo: $(INSTALLED)  ## Run the whole main job on a sample text, with faults injected and healed
	@$(BIN)/symphony demo

test: $(INSTALLED)  ## Run every test (ARGS="-x -k name" goes to pytest)
	@$(BIN)/python -m pytest $(ARGS)

check: lint types contracts test  ## Format, lint, types, import contracts, tests: what must be clean before a commit

lint: $(INSTALLED)
	@$(BIN)/ruff format --check .; formatted=$$?; $(BIN)/ruff check . && exit $$formatted

types: $(INSTALLED)
	@$(BIN)/mypy --strict $(addprefix --package ,$(PACKAGES))

contracts: $(INSTALLED)
	@$(BIN)/lint-imports --no-cache

faults: $(INSTALLED)  ## Run the tests that kill, cut, stall and flood, then 3 minutes of chaos (SEED=7 gives the same again)
	@$(BIN)/python -m pytest tests/faults $(ARGS)
	@$(BIN)/symphony chaos --up symphony --every 3 --for 90 $(CHAOS)
	@$(BIN)/symphony chaos --up examples/tree.toml --kernel --every 5 --for 90 $(CHAOS)

fuzz:  ## Not built yet
	$(error make fuzz is not built yet)

bench: $(INSTALLED)  ## Measure against the anchors (NAME=transport asks one question)
	@$(BIN)/python -m benchmarks $(NAME) $(ARGS)

peers: $(INSTALLED)  ## Install what `make bench NAME=inprocess` measures beside Pykka where it is there (350 MB)
	@$(PIP_INSTALL) -r benchmarks/peers/constraints.txt

clean:  ## Remove what make made: the environment and the caches of its tools
	@if [ -e $(OURS) ]; then rm -rf $(VENV); elif [ -e $(VENV) ]; then echo 'clean: $(VENV) was not made by make: left alone'; fi
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find $(PACKAGES) tests benchmarks examples -name __pycache__ -type d -prune -exec rm -rf {} +
