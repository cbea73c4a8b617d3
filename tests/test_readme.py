"""The README is short, leads to what is there, and its code runs."""

import re
from pathlib import Path

import pytest
from sklearn import datasets
from sklearn.datasets import load_digits

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_it_is_read_in_a_few_minutes():
    assert len(README.splitlines()) <= 130


def test_the_quickstart_is_marked():
    assert "<!-- quickstart -->\n```python\n" in README


@pytest.mark.parametrize("target", re.findall(r"\]\((?!https?:)([^)#]+)", README))
def test_its_links_lead_somewhere(target):
    assert (ROOT / target).exists()


def test_its_code_runs(tmp_path, monkeypatch):
    """On a tenth of the digits: on all of them the quickstart runs by itself, in .ci/run."""
    X, y = load_digits(return_X_y=True)
    monkeypatch.setattr(datasets, "load_digits", lambda return_X_y: (X[::10], y[::10]))
    monkeypatch.chdir(tmp_path)
    exec("\n".join(re.findall(r"```python\n(.*?)```", README, re.DOTALL)), {})
    assert not list(tmp_path.iterdir())
