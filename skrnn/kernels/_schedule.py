"""In which order a step computes its nodes: products, and loops over the entries of a sequence in which as much as possible is done at once."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from itertools import product as all_of

from ._entries import Across, Buffer, Entries, Expression, loads
from ._graph import COSTLY, FOLDED, SOURCES, Node, above
from ._index import Index, at, counter, joined, plus, values_in
from ._products import lying

_MOST_PIECES = 16  # a node of more pieces reads its parts from an array


@dataclass(eq=False, slots=True)
class Store:
    """Entries of an array: put, added to it, or folded over the last loops."""

    array: Buffer
    place: Index
    value: Expression
    how: str = "put"  # or "add", "sum", "max"; "silent" where only its own loop uses the value


@dataclass(eq=False, slots=True)
class Loop:
    """Loops over ``sizes`` entries, inside of them those that are folded ``over``, and what is stored for each."""

    sizes: tuple[int, ...]
    over: tuple[int, ...]
    stores: list[Store]

    def known(self) -> dict[tuple[int, Index], Expression]:
        """Values by the array and place that they are for, which the loop itself need not read there."""
        return {} if self.over else {(id(s.array), s.place): s.value for s in self.stores if s.how in ("put", "silent")}

    def reads(self) -> set[Expression]:
        """Entries of arrays that were there before."""
        known = self.known()
        return {e for e in self._needed(known) if e.op == "load" and (id(e.args[0]), e.args[1]) not in known}

    def draws(self) -> set[int]:
        """The random numbers that are drawn."""
        return {e.args[0] for e in self._needed(self.known()) if e.op == "draw"}

    def _needed(self, known: dict[tuple[int, Index], Expression]) -> set[Expression]:
        seen: set[Expression] = set()
        stack = [v for s in self.stores if s.how != "silent" for v in (s.value, *values_in(s.place))]
        while stack:
            value = stack.pop()
            if value not in seen:
                seen.add(value)
                inside = known.get((id(value.args[0]), value.args[1])) if value.op == "load" else None
                stack += value.inputs() if inside is None else [inside]
        return seen


@dataclass(eq=False, slots=True)
class Product:
    """Rows of an array, from an offset on, times weights; ``folded`` rows of each sequence."""

    left: Buffer
    offset: int
    stride: int
    folded: int
    inner: int
    panels: Buffer
    out: Buffer


@dataclass(eq=False, slots=True)
class Destination:
    """Where a node has to be in the end."""

    node: Node
    array: Buffer
    how: str = "put"


@dataclass
class Schedule:
    """What a step does, level after level, and the arrays that it does it in."""

    levels: list[list[Loop | Product]]
    arrays: dict[str, Buffer]
    weights: dict[str, Node]  # by the name of their array


@dataclass(eq=False, slots=True)
class _Piece:
    node: Node
    sizes: tuple[int, ...]
    over: tuple[int, ...]
    stores: list[Store]
    level: int = 0


def schedule(name: str, sources: dict[Node, Buffer], targets: list[Destination], kept: dict[Node, Buffer], lanes: int) -> Schedule:
    """Plan a pass.

    Parameters
    ----------
    name : str
        What the names of its own arrays begin with.
    sources : dict of Node to Buffer
        What is there.
    targets : list of Destination
    kept : dict of Node to Buffer
        Nodes that have to be in these arrays, too: the other pass, or the products after the loop, read them there.
    lanes : int
        Numbers in a vector of this machine: rows of products are rounded up to it.
    """
    together: set[Node] = set()
    while True:
        try:
            return _Planner(name, sources, targets, kept, lanes, together).plan()
        except Across as e:
            if e.node in together:
                raise
            together.add(e.node)


class _Planner:
    def __init__(
        self, name: str, sources: dict[Node, Buffer], targets: list[Destination], kept: dict[Node, Buffer], lanes: int, together: set[Node]
    ) -> None:
        self.name, self.sources, self.targets, self.lanes = name, sources, targets, lanes
        roots = [*kept, *(t.node for t in targets)]
        self.nodes = [n for n in above(roots, self._ends) if not self._ends(n)]
        self.order = {n: k for k, n in enumerate(self.nodes)}
        self.home = {**sources, **kept}
        self.external = {id(a) for a in (*sources.values(), *kept.values(), *(t.array for t in targets))}
        self.weights: dict[Node, Buffer] = {}
        self.panels: dict[Node, Buffer] = {}
        self._settle(together, roots)
        self.entries = Entries(self.home, self._weight)
        self._settle_folds()

    def _ends(self, node: Node) -> bool:
        return node in self.sources or not node.rows or node.op in SOURCES

    def _weight(self, node: Node) -> Buffer:
        if node not in self.weights:
            self.weights[node] = Buffer(f"{self.name}w{len(self.weights)}", "weights", node.shape, node.dtype)
        return self.weights[node]

    # -- what gets an array

    def _settle(self, together: set[Node], roots: list[Node]) -> None:
        users: dict[Node, int] = dict.fromkeys(roots, 1)
        for node in self.nodes:
            for i in node.inputs:
                users[i] = users.get(i, 0) + 1
        for node in self.nodes:
            if node.op == "product":
                self._give_home(node, lying(node.shape, node.dtype, self.lanes))
                self._left_of(node)
            elif node.op in FOLDED or node.op == "scatter" or node in together or (node.op in COSTLY and users[node] > 1):
                self._give_home(node)
        for node in self.nodes:
            if node.op == "expand" and node.inputs[0].size < node.size:
                self._give_dear_homes(node.inputs[0])
            elif node.dtype == "bool" and any(i.dtype == "int64" for i in node.inputs):
                self._give_home(node)  # whole numbers would keep the loop around them from filling vectors

    def _give_dear_homes(self, node: Node) -> None:
        """What is repeated is computed once."""
        if node in self.home or self._ends(node):
            return
        if node.op in COSTLY:
            self._give_home(node)
        else:
            for i in node.inputs:
                self._give_dear_homes(i)

    def _settle_folds(self) -> None:
        for node in self.nodes:
            if node.op in FOLDED and self.entries.cuts(node.inputs[0]):
                self._give_home(node.inputs[0])

    def _give_home(self, node: Node, shape: tuple[int, ...] | None = None) -> None:
        if node not in self.home:
            self.home[node] = Buffer(f"{self.name}{len(self.home)}", "sequences", shape or node.shape, node.dtype)

    def _left_of(self, node: Node) -> tuple[Node, int, int]:
        """Where the rows of a product's left side lie: a node with an array, an offset and the distance of rows."""
        x = node.inputs[0]
        bare, one_row = x, len(node.shape) == 1
        while bare not in self.home and bare.op == "reshape" and bare.rows:
            bare = bare.inputs[0]
        if one_row and bare not in self.home and bare.op == "slice" and len(bare.shape) == 1 and bare.facts[2] == 1 and bare.inputs[0] in self.home:
            return bare.inputs[0], bare.facts[1], self.home[bare.inputs[0]].size
        if bare is x or bare not in self.home or self.home[bare].size != bare.size:  # else vectors are filled up between its rows
            self._give_home(x)
            return x, 0, self.home[x].size if one_row else self.home[x].shape[-1]
        return bare, 0, self.home[bare].size if one_row else x.shape[-1]

    # -- pieces

    def plan(self) -> Schedule:
        pieces: dict[Node, list[_Piece]] = {}
        products: list[tuple[int, Product]] = []
        levels: dict[Node, int] = {}
        placed = {t.node: t for t in self.targets if t.how == "put"}
        for node, target in placed.items():
            if node in self.order and node not in self.home:
                self.home[node] = target.array
        everything: list[_Piece] = []
        for node in self.nodes:
            if node in self.home and node.op == "product":
                left, offset, stride = self._left_of(node)
                below = [p.level for p in pieces.get(left, [])] + ([levels[left]] if left in levels else [])
                levels[node] = 1 + max(below, default=-1)
                folded = node.size // node.shape[-1]
                products.append(
                    (
                        levels[node],
                        Product(self.home[left], offset, stride, folded, node.inputs[0].shape[-1], self._panel(node.inputs[1]), self.home[node]),
                    )
                )
            elif node in self.home and node.op == "scatter":
                first, then = self._scattered(node)
                for piece in (*first, then):
                    self._level(piece, pieces, levels)
                then.level = max(then.level, 1 + max(piece.level for piece in first))
                levels[node] = then.level
                everything += [*first, then]
            elif node in self.home:
                pieces[node] = self._pieces(node, [Destination(node, self.home[node])], own=True)
                everything += pieces[node]
            for piece in pieces.get(node, []):
                self._level(piece, pieces, levels)
        for target in self.targets:
            if self.home.get(target.node) is not target.array:
                made = self._pieces(target.node, [target], own=False)
                for piece in made:
                    self._level(piece, pieces, levels)
                everything += made
        return self._finished(everything, products)

    def _panel(self, weights: Node) -> Buffer:
        if weights not in self.panels:
            self.panels[weights] = Buffer(f"{self.name}p{len(self.panels)}", "panels", weights.shape, weights.dtype)
        return self.panels[weights]

    def _pieces(self, node: Node, targets: list[Destination], own: bool) -> list[_Piece]:
        if node.op in FOLDED and own:
            return [self._folded(node, targets[0].array)]
        cuts = self.entries.own_cuts(node) if own else self.entries.cuts(node)
        if len(cuts) > _MOST_PIECES:
            raise Across(next(n for n in above([node], self._ends) if n.op in ("join", "put") and n not in self.home))
        edges = [[0, *sorted(p for a, p in cuts if a == axis), size] for axis, size in enumerate(node.shape)]
        found = []
        for box in all_of(*(list(pairwise(e)) for e in edges)) if node.size else ():
            sizes, inside = _running(tuple(high - low for low, high in box))
            index = tuple(plus(i, at(low)) for i, (low, _) in zip(inside, box))
            value = self.entries.compute(node, index) if own else self.entries.read(node, index)
            stores = [Store(t.array, joined(index, t.array.shape), value, t.how) for t in targets]
            found.append(_Piece(node, sizes, (), stores))
        return found

    def _scattered(self, node: Node) -> tuple[list[_Piece], _Piece]:
        """What is there before, and what is put or added at places that are read from a table."""
        array, (base, _, source) = self.home[node], node.inputs
        first = self._pieces(base, [Destination(base, array)], own=False)
        sizes, index = _running(source.shape)
        place = joined(self.entries.gathered(node, index), array.shape)
        return first, _Piece(node, sizes, (), [Store(array, place, self.entries.read(source, index), node.facts[3])])

    def _folded(self, node: Node, array: Buffer) -> _Piece:
        source = node.inputs[0]
        sizes, outer = _running(node.shape)
        over = tuple(source.shape[a] for a in node.facts)
        inside = iter([counter(len(sizes) + k, size) for k, size in enumerate(over)])
        index = tuple(next(inside) if a in node.facts else i for a, i in enumerate(outer))
        value = self.entries.read(source, index)
        return _Piece(node, sizes, over, [Store(array, joined(outer, array.shape), value, node.op)])

    def _level(self, piece: _Piece, pieces: dict[Node, list[_Piece]], levels: dict[Node, int]) -> None:
        """The first level on which all is there that a piece reads; what the same loop computes at the same place may be there at once."""
        at_home = {id(self.home[n]): n for n in self.home}
        for load in loads([v for s in piece.stores for v in (s.value, *values_in(s.place))]):
            node = at_home.get(id(load.args[0]))
            if node is None:
                continue
            if node in levels:
                piece.level = max(piece.level, levels[node] + 1)
            for other in pieces.get(node, []):
                piece.level = max(piece.level, other.level + (not _at_once(load, other, piece)))

    # -- loops

    def _finished(self, pieces: list[_Piece], products: list[tuple[int, Product]]) -> Schedule:
        loops: dict[tuple[int, tuple[int, ...], tuple[int, ...]], Loop] = {}
        for piece in pieces:
            key = piece.level, piece.sizes, piece.over
            loops.setdefault(key, Loop(piece.sizes, piece.over, [])).stores += piece.stores
        self._drop_unread(list(loops.values()), [p for _, p in products])
        count = 1 + max([key[0] for key in loops] + [level for level, _ in products], default=-1)
        levels: list[list[Loop | Product]] = [[] for _ in range(count)]
        for level, item in products:
            levels[level].append(item)
        for (level, *_), loop in sorted(loops.items(), key=lambda item: (item[0][0], bool(item[0][2]))):
            if any(store.how != "silent" for store in loop.stores):
                levels[level].append(loop)
        used = {id(a) for _, p in products for a in (p.left, p.panels, p.out)}
        used |= {id(s.array) for loop in loops.values() for s in loop.stores if s.how != "silent"}
        used |= {id(load.args[0]) for loop in loops.values() for load in loop.reads()}
        every = (*self.home.values(), *self.weights.values(), *self.panels.values(), *(t.array for t in self.targets))
        arrays = {a.name: a for a in every if id(a) in used}
        weights = {a.name: n for n, a in (*self.weights.items(), *self.panels.items())}
        return Schedule(levels, arrays, weights)

    def _drop_unread(self, loops: list[Loop], products: list[Product]) -> None:
        """What only its own loop uses needs no array."""
        while True:
            read = {id(p.left) for p in products} | {id(load.args[0]) for loop in loops for load in loop.reads()} | self.external
            unread = [s for loop in loops for s in loop.stores if s.how == "put" and not loop.over and id(s.array) not in read]
            if not unread:
                return
            for store in unread:
                store.how = "silent"


def _running(shape: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[Index, ...]]:
    """Sizes of the loops that run over a shape, and the index in them."""
    sizes = tuple(size for size in shape if size > 1)
    counters = iter([counter(k, size) for k, size in enumerate(sizes)])
    return sizes, tuple(next(counters) if size > 1 else at(0) for size in shape)


def _at_once(load: Expression, other: _Piece, piece: _Piece) -> bool:
    """Whether a loop that computes both can use a value of ``other`` where ``piece`` reads it."""
    same = other.sizes == piece.sizes and not other.over and not piece.over
    return same and any(s.array is load.args[0] and s.place == load.args[1] for s in other.stores)
