# `make quickstart` and `make test` do everything on a fresh machine; see README.md.
PYTHON ?= python3
BIN := .venv/bin
# Random expressions from each grammar that `make test-export` verifies beside the catalogue.
EXPORT_SAMPLES ?= 200
# The same for what is also compiled, traced and exported as one graph: 300 functions with these.
EXPORT_CAPTURED ?= 42

.PHONY: help install quickstart test test-export test-faults check docs benchmark clean

help:
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 22

install: .venv/.installed  ## make .venv and install the project with everything that tests need

.venv/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "actsearch needs Python 3.11 or later; name one: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --constraint constraints.txt --editable '.[dev]'
	@touch $@

quickstart: install  ## a first campaign, in about four minutes; again, it continues
	$(BIN)/actsearch launch runs/campaigns/quickstart.toml

test: install  ## the whole test suite
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal --durations 40

test-export: install  ## every function of the catalogue in every framework (installs them)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --constraint constraints.txt --editable '.[dev,export]'
	ACTSEARCH_FULL_TESTS=1 $(BIN)/python -m pytest tests/grammars/export \
	  tests/search/test_export_command.py tests/test_examples.py
	$(BIN)/python tests/grammars/export/every_framework.py --samples $(EXPORT_SAMPLES)
	$(BIN)/python tests/grammars/export/every_framework.py --samples $(EXPORT_CAPTURED) \
	  --targets pytorch --effort usual

test-faults: install  ## a hundred and sixty kills, ten pauses, a thousand damaged files, killed tracking servers, a lost node of a Ray cluster (installs Ray)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --constraint constraints.txt --editable '.[dev,ray]'
	ACTSEARCH_FULL_TESTS=1 $(BIN)/python -m pytest tests/search/test_kills.py \
	  tests/search/test_making.py tests/search/test_pauses.py tests/search/test_dry_run.py \
	  tests/search/test_mutations.py tests/search/test_servers.py tests/search/test_ray_cluster.py

check: install  ## style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: install  ## the documentation as a site in build/site, links checked (installs mkdocs)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --constraint constraints.txt --editable '.[dev,docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

benchmark: install  ## the language's rates; candidates scored a minute beside JAX and PyTorch loops
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --constraint constraints.txt --editable '.[dev,export-torch]'
	$(BIN)/python -m tests.benchmarks.language
	$(BIN)/python -m tests.benchmarks.scoring
	@echo "Longer ones, a quarter of an hour together: $(BIN)/python -m tests.benchmarks.NAME,"
	@echo "where NAME is strategies (against chance), regret (against the best of all), rediscovery"
	@echo "(of Swish, GELU, Mish), layers (a function for each) or agreement (of the table that these train with)."

clean:  ## remove the environment and caches; campaigns stay
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
