"""Gated recurrent units."""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from ._base import Cell, Layers, choice
from ._kernel import OnDevice, WholeSequence, run_torch
from ._norm import LayerNorm
from ._rows import linear, product, sigmoid
from ._starts import RECURRENT_STARTS, chrono_bias, input_weights, recurrent_weights
from ._state import State

_SEES = {"full": (True, True, True), "gru1": (False, True, True), "gru2": (False, True, False), "gru3": (False, False, True)}  # x, h, bias


class GRU(Cell):
    """Gated recurrent unit (Cho et al., 2014).

    As good as the LSTM on most tasks with three quarters of its weights and a single state. ``gates`` takes weights out of the two gates
    (Dey & Salem, 2017): "gru1" and "gru2" lose little, "gru3" (gates constant over time) loses more.

    Parameters
    ----------
    reset : {"after", "before"}, default="after"
        Whether the reset gate acts after the recurrent product (v1 of the paper, cuDNN, ``torch.nn.GRU``) or on the state before it (v3).
    gates : {"full", "gru1", "gru2", "gru3"}, default="full"
        What r and z see: input, state and bias; state and bias; state; bias.
    layer_norm : bool, default=False
        Normalise W x and R h over the units, gates and candidate apart (Ba et al., 2016, supplement).
    recurrent_init : {"orthogonal", "identity", "uniform", "glorot", "spectral_radius"}, default="orthogonal"
        Start of R, gate by gate. "uniform" draws within ± 1 / sqrt(hidden_size), "glorot" within ± sqrt(3 / hidden_size), "spectral_radius"
        normal numbers, scaled until the largest eigenvalue has the modulus 0.95.
    chrono : int or None, default=None
        Longest dependency in time steps: z starts so open that its unit keeps for 1 … chrono − 1 steps, b_z = log U[1, chrono − 1] (Tallec &
        Ollivier, 2018). None starts at 0. Not for "gru2", whose gates have no bias.

    Notes
    -----
    ::

        r(t) = σ(W_r x(t) + R_r h(t-1) + b_r)
        z(t) = σ(W_z x(t) + R_z h(t-1) + b_z)
        n(t) = tanh(W_n x(t) + b_n + r(t) (R_n h(t-1) + b_hn))      after, or
        n(t) = tanh(W_n x(t) + b_n + R_n (r(t) h(t-1)))             before
        h(t) = z(t) h(t-1) + (1 − z(t)) n(t)

    z keeps, as in Cho 2014 and torch; Chung 2014 and Dey & Salem write 1 − z for it. With layer_norm every W x and R h above is
    LN(W x), LN(R h). Rows of W, R and b: r, z, n, as far as ``gates`` leaves them. 3 H (F + H + 1) weights, and H more for "after";
    O(H² + H F) a step. The state is h. The default equals ``torch.nn.GRU``, whose biases of r and z are one each here.

    References
    ----------
    K. Cho et al., "Learning phrase representations using RNN encoder–decoder", arXiv:1406.1078, 2014 (v1: after, v3: before).
    R. Dey, F. M. Salem, "Gate-variants of gated recurrent unit (GRU) neural networks", arXiv:1701.05923, 2017, eq. 5–10.
    C. Tallec, Y. Ollivier, "Can recurrent neural networks warp time?", ICLR 2018.

    Examples
    --------
    >>> from skrnn.cells import GRU
    >>> {
    ...     gates: sum(
    ...         w.numel()
    ...         for w in GRU("before", gates).build(3, 32).parameters()
    ...     )
    ...     for gates in ("full", "gru1", "gru2", "gru3")
    ... }
    {'full': 3456, 'gru1': 3264, 'gru2': 3200, 'gru3': 1216}
    """

    def __init__(
        self,
        reset: str = "after",
        gates: str = "full",
        layer_norm: bool = False,
        recurrent_init: str = "orthogonal",
        chrono: int | None = None,
    ) -> None:
        super().__init__()
        self.reset = reset
        self.gates = gates
        self.layer_norm = layer_norm
        self.recurrent_init = recurrent_init
        self.chrono = chrono

    def _build(self, generator: Generator | None) -> None:
        choice(self, "reset", ("after", "before"))
        choice(self, "gates", tuple(_SEES))
        choice(self, "recurrent_init", RECURRENT_STARTS)
        H, (see_x, see_h, see_b) = self.hidden_size, _SEES[self.gates]
        self.W = input_weights(H, self.input_size, generator, n_blocks=3 if see_x else 1)
        self.R = recurrent_weights([H] * (3 if see_h else 1), H, self.recurrent_init, generator)
        self.b = nn.Parameter(torch.zeros(3 * H if see_b else H))
        self.b_hn = nn.Parameter(torch.zeros(H)) if self.reset == "after" else None
        if self.chrono is not None:
            self._start_chrono(generator)
        norms = (2 * H, H, 2 * H, H) if self.layer_norm else ()
        self.norms = Layers(LayerNorm(n, bias=False) for n in norms)  # gates and candidate of W x, then of R h

    def _start_chrono(self, generator: Generator | None) -> None:
        if self.gates == "gru2":
            raise ValueError(f"The 'chrono' parameter of GRU must be None where gates='gru2' have no bias; got {self.chrono!r}")
        with torch.no_grad():
            self.b[self.hidden_size : 2 * self.hidden_size] = chrono_bias(self, self.hidden_size, generator)

    def project(self, x: Tensor) -> Tensor:
        if not self.layer_norm:
            return linear(x, self._full(self.W), self._full(self.b))
        gates, candidate = linear(x, self._full(self.W), None).split([2 * self.hidden_size, self.hidden_size], -1)
        return torch.cat([self.norms[0](gates), self.norms[1](candidate)], -1) + self._full(self.b)

    def step(self, u: Tensor, state: State) -> tuple[Tensor, State]:
        h, H = state, self.hidden_size
        gates, candidate = u.split([2 * H, H], -1)
        r, z = self._reset_and_update(gates, h)
        R = self.R[-H:]
        if self.b_hn is None:
            n = torch.tanh(candidate + self._norm(3, product(r * h, R)))
        else:
            n = torch.tanh(candidate + r * (self._norm(3, product(h, R)) + self.b_hn))
        h = z * h + (1 - z) * n
        return h, h

    def gate_values(self, u: Tensor, state: State) -> dict[str, Tensor]:
        r, z = self._reset_and_update(u[..., : 2 * self.hidden_size], state)
        return {"r": r, "z": z}

    def _reset_and_update(self, gates: Tensor, h: Tensor) -> tuple[Tensor, ...]:
        R = self._full(self.R)[: 2 * self.hidden_size]
        return sigmoid(gates + self._norm(2, product(h, R))).chunk(2, -1)

    def _norm(self, k: int, a: Tensor) -> Tensor:
        return self.norms[k](a) if self.layer_norm else a

    def _full(self, rows: Tensor) -> Tensor:
        """Rows of r, z and n; zeros for what the gates do not see."""
        return rows if len(rows) == 3 * self.hidden_size else torch.cat([rows.new_zeros(2 * len(rows), *rows.shape[1:]), rows])

    def kernel(self) -> WholeSequence | None:
        torch_has_it = self.reset == "after" and self.gates == "full" and not self.layer_norm
        return OnDevice(gpu=self._run_torch) if torch_has_it else None

    def _run_torch(self, packed: PackedSequence, state: State, reverse: bool) -> tuple[Tensor, State]:
        b_h = torch.cat([self.b.new_zeros(2 * self.hidden_size), *(() if self.b_hn is None else (self.b_hn,))])
        y, h = run_torch("gru", packed, reverse, (state,), self.W, self.R, self.b, b_h)
        return y, h
