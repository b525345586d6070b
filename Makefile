# Everything stays inside the checkout: the environment in .venv, results in build/. The network is used for the package
# index alone, and only when .venv is made.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEVELOP := $(VENV)/.develop
WORKERS ?= auto
EXTRAS ?= dev
MINUTES ?= 10

MINGW ?= x86_64-w64-mingw32
DDK ?= /usr/$(MINGW)/include/ddk
DRIVER_CFLAGS := -std=c11 -Os -Wall -Wextra -Werror -ffreestanding -isystem $(DDK)
DRIVER_LDFLAGS := -nostdlib -s \
	-Wl,--subsystem,native:10.0,--major-os-version,10,--entry,DriverEntry,--image-base,0x140000000 \
	-Wl,--no-insert-timestamp,--dynamicbase,--high-entropy-va,--nxcompat,--enable-reloc-section

.DEFAULT_GOAL := help
.PHONY: help env demo sign test lint example mutants survivors parity bench clean

help: ## What there is to make
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

env: $(STAMP) ## The environment in .venv, made anew when pyproject.toml changes

$(STAMP): pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON): install Python 3.11 or later."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "$(PYTHON) is older than 3.11; try: make PYTHON=python3.12"; exit 1; }
	@echo "Making the environment in $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) \
		|| { echo "Python can't make an environment: on Debian and Ubuntu, apt install python3-venv."; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(DEVELOP): $(STAMP)
	@echo "Adding what tests and checks need ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$(EXTRAS)]'
	@touch $@

demo: $(STAMP) ## The main job: sign the driver package in examples/, catalog it, verify it
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh examples/demo.sh build/demo

sign: $(STAMP) ## The driver in examples/ by the rules that drvsign ships for makefiles (docs/make.md)
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(MAKE) -f examples/Makefile test-sign verify

test: $(DEVELOP) ## All tests
	@$(BIN)/python -m pytest -n $(WORKERS) $(PYTEST)

lint: $(DEVELOP) ## Style, types and who imports whom
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check .
	@$(BIN)/python -m mypy
	@$(BIN)/python -c 'from importlinter.cli import lint_imports_command as lint; lint()'

example: $(DEVELOP) ## Compile examples/hello/hello.sys again; needs mingw-w64
	@command -v $(MINGW)-gcc >/dev/null \
		|| { echo "There is no $(MINGW)-gcc: on Debian and Ubuntu, apt install gcc-mingw-w64-x86-64."; exit 1; }
	$(MINGW)-gcc $(DRIVER_CFLAGS) $(DRIVER_LDFLAGS) -o examples/hello/hello.sys examples/hello/hello.c -lntoskrnl
	@chmod 644 examples/hello/hello.sys
	@$(BIN)/python -m pytest -q tests/examples

mutants: $(DEVELOP) ## Small changes to the code that no test notices: ONLY=signer/verify MINUTES=10
	@$(BIN)/python -m tests.support.mutants $(ONLY) --minutes $(MINUTES)

survivors: $(DEVELOP) ## The mutants that survived so far, and how many were tried
	@$(BIN)/python -m tests.support.mutants $(ONLY) --report

parity: $(DEVELOP) ## Our catalogs beside Microsoft's, for every package of the corpus
	@$(BIN)/python -m bench.parity

bench: $(DEVELOP) ## How fast it is
	@for program in bench/[a-z]*.py; do \
		case $$program in bench/parity.py) continue ;; esac; \
		echo "== $$program"; $(BIN)/python -m bench.$$(basename $$program .py) || exit 1; \
	done

clean: ## Remove the environment and everything that was made
	rm -rf $(VENV) build dist testcerts/generated .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
