# make demo and make test need nothing but Python: they create the environment that they use.
PYTHON ?= python3
VENV ?= .venv
# What is installed: the checkout, or a wheel of it that was built before. pip leaves alone what is there already.
PACKAGE ?= .

python = $(VENV)/bin/python
# torch and its like bring thousands of modules, few of which are ever imported: those are compiled then, and not all of them now.
install = $(python) -m pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt
unexport PYTHONDONTWRITEBYTECODE
# The installed package is tested, also in processes that tests start, and not what stands where make is called.
# A worker that has nothing left to do takes tests from the far end of the other's: two seldom compile the same kernel.
test = PYTHONSAFEPATH=1 $(python) -m pytest -q -n 2 --dist worksteal

.PHONY: demo test test-adapters lint docs bench clean
.SECONDARY:

demo: $(VENV)/.installed-plot
	$(python) examples/sequences/plot_digits.py

test: $(VENV)/.installed-test
	$(test) tests

test-adapters: $(VENV)/.installed-test-adapters
	$(test) tests/adapters

lint: $(VENV)/.installed-dev
	$(python) -m ruff check .
	$(python) -m ruff format --check .
	$(python) -m mypy skrnn

docs: $(VENV)/.installed-docs
	$(VENV)/bin/sphinx-build -W -b html docs docs/_build/html

bench: $(VENV)/.installed-bench
	set -e; for name in cells fit search memory ridge reservoir forecast; do $(python) -m benchmarks.$$name; done

clean:
	rm -rf build dist docs/_build docs/api.rst docs/api docs/auto_examples docs/generated docs/sg_execution_times.rst
	rm -rf .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -path './.*' -prune -o -name __pycache__ -prune -exec rm -rf {} +

# A stamp per extra: nothing is installed again until one of the two files changes.
$(VENV)/.installed-torch: constraints.txt
	test -x $(python) || $(PYTHON) -m venv $(VENV)
	$(install) torch
	touch $@

$(VENV)/.installed-%: pyproject.toml $(VENV)/.installed-torch
	$(install) $(if $(filter .,$(PACKAGE)),-e) "$(PACKAGE)[$*]"
	touch $@
