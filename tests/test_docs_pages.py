"""The pages of the guide are whole: a picture, examples, code that fits, and a place in the navigation. No Sphinx is needed."""

import re
import subprocess
import sys
from doctest import DocTestParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCS, EXAMPLES = ROOT / "docs", ROOT / "examples"
GENERATED = {"api", "choosing_a_cell", "names", "sg_execution_times"}
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in sorted(DOCS.glob("*.rst")) if path.stem not in GENERATED}
NAVIGATION = ["user_guide", "auto_examples/index", "api", "choosing_a_cell", "benchmarks"]
GUIDE = [name for name in PAGES if name not in ("index", "reproductions")]
SCRIPTS = sorted(path.relative_to(EXAMPLES).as_posix() for path in EXAMPLES.rglob("plot_*.py"))
COLUMNS = 75
every_page = pytest.mark.parametrize("name", PAGES)


def entries(page):
    """What the tables of contents of a page lead to."""
    blocks = re.findall(r"^\.\. toctree::\n((?:   .*\n|\n)+)", PAGES[page] + "\n", re.MULTILINE)
    return [line.strip() for block in blocks for line in block.splitlines() if line.strip() and not line.strip().startswith(":")]


def code_blocks(text):
    return re.findall(r"^\.\. code-block:: \w+\n\n((?:   .*\n|\n)+)", text, re.MULTILINE)


def test_the_bar_at_the_top_has_five_entries():
    assert entries("index") == NAVIGATION


def test_every_page_is_in_the_navigation_once():
    found = [entry for page in PAGES for entry in entries(page)]
    assert len(found) == len(set(found))
    assert set(PAGES) - {"index"} <= set(found)


@every_page
def test_code_has_room_in_a_page(name):
    examples = DocTestParser().get_examples(PAGES[name])
    lines = [f">>> {line}" for example in examples for line in example.source.splitlines()]
    lines += [line for example in examples for line in example.want.splitlines()]
    lines += [line[3:] for block in code_blocks(PAGES[name]) for line in block.splitlines()]
    assert not [line for line in lines if len(line) > COLUMNS]


@pytest.mark.parametrize("name", GUIDE)
def test_a_page_of_the_guide_has_a_picture_that_is_there(name):
    pictures = re.findall(r"^\.\. image:: (\S+)\n   :alt: \S+", PAGES[name], re.MULTILINE)
    assert pictures
    assert all((DOCS / picture).is_file() for picture in pictures)


@pytest.mark.parametrize("name", GUIDE)
def test_a_page_of_the_guide_leads_to_examples(name):
    linked = re.findall(r"^   \.\./examples/(\S+)$", PAGES[name], re.MULTILINE)
    assert linked
    assert set(linked) <= set(SCRIPTS)


@pytest.mark.parametrize("script", SCRIPTS)
def test_an_example_stands_in_the_folder_of_its_task_and_fits_in_a_page(script):
    text = (EXAMPLES / script).read_text(encoding="utf-8")
    assert (EXAMPLES / script).parent.joinpath("GALLERY_HEADER.rst").is_file()
    assert script.count("/") == 1
    assert not [line for line in text.splitlines() if len(line) > COLUMNS]


def test_an_example_is_known_to_some_page():
    linked = {script for text in PAGES.values() for script in re.findall(r"\.\./examples/(\S+)$", text, re.MULTILINE)}
    assert linked == set(SCRIPTS)


def test_options_are_quoted_as_they_are_typed():
    assert re.search(r"^smartquotes = False\b", (DOCS / "conf.py").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.fixture
def pictures(monkeypatch):
    monkeypatch.syspath_prepend(DOCS)
    yield __import__("pictures")
    sys.modules.pop("pictures")


def test_every_picture_is_drawn_by_a_function(pictures):
    assert {path.stem for path in pictures.FOLDER.iterdir()} == {draw.__name__ for draw in pictures.DRAWN}


def test_a_picture_is_drawn(tmp_path):
    """One that trains nothing."""
    program = f"import sys; sys.path.insert(0, {str(DOCS)!r}); import matplotlib; matplotlib.use('Agg')\n"
    program += f"from pathlib import Path; import pictures; pictures.main(['user_guide', 'benchmarks'], Path({str(tmp_path)!r}))"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
    assert {path.name for path in tmp_path.iterdir()} == {"user_guide.svg", "benchmarks.svg"}


@pytest.mark.slow
def test_all_pictures_are_drawn(pictures, tmp_path):
    pictures.main([], tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in pictures.FOLDER.iterdir()}
