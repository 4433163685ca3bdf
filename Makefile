# The commands of the project: `make` lists them. ARGS goes to the command: make jam ARGS="--tempo 96"

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python .ci/install.py --constraint constraints.txt
PYTEST := $(BIN)/python -m pytest --cov --cov-report= --cov-fail-under=0
# Tests of real processes, ports and browsers wait most of the time, and want the machine for themselves.
ALONE := $(addprefix tests/,benchmarks faults integration packaging web)
# What pytest says where ARGS chooses tests of the other call only.
NO_TESTS := 5
PURE := music midi listening playing rewards engine
space := $(subst ,, )
comma := ,
PURE_FILES := $(subst $(space),$(comma),$(foreach layer,$(PURE),*/improviser/$(layer)/* */improviser/$(layer).py))

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: jam
jam: $(VENV)/.base ## Play: improvise along with what comes in on MIDI (installs what that takes)
	@exec $(BIN)/improviser jam $(ARGS)

.PHONY: test
test: $(VENV)/.dev ## Lint, run the tests and hold coverage to its limits
	@.ci/jack
	@.ci/pipewire
	@.ci/sound
	@.ci/chromium
	@$(MAKE) --no-print-directory lint
	@$(BIN)/coverage erase
	@$(PYTEST) --numprocesses auto $(addprefix --ignore=,$(ALONE)) $(ARGS) || [ $$? = $(NO_TESTS) ]
	@$(PYTEST) --cov-append $(ALONE) $(ARGS) || [ $$? = $(NO_TESTS) ]
	@echo "== coverage of everything"
	@$(BIN)/coverage report
	@echo "== coverage of the pure layers: $(PURE)"
	@$(BIN)/coverage report --include='$(PURE_FILES)' --fail-under=100

.PHONY: lint
lint: $(VENV)/.dev ## Check style, format, types and the layers' contracts
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

.PHONY: bench
bench: $(VENV)/.train ## Measure decisions, engine, environment and training
	@exec $(BIN)/improviser bench $(ARGS)

.PHONY: train
train: $(VENV)/.train ## Train a model on the corpus
	@exec $(BIN)/improviser train $(ARGS)

.PHONY: evaluate
evaluate: $(VENV)/.train ## Measure a model beside people and baselines
	@exec $(BIN)/improviser evaluate $(ARGS)

.PHONY: docs
docs: $(VENV)/.docs ## Build the documentation into docs/_build
	@$(BIN)/sphinx-build -W --keep-going -q docs docs/_build
	@echo "docs/_build/index.html"

.PHONY: pictures
pictures: $(VENV)/.dev ## Draw the documentation's pictures anew: rolls, flow, screenshots
	@.ci/chromium
	@$(BIN)/python docs/pictures.py $(ARGS)

.PHONY: clean
clean: ## Remove what was built, the virtual environment included
	@rm -rf $(VENV) build dist docs/_build htmlcov .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache \
	  .hypothesis .import_linter_cache .benchmarks
	@find improviser tests docs -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: venv
venv: $(VENV)/.created

# Stamps: a call that has nothing to install takes no time.
$(VENV)/.created:
	@.ci/venv $(VENV)
	@touch $@

$(VENV)/.base: pyproject.toml constraints.txt | $(VENV)/.created
	@echo "Installing what playing takes into $(VENV) ..."
	@$(PIP) --editable .
	@.ci/driver $(BIN)/python
	@touch $@

$(VENV)/.train: pyproject.toml constraints.txt | $(VENV)/.created
	@echo "Installing what training takes into $(VENV) (torch is large: a minute or more) ..."
	@$(PIP) --editable '.[train]'
	@touch $@ $(VENV)/.base

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/.created
	@echo "Installing what the tests take into $(VENV) (torch is large: a minute or more) ..."
	@$(PIP) --editable '.[docs,link,lint,scale,test,train]'
	@.ci/driver $(BIN)/python
	@.ci/link $(BIN)/python
	@touch $@ $(VENV)/.base $(VENV)/.train $(VENV)/.docs

$(VENV)/.docs: pyproject.toml constraints.txt | $(VENV)/.created
	@echo "Installing what the documentation takes into $(VENV) ..."
	@$(PIP) --editable '.[docs]'
	@touch $@ $(VENV)/.base
