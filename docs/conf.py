"""Sphinx settings; see CONTRIBUTING.md for the commands."""

import os
import sys
from functools import cached_property
from importlib.metadata import version as installed_version
from inspect import unwrap
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

from groups import sentence_of  # noqa: E402 (an extension of ours)

project = "skrnn"
author = "The skrnn developers"
copyright = f"2026, {author}"
version = release = installed_version("skrnn")

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
    "numpydoc",
    "myst_parser",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "api_page",
    "cell_page",
    "names_page",
    "reproductions",
]
exclude_patterns = ["_build", "_ext", "_templates"]
templates_path = ["_templates"]
default_role = "literal"
smartquotes = False  # "gru" is typed with straight quotes
toc_object_entries_show_parents = "hide"
suppress_warnings = [
    "config.cache",  # sphinx-gallery's settings hold functions
    "ref.term",  # what is inherited from scikit-learn speaks of its glossary
    "ref.citation",  # a docstring lists its papers whether or not its text cites each of them
]

autosummary_context = {"sentence_of": sentence_of}  # for tables of methods; autosummary's own take a third of the build
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
    "subsection_order": [f"../examples/{task}" for task in ("sequences", "forecasting", "writing", "structures", "reservoirs", "tuning", "*")],
    "plot_gallery": os.environ.get("SKRNN_DOCS_RUN_EXAMPLES", "1") != "0",
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_memory": False,
}

html_theme = "pydata_sphinx_theme"
html_title = f"skrnn {release}"
html_show_sourcelink = False
html_static_path = ["_static"]
html_css_files = ["skrnn.css"]
html_sidebars = {page: [] for page in ("index", "choosing_a_cell")}  # they stand at the top, with nothing below
html_theme_options = {
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "show_prev_next": False,
    "header_links_before_dropdown": 5,
    "navbar_align": "left",
    "navbar_persistent": ["search-button"],
    "secondary_sidebar_items": {"**": ["page-toc"], "index": []},
    "footer_end": [],
}


def skip_inherited_from_elsewhere(app, what, name, obj, skip, options):
    """Leave out what a class has from torch or scikit-learn: those document it."""
    if what not in ("class", "method"):  # the latter when a table of methods asks
        return skip
    if isinstance(obj, property):
        obj = obj.fget
    elif isinstance(obj, cached_property):
        obj = obj.func
    module = getattr(unwrap(obj) if callable(obj) else obj, "__module__", None) or ""
    return skip or not module.startswith("skrnn")


def setup(app):
    app.connect("autodoc-skip-member", skip_inherited_from_elsewhere)
