"""Real-time recurrent learning: the influence of the weights on the state, carried forward in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.func import functional_call, jacrev, vjp, vmap
from torch.nn.utils.rnn import PackedSequence

from .._constraints import COUNT, check_parameters
from ..cells import Cell, Module, State, flat, map_state
from ..kernels import Layout
from ._rules import Loss, Rule, Stream, Streamed
from ._runnable import PiecewiseRunnable

_MOST_UNITS = 64
_ROOM = 2**25  # numbers of the influence that are held at once; above, the sequences of a batch come one group after the other
_DRAWS = 32  # random points at which the pattern of the influence is looked for: a rectifier that rests hides a dependence half the time
_patterns: WeakKeyDictionary[Any, dict[int | None, _Pattern]] = WeakKeyDictionary()


@dataclass(frozen=True)
class RTRL(Rule):
    """Real-time recurrent learning (Williams & Zipser, 1989): the gradient of BPTT without a backward pass through time.

    Carries the influence J(t) = ds(t)/dθ of every weight θ on the state s from step to step, so that memory does not grow with the length. For
    online learning, and to check other rules. Works with every cell; refused above 64 units, where a step costs as much as thousands of
    steps of BPTT. Where a weight can only reach a few entries of the state (``IndRNN``, ``MinGRU``, ``LRU``), only those are carried, and RTRL
    costs little more than BPTT.

    Parameters
    ----------
    order : int or None, default=None
        ``None`` is exact. With a number n, the influence is kept only where a weight reaches the state within n steps (SnAp-n, Menick et al.,
        2021): 1 is the cheap approximation, O(H³) a step for gated cells instead of O(H⁴); larger is closer to exact.

    Notes
    -----
    ::

        D(t) = ds(t)/ds(t-1),   I(t) = the direct part of ds(t)/dθ
        J(t) = D(t) J(t-1) + I(t),   J(0) = 0
        dL/dθ = Σ_t dL/ds(t) J(t)

    References
    ----------
    R. J. Williams, D. Zipser, "A learning algorithm for continually running fully recurrent neural networks", Neural Computation 1(2), 1989.
    J. Menick et al., "Practical real time recurrent learning with a sparse approximation", ICLR 2021.
    """

    needs: ClassVar[type[Module]] = PiecewiseRunnable
    _parameter_constraints = {"order": [COUNT, None]}
    order: int | None = None

    def __post_init__(self) -> None:
        check_parameters(self)

    def gradient(self, network: Any, packed: PackedSequence, loss: Loss, stream: Stream | None = None) -> Tensor:
        """Add the gradient of ``loss(network(packed))`` to the weights' ``grad``; the loss, detached."""
        _refuse_size_and_coupling(network)
        _refuse_trained_frontend(network)
        run = Streamed(network, packed, len(packed.batch_sizes), "full", stream)
        value = run.forward(loss)
        states, collected, draws = map_state(lambda room: room[0], run.kept)
        if not torch.equal(draws, run.draws):
            raise ValueError("RTRL needs steps that are not random while training: leave out dropout between layers, zoneout and the like.")
        follow = _Follow(network, run.packed, run, (states, collected), self.order)
        for weight, gradient in zip(network.parameters(), follow.gradient(stream), strict=True):
            if weight.requires_grad:
                weight.grad = gradient if weight.grad is None else weight.grad + gradient
        return value


def _refuse_size_and_coupling(network: Any) -> None:
    size = max(cell.hidden_size for layer in network.recurrent.layers for cell in layer)
    if size > _MOST_UNITS:
        raise ValueError(
            f"RTRL costs O(H⁴) a step: it is refused above {_MOST_UNITS} units, and there are {size}. Use a smaller hidden_size, or truncated_bptt."
        )
    if network.training and any(isinstance(module, Cell) and module.couples_sequences for module in network.modules()):
        raise ValueError("RTRL follows each sequence by itself, but BatchNorm couples the sequences of a batch while it trains.")


def _refuse_trained_frontend(network: Any) -> None:
    if network.frontend is not None and any(True for _ in network.frontend.parameters()):
        raise ValueError(f"RTRL follows the weights of the recurrent layers, but {network.frontend!r} has weights too: use bptt or truncated_bptt.")


class _Pattern(NamedTuple):
    """Which entries of the state a weight may influence: entry ``where[k, p]`` for the k-th, if ``there[k, p]``; all of them if ``where`` is None."""

    where: Tensor | None
    there: Tensor
    direct: Tensor  # (S, P): reached within the step
    colours: Tensor  # (S,): entries of one colour are directly reached by different weights


