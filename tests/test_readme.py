"""The README is short, leads to what is there, and its code runs."""

import re
from pathlib import Path

import pytest

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
    monkeypatch.chdir(tmp_path)
    exec("\n".join(re.findall(r"```python\n(.*?)```", README, re.DOTALL)), {})
    assert not list(tmp_path.iterdir())
