"""Sphinx settings; see CONTRIBUTING.md for the commands."""

import os
import sys
from functools import cached_property
from importlib.metadata import version as installed_version
from inspect import unwrap
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

project = "skrnn"
author = "The skrnn developers"
copyright = f"2026, {author}"
version = release = installed_version("skrnn")

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "myst_parser",
    "sphinx_gallery.gen_gallery",
    "api_page",
    "cell_page",
    "names_page",
    "reproductions",
]
exclude_patterns = ["_build", "_ext", "_templates"]
templates_path = ["_templates"]
default_role = "literal"
suppress_warnings = [
    "config.cache",  # sphinx-gallery's settings hold functions
    "ref.term",  # what is inherited from scikit-learn speaks of its glossary
    "ref.citation",  # a docstring lists its papers whether or not its text cites each of them
]

autodoc_typehints = "none"  # numpydoc's Parameters say it in words
autodoc_inherit_docstrings = False
numpydoc_show_class_members = False  # the class template lists the methods

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("skrnn",),
    "reference_url": {"skrnn": None},
    "filename_pattern": r"plot_",
    "plot_gallery": os.environ.get("SKRNN_DOCS_RUN_EXAMPLES", "1") != "0",
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_memory": False,
}

html_theme = "pydata_sphinx_theme"
html_title = f"skrnn {release}"
html_show_sourcelink = False
html_theme_options = {"navigation_with_keys": False, "show_toc_level": 2, "show_prev_next": False}


def skip_inherited_from_elsewhere(app, what, name, obj, skip, options):
    """Leave out what a class has from torch or scikit-learn: those document it."""
    if what != "class":
        return skip
    if isinstance(obj, property):
        obj = obj.fget
    elif isinstance(obj, cached_property):
        obj = obj.func
    module = getattr(unwrap(obj) if callable(obj) else obj, "__module__", None) or ""
    return skip or not module.startswith("skrnn")


def setup(app):
    app.connect("autodoc-skip-member", skip_inherited_from_elsewhere)
