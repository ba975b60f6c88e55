# Everything a checkout can do. Needs make and Python 3.11 to 3.14, nothing else; `make` lists the targets.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input --quiet install
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links $(ARGS)

# What the product needs to run, and what the tests, linters and benchmarks need besides. A stamp is newer than the
# files it depends on as long as the environment holds what they say.
RUN := $(VENV)/installed-run
DEV := $(VENV)/installed-dev

# The tests run in this many processes side by side; 0 runs them one by one in a single process.
WORKERS := 4

# Python starts twice as fast from stored bytecode, and a run of the tests starts it hundreds of times.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo serve test soak lint bench golden docs lock clean

help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-7s %s\n", $$1, $$2 }' Makefile
	@echo 'ARGS="..." is handed on: make demo ARGS="--applications 500"; make test ARGS="-k redaction"'

demo: $(RUN) ## Run the service with a simulated, synced Personio account until Ctrl-C.
	@exec $(BIN)/atsumi demo $(ARGS)

serve: $(RUN) ## Run the service with the settings of ATSUMI_* and atsumi.toml.
	@exec $(BIN)/atsumi serve $(ARGS)

test: lint ## Run the linters and the whole test suite; TESTS="tests/server" takes a part.
	@$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal $(TESTS) $(ARGS)

soak: $(DEV) ## Random days and random writes against oracles (GAMES=200, SEED=<number>), random requests (REQUESTS=100 per operation).
	@ATSUMI_SOAK_GAMES=$(or $(GAMES),200) ATSUMI_SOAK_SEED=$(SEED) $(BIN)/python -m pytest tests/proofs -k "lists_are_true or comes_true" -s $(ARGS)
	@ATSUMI_SOAK_REQUESTS=$(or $(REQUESTS),100) $(BIN)/python -m pytest tests/contract $(ARGS)

lint: $(DEV) ## Check style, types and import directions.
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(DEV) ## Print ratios against baselines measured in the same run.
	@exec $(BIN)/python -m benchmarks $(ARGS)

golden: $(DEV) ## Write the golden files anew: what every operation answers. The diff shows what changes for clients.
	@ATSUMI_WRITE_GOLDEN=1 $(BIN)/python -m pytest tests/e2e/test_golden.py $(ARGS)

docs: $(DEV) ## Write the generated parts of the documentation again.
	@$(BIN)/python -m atsumi.server.settings_reference

lock: $(DEV) ## Write the pinned requirements again; ARGS=--upgrade takes newer releases.
	@$(LOCK) --output-file requirements/run.txt pyproject.toml
	@$(LOCK) --output-file requirements/build.txt --constraint requirements/run.txt requirements/build.in
	@$(LOCK) --output-file requirements/dev.txt --constraint requirements/run.txt \
		--constraint requirements/build.txt pyproject.toml requirements/build.in requirements/dev.in

clean: ## Remove the environment and all caches. Data folders stay.
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist
	find src tests benchmarks -type d -name __pycache__ -prune -exec rm -rf {} +

$(RUN): requirements/run.txt requirements/build.txt pyproject.toml | $(BIN)/python
	@echo 'Installing the product into $(VENV) ...'
	@$(PIP) --require-hashes --only-binary :all: -r requirements/run.txt -r requirements/build.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): requirements/dev.txt $(RUN)
	@echo 'Installing the tools for tests and checks into $(VENV) ...'
	@$(PIP) --require-hashes --only-binary :all: -r requirements/dev.txt
	@touch $@

# PYTHON names the interpreter to use, if the first one found is not wanted. The upper bound is that of the pinned
# packages, which come as binaries only.
$(BIN)/python:
	@set -e; \
	for python in $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11 python); do \
		if $$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
		echo 'Atsumi needs Python 3.11 to 3.14, and none was found. Name one: make PYTHON=/path/to/python3' >&2; exit 1; \
	fi; \
	if ! $$found -c 'import venv, ensurepip' 2>/dev/null; then \
		echo "$$found cannot create environments: its modules venv and ensurepip are missing." >&2; \
		echo 'On Debian and Ubuntu: apt-get install python3-venv' >&2; exit 1; \
	fi; \
	echo "Creating $(VENV) with $$($$found --version) ..."; \
	$$found -m venv --clear $(VENV)
