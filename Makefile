# One word per chore. CI calls the same words.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000
HOST ?= 127.0.0.1
DEMO_INDEX := var/demo-index

.PHONY: help run test check bench train-deps docker-test browser clean

help: ## Show the chores
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

run: $(VENV)/.serve $(DEMO_INDEX)/current ## Set up, build the demo index when it is missing or outdated, serve the drawing page
	$(BIN)/inkseek serve --index $(DEMO_INDEX) --host $(HOST) --port $(PORT)

test: $(VENV)/.dev browser ## Set up and run every test, those in the browser too
	$(BIN)/pytest

check: $(VENV)/.dev ## Lint, format, types, import rules, known vulnerabilities
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint docker/*.Dockerfile
	$(BIN)/pip-audit --progress-spinner off --disable-pip --no-deps --requirement constraints.txt

bench: $(VENV)/.dev ## Measure: each file of benchmarks/ names its baseline
	@set -e; for file in benchmarks/*.py; do echo "== $$file"; $(BIN)/python $$file; done

train-deps: $(VENV)/.dev ## Install what training needs (torch)

docker-test: $(VENV)/.dev ## Build the images and run them once (needs a Docker engine)
	$(BIN)/pytest -m docker tests/docker -rs

browser: ## Chromium for the page's tests
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
	  || { sudo=$$(test $$(id -u) = 0 || echo sudo); $$sudo apt-get update -qq && $$sudo apt-get install -y -qq --no-install-recommends chromium; }

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "Inkseek needs Python 3.11 or newer"'
	@$(PYTHON) -m venv $(VENV) || { echo "venv is missing: on Debian and Ubuntu, apt-get install python3-venv"; exit 1; }

$(VENV)/.serve: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[cpu]'
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[cpu,dev,train]'
	@touch $@ $(VENV)/.serve

# Another bundle means other vectors: the service would refuse the old index.
$(DEMO_INDEX)/current: models/bundles/default/manifest.json examples/gallery/manifest.csv | $(VENV)/.serve
	$(BIN)/inkseek index build --photos examples/gallery/manifest.csv --out $(DEMO_INDEX)

clean: ## Remove what was built; the environment stays
	rm -rf var build dist *.egg-info .mypy_cache .ruff_cache
