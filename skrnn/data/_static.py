"""What is known about each series as a whole: numbers as they are, and a column of 0 and 1 for each category."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_array

from ._encoding import STEPS
from ._ids import categories_of_numbers, categories_of_strings, ids_of_numbers, ids_of_strings, named
from ._long import refuse_other_order
from ._reading import unmasked
from ._sequences import Array
from ._tables import Table, are_tokens, kind_of_cells, spells_number, tables_of


@dataclass(eq=False)
class StaticColumns:
    """The columns of a table with a row for each series or sequence, and the categories of those that hold some.

    Attributes
    ----------
    categories_ : dict of int to ndarray
        Of each column that holds strings, or whose type says that it holds categories.
    names_ : list of str or None
        Of the columns of a frame.
    n_columns_ : int
        Columns of numbers that become of the table.
    """

    name: str = "static"
    categories_: dict[int, Array] = field(default_factory=dict, init=False)
    names_: list[str] | None = field(default=None, init=False)
    n_columns_: int = field(default=0, init=False)

    def read(self, rows: Any, n: int, ids: Sequence[Any] | None = None, *, reset: bool) -> Array:
        """A row of numbers for each of n series; no columns where there is no table.

        Parameters
        ----------
        rows : array-like or frame of shape (n, n_columns), or None
        n : int
        ids : sequence or None, default=None
            The names of the series, where they come from a long frame: a frame of which these are the index must have them in this order.
        reset : bool
            Whether to learn; else the columns must be those that were learned.

        Returns
        -------
        ndarray of shape (n, n_columns_)
        """
        if rows is None:
            found = np.empty((n, 0))
        else:
            refuse_other_order(rows, ids, self.name)
            rows = unmasked(rows)
            found = check_array((self.learn(rows) if reset else self).numbers(rows), dtype=np.float64, input_name=self.name)
            if len(found) != n:
                raise ValueError(f"{self.name} must have a row for each of the {n} series; got {len(found)}")
        if reset:
            self.n_columns_ = found.shape[1]
        elif rows is None and self.n_columns_:
            raise ValueError(f"{self.name} was given to fit, and is missing here: it must have a row for each of the {n} series")
        elif found.shape[1] != self.n_columns_:
            wanted = f"expected {self.n_columns_}" if self.n_columns_ else "but none was given to fit"
            raise ValueError(f"{self.name} has {found.shape[1]} columns, {wanted}")
        return found

    def learn(self, rows: Any) -> Self:
        """Learn the categories of a table with a row for each series; None is no table."""
        table = _table_of(rows)
        self.names_ = None if table is None else table.names
        for column in range(0 if table is None else table.n_channels):
            if table is not None and not table.is_plain(column) and (table.is_category(column) or are_tokens(table.cells(column))):
                cells = self._cells(table, column)
                learn = categories_of_strings if isinstance(cells, list) else categories_of_numbers
                self.categories_[column] = learn(cells, 1, f"column {column} of {self.name}")
        return self

    def numbers(self, rows: Any) -> Any:
        """The table with 0 and 1 in place of categories, all of them 0 for one that is not known; as it came where all are numbers."""
        table = _table_of(rows)
        if table is not None and self.names_ is not None and table.names not in (None, self.names_):
            raise ValueError(f"{self.name} has the columns {table.names}, expected {self.names_}, in this order")
        if table is None or all(table.is_plain(column) for column in range(table.n_channels)):
            return rows
        parts = []
        for column in range(table.n_channels):
            if (known := self.categories_.get(column)) is None:
                parts.append(self._floats(table, column)[:, None])
            else:
                cells = self._cells(table, column)
                if isinstance(cells, list) != (known.dtype == object):
                    kinds = ("strings", "numbers") if isinstance(cells, list) else ("numbers", "strings")
                    raise ValueError(f"{self.name} has {kinds[0]} in {named(column, table.names)}, which held {kinds[1]} in fit")
                ids = ids_of_strings(cells, known) if isinstance(cells, list) else ids_of_numbers(cells, known)
                parts.append(np.eye(len(known) + 1)[ids.astype(np.intp), :-1])
        return np.hstack(parts)

    def _floats(self, table: Table, column: int) -> Array:
        cells = table.cells(column)
        for row, cell in enumerate(cells):
            if isinstance(cell, str) and not spells_number(cell):
                raise ValueError(f"{self.name} has {cell!r} in row {row} of {named(column, table.names)}, among strings that spell numbers")
        return np.array(cells, dtype=np.float64)

    def _cells(self, table: Table, column: int) -> Any:
        """Strings in a list, numbers in an array."""
        cells = table.cells(column)
        kind, first = kind_of_cells(cells)
        if kind not in ("numbers", "strings"):
            raise ValueError(
                f"{self.name} has {cells[first]!r} in row {first} of {named(column, table.names)}: categories must be strings, or whole numbers"
            )
        return cells if kind == "strings" else np.array(cells, dtype=np.float64)


def _table_of(rows: Any) -> Table | None:
    tables = tables_of(rows, STEPS, tokens=False)[0]
    return tables[0] if len(tables) == 1 else None
