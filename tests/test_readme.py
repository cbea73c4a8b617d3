"""The README names what there is, and its code runs."""

import re
from importlib import import_module
from inspect import ismodule
from pathlib import Path

import pytest

import skrnn

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
PUBLIC = ["skrnn", *(f"skrnn.{name}" for name in skrnn.__all__ if ismodule(getattr(skrnn, name)))]
NAMES = sorted({name for module in PUBLIC for name in import_module(module).__all__} - {module.removeprefix("skrnn.") for module in PUBLIC})


@pytest.mark.parametrize("name", NAMES)
def test_the_feature_table_names_what_is_public(name):
    rows = [line for line in README.splitlines() if line.startswith("|")]
    assert any(re.search(rf"`(\w+\.)?{name}`", row) for row in rows)


def test_the_code_of_the_readme_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec("\n".join(re.findall(r"```python\n(.*?)```", README, re.DOTALL)), {})
    assert not list(tmp_path.iterdir())
