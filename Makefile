# Every target makes .venv and installs what it needs when that is not there yet.
#
#   make demo        train softmax regression on real digits; no download but packages
#   make test        the tests (slow ones apart: make test-slow)
#   make section     S=3.7: format, check, test and run one section, in seconds
#   make lint        ruff and mypy
#   make bench       benchmarks beside their peers
#   make notebooks   every section as a notebook, in notebooks/
#   make docs        the site, in docs/_build/html
#   make results     runs on the real data in DIVEKIT_DATA, recorded in docs/results/
#
# On Linux without a GPU, save gigabytes of CUDA packages:
#
#   make demo TORCH_INDEX=https://download.pytorch.org/whl/cpu

PYTHON ?= python3
TORCH_INDEX ?=

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install -qq --constraint constraints.txt

# Each test computes on one thread, so a process for each core; four are enough for most memories.
PARALLEL := -n auto --maxprocesses 4 --dist worksteal

EXTRAS_demo := plot,data
EXTRAS_dev := dev
EXTRAS_docs := docs

.PHONY: demo test test-slow section lint bench notebooks docs results clean

demo: $(VENV)/installed-demo
	@$(BIN)/divekit train softmax_regression --sample
	@echo "(divekit is $(BIN)/divekit; 'source $(BIN)/activate' puts it on the path)"

test: $(VENV)/installed-dev
	@$(BIN)/python -m pytest $(PARALLEL)

test-slow: $(VENV)/installed-dev
	@$(BIN)/python -m pytest $(PARALLEL) -m slow

# The quick loop of whoever writes a section: make section S=3.7
section: $(VENV)/installed-dev
	@$(BIN)/ruff format src/divekit/sections src/divekit/book
	@$(BIN)/ruff check src/divekit/sections src/divekit/book
	@$(BIN)/python -m pytest -m "" tests/test_book.py tests/test_every_section.py tests/test_notebook.py -k "book or $(S)"
	@$(BIN)/divekit run $(S) --sample

lint: $(VENV)/installed-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: $(VENV)/installed-dev
	@$(BIN)/python -m benchmarks

notebooks: $(VENV)/installed-demo
	@$(BIN)/divekit notebook --all notebooks --force

docs: $(VENV)/installed-docs
	@$(BIN)/python -m sphinx -q -W --keep-going -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

results: $(VENV)/installed-dev
	@$(BIN)/python -m benchmarks.goals

# The first install takes minutes where torch has to be downloaded; a stamp makes it once.
$(VENV)/installed-%: pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing divekit[$(EXTRAS_$*)] into $(VENV) ..."
	@$(if $(TORCH_INDEX),$(PIP) torch --index-url $(TORCH_INDEX))
	@$(PIP) --editable ".[$(EXTRAS_$*)]"
	@touch $@

$(BIN)/python:
	@$(PYTHON) -m venv $(VENV)

clean:
	rm -rf $(VENV) docs/_build docs/sections docs/contents.md docs/notation.md dist
