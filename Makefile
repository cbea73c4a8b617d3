# make demo and make test need nothing but Python: they create the environment that they use.
PYTHON ?= python3
VENV ?= .venv

python = $(VENV)/bin/python
install = $(python) -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo test lint docs bench clean
.SECONDARY:

demo: $(VENV)/.installed-plot
	$(python) examples/plot_digits.py

test: $(VENV)/.installed-test
	$(python) -m pytest -q -n 2 tests

lint: $(VENV)/.installed-dev
	$(python) -m ruff check .
	$(python) -m ruff format --check .
	$(python) -m mypy skrnn

docs: $(VENV)/.installed-docs
	$(VENV)/bin/sphinx-build -W -b html docs docs/_build/html

bench: $(VENV)/.installed-bench
	set -e; for name in cells fit search memory ridge reservoir forecast; do $(python) -m benchmarks.$$name; done

clean:
	rm -rf build dist docs/_build docs/api.rst docs/auto_examples docs/generated docs/sg_execution_times.rst
	rm -rf .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -path './.*' -prune -o -name __pycache__ -prune -exec rm -rf {} +

# A stamp per extra: nothing is installed again until one of the two files changes.
$(VENV)/.installed-torch: constraints.txt
	test -x $(python) || $(PYTHON) -m venv $(VENV)
	$(install) torch
	touch $@

$(VENV)/.installed-%: pyproject.toml $(VENV)/.installed-torch
	$(install) -e ".[$*]"
	touch $@
