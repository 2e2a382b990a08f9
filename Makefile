# make demo   from a fresh clone to a search on a simulated Loihi 2, in .venv, without torch
# make test   the whole test suite, with every version pinned by constraints.txt

PYTHON ?= $(firstword $(foreach p,python3.11 python3.12 python3.13 python3,\
            $(shell $(p) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(p))))
BIN := .venv/bin

.PHONY: demo test clean

demo: .venv/demo.done
	$(BIN)/loihi-gym solve ga mlp-deep --budget 2000 --seed 0

test: .venv/test.done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "loihi_gym needs Python 3.11 or newer: install it, or name it by make PYTHON=..." >&2; exit 2; }
	$(PYTHON) -m venv .venv

.venv/demo.done: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet -c constraints.txt -e .
	touch $@

.venv/test.done: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[dev]"
	touch $@

clean:
	rm -rf .venv .lava runs build dist *.egg-info
