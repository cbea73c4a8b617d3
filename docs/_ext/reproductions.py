"""The directive ``reproductions``: a table of the figures in ``reproductions.json``, which ``python -m benchmarks.reproductions`` measured."""

import json
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

FIGURES = Path(__file__).parents[1] / "reproductions.json"
HEAD = ["paper", "experiment", "in the paper", "here", "seconds", "``--only``"]


def number(value: float) -> str:
    """Whole numbers whole, others to three digits."""
    return f"{value:,.0f}" if value == round(value) or abs(value) >= 100 else f"{value:.3g}"


def table(measured: dict[str, dict]) -> str:
    """The figures as a list table, a row for each experiment."""
    rows = [HEAD]
    for name, row in measured.items():
        ours = "; ".join(f"{what}: {number(value)}" for what, value in row["ours"].items())
        rows.append([row["paper"], row["system"], row["published"], ours, str(row["seconds"]), f"``{name}``"])
    lines = "\n".join("   * - " + "\n     - ".join(row) for row in rows)
    return f".. list-table::\n   :header-rows: 1\n   :widths: 14 22 18 28 6 12\n\n{lines}\n"


class Reproductions(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(str(FIGURES))
        return self.parse_text_to_nodes(table(json.loads(FIGURES.read_text(encoding="utf-8"))))


def setup(app) -> dict[str, bool]:
    app.add_directive("reproductions", Reproductions)
    return {"parallel_read_safe": True}
