# All files stay inside the checkout: the virtual environment in .venv, results in build/. Only creating .venv uses the
# network, for the package index.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEVELOP := $(VENV)/.develop
TOOLS := build/tools/.installed
WORKERS ?= auto
EXTRAS ?= dev
MINUTES ?= 10
FLIPS ?= 64
T ?= 60

MINGW ?= x86_64-w64-mingw32
DDK ?= /usr/$(MINGW)/include/ddk
DRIVER_CFLAGS := -std=c11 -Os -Wall -Wextra -Werror -ffreestanding -isystem $(DDK)
DRIVER_LDFLAGS := -nostdlib -s \
	-Wl,--subsystem,native:10.0,--major-os-version,10,--entry,DriverEntry,--image-base,0x140000000 \
	-Wl,--no-insert-timestamp,--dynamicbase,--high-entropy-va,--nxcompat,--enable-reloc-section

.DEFAULT_GOAL := help
.PHONY: help env demo sign test coverage lint example fuzz mutants survivors tamper faults lock audit sbom dist docs parity bench clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

env: $(STAMP) ## Create the virtual environment in .venv; created again when pyproject.toml changes

$(STAMP): pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) was not found: install Python 3.11 or later."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "$(PYTHON) is older than 3.11. Run: make PYTHON=python3.12"; exit 1; }
	@echo "Creating the virtual environment in $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) \
		|| { echo "Python can't create a virtual environment. On Debian and Ubuntu, run: apt install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(DEVELOP): $(STAMP)
	@echo "Installing the packages for tests and checks ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$(EXTRAS)]'
	@touch $@

demo: $(STAMP) ## Sign, catalog and verify the driver package in examples/
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh examples/demo.sh build/demo

sign: $(STAMP) ## Sign and verify the driver in examples/ with drvsign's rules for makefiles (docs/make.md)
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(MAKE) -f examples/Makefile test-sign verify

test: $(DEVELOP) ## Run all tests
	@$(BIN)/python -m pytest -n $(WORKERS) $(PYTEST)

coverage: $(DEVELOP) ## Run all tests and report the lines and branches that none of them runs
	@$(BIN)/python -m pytest -n $(WORKERS) --cov --cov-report=term-missing:skip-covered --cov-report=html:build/coverage $(PYTEST)

lint: $(DEVELOP) ## Check style, types (also of Windows and macOS) and imports between packages
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check .
	@$(BIN)/python -m mypy
	@for system in win32 darwin; do \
		$(BIN)/python -m mypy --platform $$system --cache-dir .mypy_cache/$$system -p signer -p catalogs -p testcerts \
			|| exit 1; \
	done
	@$(BIN)/python -c 'from importlinter.cli import lint_imports_command as lint; lint()'

example: $(DEVELOP) ## Compile examples/hello/hello.sys again; needs mingw-w64
	@command -v $(MINGW)-gcc >/dev/null \
		|| { echo "$(MINGW)-gcc was not found. On Debian and Ubuntu, run: apt install gcc-mingw-w64-x86-64"; exit 1; }
	$(MINGW)-gcc $(DRIVER_CFLAGS) $(DRIVER_LDFLAGS) -o examples/hello/hello.sys examples/hello/hello.c -lntoskrnl
	@chmod 644 examples/hello/hello.sys
	@$(BIN)/python -m pytest -q tests/examples

fuzz: $(DEVELOP) ## Fuzz the readers, T seconds each: T=600 ONLY="inf verify"
	@$(BIN)/python -m tests.fuzz.run $(ONLY) --seconds $(T)

mutants: $(DEVELOP) ## Small changes to the code that no test notices: ONLY=signer/verify MINUTES=10
	@$(BIN)/python -m tests.support.mutants $(ONLY) --minutes $(MINUTES)

survivors: $(DEVELOP) ## The mutants that survived so far, and how many were tried
	@$(BIN)/python -m tests.support.mutants $(ONLY) --report

tamper: $(DEVELOP) ## Change bytes of all signed files of the corpus; no change may be accepted: ONLY=drivers/ FLIPS=64
	@$(BIN)/python -m tests.support.tampering --only "$(ONLY)" --flips $(FLIPS)

faults: $(DEVELOP) ## Kill commands at every call that changes the disk, and let each call fail
	@DRVSIGN_FAULTS=1 $(BIN)/python -m pytest -n $(WORKERS) tests/signer/cli/test_faults.py $(PYTEST)

$(TOOLS): Makefile
	@echo "Installing the tools for locks, audits, SBOMs and distributions in build/tools ..."
	@$(PYTHON) -m venv build/tools
	@build/tools/bin/python -m pip install --quiet --disable-pip-version-check \
		uv pip-audit cyclonedx-bom pipx shiv
	@touch $@

lock: $(TOOLS) ## Write requirements-dev.txt: version and hashes of each package for development
	@build/tools/bin/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-header --no-annotate --quiet --output-file requirements-dev.txt

audit: $(TOOLS) $(DEVELOP) ## Look for known vulnerabilities in the locked packages: ADVISORIES=FOLDER
	@$(BIN)/python -m tests.support.audit $(if $(ADVISORIES),--advisories "$(ADVISORIES)")

sbom: $(TOOLS) ## Write build/sbom.cdx.json: the packages of an installation of drvsign, as CycloneDX
	@rm -rf build/installed && $(PYTHON) -m venv --without-pip build/installed
	@build/tools/bin/uv pip install --quiet --python build/installed/bin/python .
	@build/tools/bin/cyclonedx-py environment --pyproject pyproject.toml --mc-type application --output-reproducible \
		--output-format JSON --output-file build/sbom.cdx.json build/installed/bin/python
	@echo build/sbom.cdx.json

dist: $(TOOLS) $(DEVELOP) ## Build wheel, sdist and single file in dist/, install each with pip, pipx and uv, and run the demo
	@$(BIN)/python -m tests.support.distributions

$(VENV)/.docs: $(DEVELOP)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	@touch $@

docs: $(VENV)/.docs ## Build the documentation as a site in build/site, and check all links
	@$(BIN)/python -m mkdocs build --quiet --clean

parity: $(DEVELOP) ## Compare our catalogs with Microsoft's, for every package of the corpus
	@$(BIN)/python -m bench.parity

bench: $(DEVELOP) ## Measure the speed beside peers, and write bench/RESULTS.md: ROWS="start packages"
	@$(BIN)/python -m bench.run $(ROWS)

clean: ## Delete the virtual environment and all generated files
	rm -rf $(VENV) build dist testcerts/generated .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
