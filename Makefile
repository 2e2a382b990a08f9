# make demo    from a fresh clone to a search on a simulated Loihi 2, in .venv, without torch
# make check   before each commit: lint, types, layers and the quick tests, in under 3 minutes
# make test    everything, with coverage, in under 12 minutes; on Debian as root it installs
#              Chromium first, which the tests of the leaderboard's page drive
# make site    the documentation as a site in build/site, links checked; needs no network to be read
#
# The first check or test also makes .venv with every version pinned by constraints.txt, and the
# first test Lava's own environment in .lava.

PYTHON ?= $(firstword $(foreach p,python3.11 python3.12 python3.13 python3,\
            $(shell $(p) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(p))))
BIN := .venv/bin

QUICK := not slow and not lava and not browser

.PHONY: demo check test site static chromium clean

demo: .venv/demo.done
	$(BIN)/loihi-gym solve map mlp-deep --budget 300

check: static
	$(BIN)/python -m pytest -q -n auto -m "$(QUICK)" --durations 10
	@echo "make check leaves out what is marked slow, lava or browser: make test runs all"

test: static chromium
	$(BIN)/python -m pytest -n auto --durations 30 --cov

site: .venv/site.done
	rm -rf build/site
	$(BIN)/python -m sphinx -W --keep-going -q -b html -c docs -d build/doctrees . build/site
	$(BIN)/python tools/check_site.py build/site
	@echo "open build/site/index.html"

static: .venv/test.done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy

# Without it the page's tests take what Selenium finds or fetches; if that is nothing they are
# skipped and say so or, with the variable CI set, fail.
chromium:
	@if command -v chromedriver && { command -v chromium || command -v chromium-browser || command -v google-chrome; }; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get && echo "installing Chromium for the tests of the leaderboard's page" >&2 && \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium chromium-driver; then :; \
	else echo "NO CHROMIUM AND CHROMEDRIVER: the tests of the leaderboard's page may be skipped. Debian: apt-get install chromium chromium-driver" >&2; \
	fi > /dev/null

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "loihi_gym needs Python 3.11 or newer: install it, or name it by make PYTHON=..." >&2; exit 2; }
	$(PYTHON) -m venv .venv

.venv/demo.done: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet -c constraints.txt -e .
	touch $@

.venv/test.done: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[dev]"
	touch $@

.venv/site.done: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[docs]"
	touch $@

clean:
	rm -rf .venv .lava runs build dist *.egg-info .coverage
