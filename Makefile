# make demo: the whole benchmark on the embedded worlds.  make test: the test suite.  make check: style, types, docs.
# All install what they need into .venv, once, and touch nothing else on the machine.
PYTHON ?= python3
CORES ?= all
RUN := results/demo
INSTALLED := .venv/.installed
CHECKS := .venv/checks/.installed

export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/.venv/checks/bin:$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_CACHE_DIR := 1

# Caches go into .venv; weights that torch or Hugging Face hold in the usual places are still found.
USUAL_CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)
export TORCH_HOME ?= $(USUAL_CACHE)/torch
export HF_HOME ?= $(USUAL_CACHE)/huggingface
export XDG_CACHE_HOME := $(CURDIR)/.venv/cache
export MPLCONFIGDIR := $(CURDIR)/.venv/cache/matplotlib

.PHONY: demo test check pages format install lock clean

demo: $(INSTALLED) unlocked
	@snakemake --cores $(CORES)
	@echo "Tables, figures and galleries are in $(RUN)/; open $(RUN)/report.html"

# A process a core; .ci/run adds what is marked slow.
test: $(INSTALLED)
	@OMP_NUM_THREADS=1 python -m pytest -n auto --dist worksteal -m "not slow"

install: $(INSTALLED)

# Everything that is checked without running the benchmark.
check: $(CHECKS)
	@pre-commit run --all-files
	@mypy
	@NO_MKDOCS_2_WARNING=1 mkdocs build --quiet --strict

# The pages of docs/reference, anew from the registries, and the picture of the house from its imports.
pages: $(INSTALLED)
	@python docs/make_reference.py
	@python docs/make_architecture.py

# What only a GPU can show, on a machine that has torch and this checkout; with .venv where it is there.
.PHONY: gpu-check
gpu-check:
	@$(PYTHON) -m benchmark gpu-check --output results/gpu_check.json

format: $(INSTALLED)
	@ruff check --fix .
	@ruff format .
	@snakefmt Snakefile workflow

# A run that was killed leaves its lock behind; only one whose process is gone may be unlocked.
.PHONY: unlocked
unlocked: $(INSTALLED)
	@pid=$$(cat .snakemake/run.pid 2>/dev/null); \
	if [ -n "$$pid" ] && kill -0 "$$pid" 2>/dev/null && ps -ww -p "$$pid" -o stat= -o args= | grep -v "^Z" | grep -q snakemake; then \
	    echo "error: a run is in progress (process $$pid); wait for it or stop it" >&2; exit 1; \
	fi; \
	if [ -n "$$(ls .snakemake/locks 2>/dev/null)" ]; then \
	    echo "The last run was interrupted; going on where it stopped."; snakemake --unlock; \
	fi

$(INSTALLED): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit("error: Python 3.11 or later is needed; say make PYTHON=...") if sys.version_info < (3, 11) else None'
	@[ -x .venv/bin/python ] || $(PYTHON) -m venv .venv
	python -m pip install --quiet -r requirements.lock
	python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# The tools of the checks have a folder of their own: nothing that a run imports can come from them.
$(CHECKS): $(INSTALLED) requirements-checks.lock
	@[ -x .venv/checks/bin/python ] || python -m venv .venv/checks
	.venv/checks/bin/python -m pip install --quiet -r requirements-checks.lock
	@touch $@

# Pins what .venv and .venv/checks hold; run it after changing the dependencies of pyproject.toml.
lock: $(CHECKS)
	python -m pip freeze --all --exclude-editable --exclude pip \
	    | sed -E 's/^((nvidia|cuda|triton|bitsandbytes)[^;]*)$$/\1 ; sys_platform == "linux"/' > requirements.lock
	.venv/checks/bin/python -m pip freeze > requirements-checks.lock

# Removes the demo's results, and nothing else.
clean:
	rm -rf $(RUN)
