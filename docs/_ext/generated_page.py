"""The one way in which a generated page gets onto the disk."""

from pathlib import Path


def write_page(path: Path, text: str) -> None:
    """A page that stays as it is keeps its time, so that Sphinx does not read it again."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