class _Advance(nn.Module):
    """``network.advance`` as a forward, which ``functional_call`` can run with other weights."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, piece: list[PackedSequence], memory: State) -> tuple[State, State]:
        return self.network.advance(piece, memory)


class _OneSequence:
    """One step of one sequence as a pure function of all weights (P,), the memory's numbers (S,) and its counters."""

    def __init__(self, network: Any, memory: State) -> None:
        self._advance = _Advance(network)
        self._shapes = {f"network.{name}": weight.shape for name, weight in network.named_parameters()}
        self._memory = map_state(lambda s: s[:1], memory)
        self._sizes = [leaf[0].numel() for leaf in flat(self._memory) if leaf.is_floating_point()]
        self.n_numbers = sum(self._sizes)
        self.theta = torch.cat([weight.detach().flatten() for weight in network.parameters()])

    def weights(self, theta: Tensor) -> dict[str, Tensor]:
        parts = theta.split([shape.numel() for shape in self._shapes.values()])
        return {name: part.view(shape) for (name, shape), part in zip(self._shapes.items(), parts, strict=True)}

    def numbers(self, memory: State) -> Tensor:
        """The floating leaves of a memory, a row for each sequence."""
        return torch.cat([leaf.flatten(1) for leaf in flat(memory) if leaf.is_floating_point()], 1)

    def counters(self, memory: State) -> tuple[Tensor, ...]:
        return tuple(leaf for leaf in flat(memory) if not leaf.is_floating_point())

    def step(self, theta: Tensor, m: Tensor, counters: tuple[Tensor, ...], x: Tensor) -> tuple[Tensor, Tensor, tuple[Tensor, ...]]:
        """Next numbers (S,), what the step puts out (R,), and next counters; x is (n_directions, F)."""
        parts, counts = iter(m.split(self._sizes)), iter(counters)
        memory = map_state(lambda s: next(parts).view(s.shape) if s.is_floating_point() else next(counts)[None], self._memory)
        piece = [PackedSequence(row[None], torch.ones(1, dtype=torch.int64)) for row in x]
        after, rows = functional_call(self._advance, self.weights(theta), (piece, memory))
        out = torch.cat([row[0] for row in rows]) if rows else m.new_empty(0)
        return self.numbers(after)[0], out, tuple(count[0] for count in self.counters(after))

    def random_jacobians(self, n: int, n_features: int, draw: torch.Generator) -> tuple[Tensor, Tensor]:
        """dm'/dm and dm'/dθ at n random points."""
        like = self.theta
        shapes = (len(like),), (self.n_numbers,), (self._n_directions, n_features)
        theta, m, x = (torch.randn(n, *shape, generator=draw).to(like) for shape in shapes)
        counters = tuple(torch.randint(0, 1000, (n, *c.shape[1:]), generator=draw).to(c) for c in self.counters(self._memory))

        def jacobians(theta: Tensor, m: Tensor, counters: tuple[Tensor, ...], x: Tensor) -> Any:
            return jacrev(lambda theta, m: self.step(theta, m, counters, x)[0], argnums=(0, 1))(theta, m)

        of_theta, of_m = vmap(jacobians, in_dims=(0, 0, 0, 0))(theta, m, counters, x)
        return of_m, of_theta

    @property
    def _n_directions(self) -> int:
        return self._advance.network.recurrent.n_directions


