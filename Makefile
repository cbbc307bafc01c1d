# Every target sets up .venv first where it needs it: Python 3.11 and make are all that has to be there.
PYTHON  ?= python3.11
WORKERS ?= 2

BIN       := .venv/bin
INSTALLED := .venv/.installed
NOTEBOOKS := $(wildcard notebooks/*.ipynb)
# One thread a process: the test workers share the cores, and a notebook's digits do not depend on how many there are.
ONE_THREAD := OMP_NUM_THREADS=1

export PYTHONUNBUFFERED := 1
.DEFAULT_GOAL := help
.PHONY: help audit readme test bench bench-predict bench-training mutation lint types format notebooks clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST)

audit: $(INSTALLED) ## judge every claim, symbolically and numerically
	$(BIN)/collapse audit

readme: $(INSTALLED) ## judge the errata and write their table into README.md
	$(BIN)/collapse errata --into README.md

test: lint types ## lint, types, the tests and the notebooks
	$(ONE_THREAD) $(BIN)/pytest -n $(WORKERS) --dist loadfile --nbval --nbval-current-env --durations 10 tests $(NOTEBOOKS)

bench: $(INSTALLED) ## time the descent beside its peers, and write benchmarks/README.md; takes some minutes
	$(ONE_THREAD) $(BIN)/python benchmarks/descent.py

bench-predict: $(INSTALLED) ## time spectra beside NumPy and scikit-learn; LARGE=--large: from a file of 2 GB
	$(BIN)/python benchmarks/predict.py $(LARGE)

bench-training: $(INSTALLED) ## time a grid of networks as one ensemble beside a loop in PyTorch, and write benchmarks/README.md
	$(ONE_THREAD) $(BIN)/python benchmarks/training.py

mutation: $(INSTALLED) ## change the code of the theory in small ways, and see that the tests notice; takes some hours
	$(BIN)/python tests/mutation --sample $(or $(SAMPLE),24) $(addprefix --module ,$(MODULE))

lint: $(INSTALLED) ## ruff: rules and layout
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(INSTALLED) ## mypy on the three packages
	$(BIN)/mypy

format: $(INSTALLED) ## let ruff lay out the source and mend what it can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

notebooks: $(INSTALLED) ## bring each notebook and its text source together, and execute it
	$(BIN)/jupytext --sync $(NOTEBOOKS)
	$(ONE_THREAD) $(BIN)/jupyter nbconvert --to notebook --inplace --execute --ExecutePreprocessor.record_timing=False $(NOTEBOOKS)
	$(BIN)/jupytext --sync $(NOTEBOOKS)

clean: ## remove the environment, caches and build output
	rm -rf .venv build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(INSTALLED): pyproject.toml constraints.txt
	@echo "Installing into .venv; this takes a few minutes the first time."
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@
