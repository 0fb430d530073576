# Every word does its own set-up from a fresh clone: it needs Python 3.11 or newer, make and a network.
# PYTHON names the interpreter that .venv is made from; all else comes from the two locks, with hashes.

SHELL := /bin/sh
PYTHON ?= python3
UV_VERSION := 0.13.9
BIN := .venv/bin
UV := $(BIN)/uv pip
# The machine's own certificates, so that a proxy which opens TLS is trusted as the machine trusts it.
INSTALL := $(UV) install --quiet --compile-bytecode --system-certs --python $(BIN)/python
COMPILE := $(UV) compile --quiet --system-certs --universal --generate-hashes --python-version 3.11 \
           --custom-compile-command "make lock" $(UPGRADE)
# A home that cannot be written to gets its cache here.
ifneq ($(shell test -w "$$HOME" && echo yes),yes)
export UV_CACHE_DIR ?= $(CURDIR)/.venv/cache
endif

# Keys sorted by file and without line numbers: two people who add strings in two places do not meet.
LOCALE := app/locale
STRINGS := --sort-by-file --add-location=file --no-wrap
KEYWORDS := -k say:1 -k plural:1,2 -k dated:1 -k key:1 -k forms:1,2

.DEFAULT_GOAL := help
.PHONY: help demo test setup lint fix bench bench-send chaos fuzz-api docs-check look strings lock

help:
	@echo "make demo        a whole morning on this machine: sign-up, edition, mail"
	@echo "make test        lint, types, import contracts and every test"
	@echo "make setup       only .venv, with the morningpost command in it"
	@echo "make lint        lint, types and import contracts"
	@echo "make fix         put formatting and imports right"
	@echo "make bench       measure against the budgets"
	@echo "make bench-send  measure the whole way of a mail beside Postfix's load generator (needs postfix installed)"
	@echo "make chaos       kill the sender 800 times and count what arrived; KILLS=20 is shorter"
	@echo "make fuzz-api    hold the API to its description with random requests; EXAMPLES=1000 is longer"
	@echo "make docs-check  every setting, command and provider stands in the docs"
	@echo "make look        take the pictures in docs/look again (needs Chromium)"
	@echo "make strings     bring the catalogues in step with the words in the code"
	@echo "make lock        compile the two locks again from pyproject.toml"

demo: .venv/run.ok
	@$(BIN)/morningpost demo

setup: .venv/run.ok

test: lint
	$(BIN)/python -m pytest -n 3 --dist worksteal --inline-snapshot=disable

lint: .venv/dev.ok
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: .venv/dev.ok
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/dev.ok
	$(BIN)/python -m bench

# READERS=100000 sends more; MILLION=--million also releases 1,000,000 deliveries and sends the first of them.
READERS := 20000
bench-send: .venv/dev.ok
	$(BIN)/python -m bench.send --readers $(READERS) $(MILLION)

KILLS := 200
chaos: .venv/dev.ok
	$(BIN)/python -m tests.chaos --kills $(KILLS)
	$(BIN)/python -m pytest -s tests/chaos/test_troubles.py tests/chaos/test_networks.py tests/chaos/long_nights.py

EXAMPLES := 100
fuzz-api: .venv/dev.ok
	$(BIN)/python -m tests.fuzz_api --examples $(EXAMPLES)

docs-check: .venv/dev.ok
	$(BIN)/python -m pytest tests/house/test_docs.py

look: .venv/dev.ok
	$(BIN)/python -m tests.look docs/look

# LANGUAGE=fr begins a new catalogue. What nobody says any more leaves the catalogues at once; git remembers it.
strings: .venv/dev.ok
	@$(BIN)/pybabel --quiet extract -F babel.cfg $(KEYWORDS) $(STRINGS) --omit-header -c Translators: -o $(LOCALE)/messages.pot .
	@[ -z "$(LANGUAGE)" ] || $(BIN)/pybabel --quiet init -i $(LOCALE)/messages.pot -d $(LOCALE) -l $(LANGUAGE) --no-wrap
	@for file in $(LOCALE)/*/LC_MESSAGES/messages.po; do \
	  $(BIN)/pybabel --quiet update -i $(LOCALE)/messages.pot -o $$file -l $$(basename $${file%/LC_MESSAGES/*}) \
	    --no-wrap --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date; done

# The second lock is bound by the first: what the tests run is what is served. UPGRADE=--upgrade takes newer releases.
lock: .venv/uv-$(UV_VERSION).ok
	$(COMPILE) --group build pyproject.toml -o requirements.lock
	$(COMPILE) --group dev -c requirements.lock pyproject.toml -o requirements-dev.lock

# Older pips trust only a list of their own; they are shown the machine's.
.venv/uv-$(UV_VERSION).ok:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "The AI Morning Post needs Python 3.11 or newer, and '$(PYTHON)' is not." \
	       "Name another: make PYTHON=/path/to/python3.12 ..." >&2; exit 1; }
	@echo "Making .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv .venv || { \
	  echo "'$(PYTHON)' cannot make a virtual environment; on Debian the package python3-venv is missing." >&2; exit 1; }
	@certificates=$$($(BIN)/python -c 'import ssl; print(ssl.get_default_verify_paths().cafile or "")'); \
	  PIP_CERT=$${PIP_CERT:-$$certificates}; [ -z "$$PIP_CERT" ] || export PIP_CERT; \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

.venv/run.ok: .venv/uv-$(UV_VERSION).ok requirements.lock pyproject.toml
	@echo "Installing what the service needs"
	@$(INSTALL) --require-hashes -r requirements.lock
	@$(INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

.venv/dev.ok: .venv/run.ok requirements-dev.lock
	@echo "Installing what the tests need"
	@$(INSTALL) --require-hashes -r requirements-dev.lock
	@touch $@