class _Follow:
    """Follows the influence through a batch, a group of sequences after the other."""

    def __init__(self, network: Any, packed: PackedSequence, run: Any, memory: State, order: int | None) -> None:
        self.one = _OneSequence(network, memory)
        self.packed, self.memory = packed, memory
        self.pattern = _pattern_of(network, self.one, packed.data.shape[1], order)
        self.layout = Layout.of(packed.batch_sizes.numpy())
        gradients = map_state(lambda leaf: torch.zeros_like(leaf) if leaf.grad is None else leaf.grad, run.collected)
        self.of_end = self.one.numbers((map_state(torch.zeros_like, memory[0]), gradients))
        self.of_rows = [torch.zeros_like(rows) if rows.grad is None else rows.grad for rows in run.rows[0]]
        self.E = nn.functional.one_hot(self.pattern.colours).T.to(self.one.theta)

    def gradient(self, stream: Stream | None) -> list[Tensor]:
        """For each weight; the influence goes on with the stream."""
        batch, P = len(self.of_end), len(self.one.theta)
        width = len(self.pattern.there)
        group = max(_ROOM // (width * P), 1)
        before = self.of_end.new_zeros(batch, width, P) if stream is None or stream.influence is None else stream.influence
        total, after = self.of_end.new_zeros(P), []
        for low in range(0, batch, group):
            gradient, J = self._of_group(range(low, min(low + group, batch)), before[low : low + group])
            total = total + gradient
            after.append(J if stream is not None else J[:0])
        if stream is not None:
            stream.influence = torch.cat(after)
        return list(self.one.weights(total).values())

    def _of_group(self, group: range, J: Tensor) -> tuple[Tensor, Tensor]:
        """The gradient of some sequences, and the influence after their last steps."""
        one, last = self.one, torch.empty_like(J)
        part = map_state(lambda s: s[group.start : group.stop], self.memory)
        m, counters, lengths = one.numbers(part), one.counters(part), torch.from_numpy(self.layout.lengths[group.start : group.stop])
        total = torch.zeros_like(one.theta)
        for k in range(int(lengths[0])):
            n = int((lengths > k).sum())
            m, counters, J = m[:n], tuple(c[:n] for c in counters), J[:n]
            rows = self._rows(group, k, lengths[:n])
            x = torch.stack([self.packed.data[r] for r in rows], 1)
            of_rows = torch.cat([g[r] for g, r in zip(self.of_rows, rows, strict=True)], 1) if self.of_rows else m.new_empty(n, 0)
            m, counters, D, direct, by_theta, by_m = vmap(self._local, in_dims=(0, 0, 0, 0))(m, counters, x, of_rows)
            total = total + by_theta.sum(0) + self._meet(by_m, J)
            J = self._carried(D, direct, J)
            ended = lengths[:n] == k + 1
            last[:n][ended] = J[ended]
            total = total + self._meet(self.of_end[group.start : group.start + n][ended], J[ended])
        return total, last

    def _rows(self, group: range, k: int, lengths: Tensor) -> list[Tensor]:
        """Rows of the k-th step that each direction takes."""
        starts, sequence = torch.from_numpy(self.layout.starts), torch.arange(group.start, group.start + len(lengths))
        steps = [torch.full_like(lengths, k), lengths - 1 - k]
        return [starts[step] + sequence for step in steps[: self.one._n_directions]]

    def _local(self, m: Tensor, counters: tuple[Tensor, ...], x: Tensor, of_rows: Tensor) -> tuple[Any, ...]:
        theta = self.one.theta

        def step(theta: Tensor, m: Tensor) -> tuple[tuple[Tensor, Tensor], Any]:
            after, out, counts = self.one.step(theta, m, counters, x)
            return (after, out), counts

        found: Any = vjp(step, theta, m, has_aux=True)
        (after, out), back, counts = found
        by_theta, by_m = back((torch.zeros_like(after), of_rows))
        if self.pattern.where is None:  # E is I: one way back gives both
            direct, D = vmap(lambda row: back((row, torch.zeros_like(out))))(self.E)
        else:
            D = jacrev(lambda m: step(theta, m)[0][0])(m)
            direct = jacrev(lambda theta: self.E @ step(theta, m)[0][0])(theta)
        return after, counts, D, direct, by_theta, by_m

    def _carried(self, D: Tensor, direct: Tensor, J: Tensor) -> Tensor:
        """D J + I where the pattern keeps it."""
        where, there, pattern, colours = self.pattern
        if where is None:
            return there * (D @ J + pattern * direct[:, colours])
        now = pattern.gather(0, where) * direct.gather(1, colours[where].expand(len(J), *where.shape))
        for k in range(len(where)):
            now = now + D[:, where, where[k]] * (there[k] * J[:, k])[:, None]
        return there * now

    def _meet(self, of_m: Tensor, J: Tensor) -> Tensor:
        if self.pattern.where is None:
            return torch.einsum("bs,bsp->p", of_m, J)
        return (of_m[:, self.pattern.where] * J).sum((0, 1))


def _pattern_of(network: Any, one: _OneSequence, n_features: int, order: int | None) -> _Pattern:
    known = _patterns.setdefault(network, {})
    if order not in known:
        draw = torch.Generator().manual_seed(0)
        through: Any = 0
        direct: Any = 0
        at_once = min(max(_ROOM // (one.n_numbers * len(one.theta)), 1), _DRAWS)
        for _ in range(0, _DRAWS, at_once):
            of_m, of_theta = one.random_jacobians(at_once, n_features, draw)
            through, direct = through | (of_m != 0).any(0), direct | (of_theta != 0).any(0)
        reached, steps = direct, 1
        while order is None or steps < order:
            further = reached | ((through.float() @ reached.float()) > 0)
            if torch.equal(further, reached):
                break
            reached, steps = further, steps + 1
        known[order] = _laid_out(reached, direct)
    return known[order]


def _laid_out(reached: Tensor, direct: Tensor) -> _Pattern:
    width = max(int(reached.sum(0).max()), 1)
    if 3 * width > len(reached):
        return _Pattern(None, reached, direct, torch.arange(len(reached)))
    where = reached.int().argsort(stable=True, dim=0, descending=True)[:width]
    conflict = (direct.float() @ direct.float().T) > 0
    colours = torch.zeros(len(reached), dtype=torch.int64)
    for s in range(1, len(reached)):
        taken = set(colours[:s][conflict[s, :s]].tolist())
        colours[s] = next(c for c in range(s + 1) if c not in taken)
    return _Pattern(where, reached.gather(0, where), direct, colours)
