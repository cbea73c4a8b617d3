"""Write ``choosing_a_cell.rst`` from ``skrnn.cells.__all__`` and the docstrings: a new cell appears without a list to edit."""

import inspect
import json
import re
from pathlib import Path

import torch
from generated_page import write_page

from skrnn import cells

F, H = 8, 64
INTRODUCTION = f"""\
Choosing a cell
===============

Start with the GRU, the default. Take an LSTM for long gaps, counting and timing; an Elman net where speed counts and memory is short; a linear
recurrence (`MinGRU`, `LRU`) for sequences of many thousand steps; `CfC` for steps at irregular times; `Clockwork`, `Leaky` or `Skip` where time
scales are known. Then search: ``GridSearchCV(model, {{"cell": ["gru", "lstm", "lmu"]}})``, as in the example
:doc:`auto_examples/tuning/plot_grid_search`.

.. image:: pictures/choosing_a_cell.svg
   :alt: Weights of each cell, and the time of a training step over that of torch's LSTM

Weights are those of a layer of {H} units on {F} channels; the state is what one sequence carries from step to step, in numbers. A step costs about
as many multiplications as there are weights. *Time* is that of a training step divided by the time of ``torch.nn.LSTM`` with 32 units, for 32
sequences of 100 steps on two CPU threads (``python -m benchmarks.cells --json …``). All run as programs that
are made of their step (:doc:`compiler`).
"""


def _leaves(state) -> list[torch.Tensor]:
    return [state] if torch.is_tensor(state) else [leaf for part in state for leaf in _leaves(part)]


def _facts(cell: cells.Cell) -> tuple[int, int]:
    """Weights, and numbers in the state."""
    built = cell.build(F, H, torch.Generator().manual_seed(0))
    state = built.initial_state(1, like=torch.zeros(1))
    return sum(w.numel() for w in built.parameters()), sum(leaf.numel() for leaf in _leaves(state))


def _parts(kind: type) -> tuple[str, str, str]:
    """What it is, when to choose it, and its equations, from the docstring."""
    text = inspect.getdoc(kind) or ""
    paragraphs = text.split("\n\n")
    equations = re.search(r"Notes\n-----\n[^:]*(?::[^:]+)*::\n\n((?:    .*\n|\n)+)", text + "\n")
    return paragraphs[0].replace("\n", " "), paragraphs[1].replace("\n", " "), equations[1].rstrip() if equations else ""


def cell_page(times: dict[str, float]) -> str:
    rows, sections = [], []
    for name in cells.__all__:
        kind = getattr(cells, name)
        title, advice, equations = _parts(kind)
        weights, state = _facts(kind())
        time = times.get(f"{name} default")
        rows.append([f":class:`~skrnn.cells.{name}`", title, f"{weights:,}", str(state), "–" if time is None else f"{time:g}"])
        sections.append(f"{name}\n{'-' * len(name)}\n\n{title} {advice}\n\n::\n\n{equations}\n")
    head = ["cell", "what it is", "weights", "state", "time"]
    table = "\n".join("   * - " + "\n     - ".join(row) for row in [head, *rows])
    return f"{INTRODUCTION}\n.. list-table::\n   :header-rows: 1\n   :widths: 15 60 10 8 7\n\n{table}\n\n" + "\n".join(sections)


def write_cell_page(source: Path) -> None:
    measured = source / "cell_times.json"
    text = cell_page(json.loads(measured.read_text(encoding="utf-8")) if measured.exists() else {})
    write_page(source / "choosing_a_cell.rst", text)


def setup(app) -> dict[str, bool]:
    write_cell_page(Path(app.srcdir))  # before Sphinx looks for the pages
    return {"parallel_read_safe": True}
