# Everything a person does with this repository. `make` alone lists it.
.DEFAULT_GOAL := help
.PHONY: help setup setup-test setup-bench demo test test-fast test-all lint format bench docs lock clean
BIN := .venv/bin
# More arguments for pytest, e.g. make test TESTS="-k identity"
TESTS ?=

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Virtual environment in .venv, locked dependencies, Delta jars (needs Python 3.11 and Java 17)
	@tools/setup.sh runtime

setup-test:
	@tools/setup.sh test

demo: setup ## Sample logs, the whole flow in local mode, a report, three queries worth trying
	@$(BIN)/personalake demo

test: setup-test ## The tests, without the long ones
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not slow" $(TESTS)

test-fast: setup-test ## Only the tests that need no Spark: seconds
	@$(BIN)/python -m pytest -m "not slow and not spark" $(TESTS)

test-all: setup-test ## All tests, the long ones too: every kill point, servers, fuzzing, a real cluster
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(TESTS)

lint: setup-test ## Style, types, layers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: setup-test ## Put the code into the agreed form
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

setup-bench:
	@tools/setup.sh bench

bench: setup-bench ## Measure the hot paths beside their peers (two hours; tables also in .personalake/bench)
	@for name in item_cosine als sample_logs ingest; do echo "$$name"; $(BIN)/python "benchmarks/$$name.py" || exit 1; done

docs: setup ## Write docs/settings.md, data-dictionary.md, views.md and features.md from what the code declares
	@for page in settings:settings tables:data-dictionary views:views features:features; do \
		$(BIN)/python -m personalake.reference "$${page%%:*}" > docs/.new \
			&& mv docs/.new "docs/$${page##*:}.md" || { rm -f docs/.new; exit 1; }; \
	done

lock: setup-test ## Resolve and hash the dependencies anew (needs the network)
	@tools/lock.sh

clean: ## Remove the environment, caches and the demo's data (not your warehouses)
	@rm -rf .venv .personalake build dist lib/*.egg-info spark-warehouse metastore_db derby.log
	@rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	@find lib tests jobs benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
