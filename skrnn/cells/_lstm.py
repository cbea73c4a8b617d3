"""Long short-term memory and its variants."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from ._base import Cell, choice
from ._kernel import OnDevice, WholeSequence, run_torch
from ._norm import LayerNorm
from ._rows import linear, product, sigmoid
from ._starts import RECURRENT_STARTS, chrono_bias, input_weights, recurrent_weights, small
from ._state import FeedsBack, State

_ACTIVATIONS = {"tanh": torch.tanh, "identity": lambda a: a}


class LSTMState(NamedTuple):
    """Hidden state and cell."""

    h: Tensor
    c: Tensor


class _WithGates(NamedTuple):
    h: Tensor
    c: Tensor
    gates: Tensor


class FedBackState(_WithGates, FeedsBack):
    """Hidden state, cell and gates, which the next step sees."""


class LSTM(Cell):
    """Long short-term memory (Hochreiter & Schmidhuber, 1997) with forget gate (Gers et al., 2000) and the published variants.

    The safe choice for long gaps. ``forget="none"`` is the 1997 cell, whose memory only grows; ``forget="coupled"`` (CIFG) has three quarters of
    the weights at about the same quality (Greff et al., 2017); ``peephole=True`` lets the gates see the cell, which helps counting and timing.
    The eight variants of Greff et al. are one setting each, beside ``peephole=True``; the forget gate and tanh at the output matter most.

    Parameters
    ----------
    forget : {"gate", "none", "coupled"}, default="gate"
        A forget gate, none (f = 1; NFG), or f = 1 − i (CIFG).
    peephole : bool, default=False
        Input and forget gate also see c(t-1), the output gate sees c(t). False is NP.
    block_size : int, default=1
        Cells that share their gates (memory-cell blocks of 1997); a divisor of the hidden size.
    layer_norm : bool, default=False
        Normalise W x, R h and c over the units (Ba et al., 2016, eq. 20–22).
    forget_bias : float, default=1.0
        Start of the forget gate's bias; larger remembers longer at the start. With ``forget="coupled"`` the input gate starts at its negative.
    recurrent_init : {"orthogonal", "identity", "uniform", "glorot", "spectral_radius"}, default="orthogonal"
        Start of R, gate by gate. "uniform" draws within ± 1 / sqrt(hidden_size), "glorot" within ± sqrt(3 / hidden_size), "spectral_radius"
        normal numbers, scaled until the largest eigenvalue has the modulus 0.95.
    chrono : int or None, default=None
        Longest dependency in time steps: instead of ``forget_bias``, b_f = log U[1, chrono − 1] and b_i = −b_f, so that cells keep for about
        1 … chrono − 1 steps at the start (Tallec & Ollivier, 2018).
    input_gate, output_gate : bool, default=True
        Whether there are these gates; False is i = 1 (NIG), o = 1 (NOG).
    input_activation, output_activation : {"tanh", "identity"}, default="tanh"
        What squashes the input and the cell; "identity" is NIAF, NOAF.
    gate_recurrence : {"none", "gates", "all"}, default="none"
        What sees the gates of the step before: nothing, the gates (FGR), or the gates and the input of the cells, as in 1997.

    Notes
    -----
    ::

        i(t) = σ(W_i x(t) + R_i h(t-1) + p_i c(t-1) + b_i)      or 1
        f(t) = σ(W_f x(t) + R_f h(t-1) + p_f c(t-1) + b_f)      or 1, or 1 − i(t)
        g(t) = tanh(W_g x(t) + R_g h(t-1) + b_g)                or without tanh
        c(t) = f(t) c(t-1) + i(t) g(t)
        o(t) = σ(W_o x(t) + R_o h(t-1) + p_o c(t) + b_o)        or 1
        h(t) = o(t) tanh(c(t))                                  or without tanh

    With blocks of S cells, i, f and o have H/S entries, each serves S cells, and its peephole sums over them. With gate_recurrence,
    R h(t-1) becomes R h(t-1) + Q [i(t-1), f(t-1), o(t-1)], for all four sums or those of the gates alone. With layer_norm the sums become
    LN(W x(t)) + LN(R h(t-1)) + b, and h(t) = o(t) tanh(LN(c(t))). Rows of W, R and b: i, f, g, o, as far as there are such gates. Weights:
    4 H (F + H + 1) for the default, 9 H² more for FGR; O(H² + H F) a step. The state is (h, c), with gate_recurrence (h, c, gates).

    The default equals ``torch.nn.LSTM``, whose two biases are one here. ``LSTM(forget="none", gate_recurrence="all")`` is the cell of 1997, of
    which it has every weight; differs from that paper: tanh squashes the input and the cell, where 4 σ(a) − 2 and 2 σ(a) − 1 did, and the
    gradient is not truncated.

    References
    ----------
    S. Hochreiter, J. Schmidhuber, "Long short-term memory", Neural Computation 9(8), 1997, section 4.
    F. A. Gers, J. Schmidhuber, F. Cummins, "Learning to forget", Neural Computation 12(10), 2000.
    F. A. Gers, J. Schmidhuber, "Recurrent nets that time and count", IJCNN 2000.
    R. Jozefowicz, W. Zaremba, I. Sutskever, "An empirical exploration of recurrent network architectures", ICML 2015 (forget bias 1).
    K. Greff et al., "LSTM: a search space odyssey", IEEE TNNLS 28(10), 2017.
    C. Tallec, Y. Ollivier, "Can recurrent neural networks warp time?", ICLR 2018.

    Examples
    --------
    >>> import torch
    >>> from skrnn.cells import LSTM
    >>> cell = LSTM(peephole=True).build(
    ...     3, 8, torch.Generator().manual_seed(0)
    ... )
    >>> sum(w.numel() for w in cell.parameters())
    408
    """

    def __init__(
        self,
        forget: str = "gate",
        peephole: bool = False,
        block_size: int = 1,
        layer_norm: bool = False,
        forget_bias: float = 1.0,
        recurrent_init: str = "orthogonal",
        chrono: int | None = None,
        input_gate: bool = True,
        output_gate: bool = True,
        input_activation: str = "tanh",
        output_activation: str = "tanh",
        gate_recurrence: str = "none",
    ) -> None:
        super().__init__()
        self.forget = forget
        self.peephole = peephole
        self.block_size = block_size
        self.layer_norm = layer_norm
        self.forget_bias = forget_bias
        self.recurrent_init = recurrent_init
        self.chrono = chrono
        self.input_gate = input_gate
        self.output_gate = output_gate
        self.input_activation = input_activation
        self.output_activation = output_activation
        self.gate_recurrence = gate_recurrence

    def _check(self) -> None:
        choice(self, "forget", ("gate", "none", "coupled"))
        choice(self, "recurrent_init", RECURRENT_STARTS)
        choice(self, "input_activation", tuple(_ACTIVATIONS))
        choice(self, "output_activation", tuple(_ACTIVATIONS))
        choice(self, "gate_recurrence", ("none", "gates", "all"))
        H, S = self.hidden_size, self.block_size
        if not isinstance(S, int) or S < 1 or H % S:
            raise ValueError(f"The 'block_size' parameter of LSTM must be a divisor of hidden_size={H}; got {S!r}")
        if self.forget == "coupled" and not self.input_gate:
            raise ValueError(f"The 'input_gate' parameter of LSTM must be True where forget='coupled' makes f = 1 − i; got {self.input_gate!r}")

    def _build(self, generator: Generator | None) -> None:
        self._check()
        H, G = self.hidden_size, self.hidden_size // self.block_size
        there = {"i": self.input_gate, "f": self.forget == "gate", "g": True, "o": self.output_gate}
        self._sizes = {name: H if name == "g" else G for name in there if there[name]}
        self._gates = [name for name in self._sizes if name != "g"]
        rows, n_gates = list(self._sizes.values()), len(self._gates)
        self.W = nn.Parameter(torch.cat([input_weights(n, self.input_size, generator) for n in rows]).detach())
        self.R = recurrent_weights(rows, H, self.recurrent_init, generator)
        self.b = nn.Parameter(self._first_bias(G, generator))
        self.p = small((n_gates, H), H, generator) if self.peephole and n_gates else None
        seeing = sum(rows) if self.gate_recurrence == "all" else n_gates * G
        self.Q = small((seeing, n_gates * G), H, generator) if self.gate_recurrence != "none" and n_gates else None
        self.norm_x = LayerNorm(len(self.b), bias=False) if self.layer_norm else None
        self.norm_h = LayerNorm(len(self.b), bias=False) if self.layer_norm else None
        self.norm_c = LayerNorm(H) if self.layer_norm else None

    def _first_bias(self, G: int, generator: Generator | None) -> Tensor:
        b = {name: torch.zeros(n) for name, n in self._sizes.items()}
        keep = torch.full((G,), float(self.forget_bias)) if self.chrono is None else chrono_bias(self, G, generator)
        if "f" in b:
            b["f"] = keep
        if "i" in b and (self.forget == "coupled" or self.chrono is not None):
            b["i"] = -keep
        return torch.cat(list(b.values()))

    def initial_state(self, batch_size: int, *, like: Tensor) -> State:
        zero = super().initial_state(batch_size, like=like)
        return LSTMState(zero, zero) if self.Q is None else FedBackState(zero, zero, like.new_zeros(batch_size, self.Q.shape[1]))

    def project(self, x: Tensor) -> Tensor:
        return linear(x, self.W, self.b) if self.norm_x is None else self.norm_x(linear(x, self.W, None)) + self.b

    def step(self, u: Tensor, state: State) -> tuple[Tensor, State]:
        gates, c = self._gates_and_cell(u, state)
        h = self._spread(gates["o"]) * _ACTIVATIONS[self.output_activation](c if self.norm_c is None else self.norm_c(c))
        if self.Q is None:
            return h, LSTMState(h, c)
        return h, FedBackState(h, c, torch.cat([gates[name] for name in self._gates], -1))

    def gate_values(self, u: Tensor, state: State) -> dict[str, Tensor]:
        gates, _ = self._gates_and_cell(u, state)
        return {name: gate for name, gate in gates.items() if name in self._gates or (name == "f" and self.forget == "coupled")}

    def _gates_and_cell(self, u: Tensor, state: State) -> tuple[dict[str, Tensor], Tensor]:
        h, c, *gates = state
        sums = (u + self._recurrent(h, *gates)).split(list(self._sizes.values()), -1)
        a = dict(zip(self._sizes, sums, strict=True))
        i = self._gate("i", a, c)
        f = 1 - i if self.forget == "coupled" else self._gate("f", a, c)
        c = self._spread(f) * c + self._spread(i) * _ACTIVATIONS[self.input_activation](a["g"])
        o = self._gate("o", a, c)
        return {"i": i, "f": f, "o": o}, c

    def _recurrent(self, h: Tensor, gates: Tensor | None = None) -> Tensor:
        """What the sums get from the step before."""
        r = product(h, self.R)
        if self.Q is not None and gates is not None:
            r = r + product(gates, self._with_g(self.Q))
        return r if self.norm_h is None else self.norm_h(r)

    def _with_g(self, Q: Tensor) -> Tensor:
        """Weights from the gates of the step before to all sums, of which g may see none."""
        if self.gate_recurrence == "all":
            return Q
        before = list(self._sizes).index("g") * (self.hidden_size // self.block_size)  # rows of i and f
        return torch.cat([Q[:before], Q.new_zeros(self.hidden_size, Q.shape[1]), Q[before:]])

    def _gate(self, name: str, a: dict[str, Tensor], c: Tensor) -> Tensor:
        """A gate, which may see the cells of its block; always open where there is none."""
        if name not in a:
            return torch.ones_like(c[:, :: self.block_size])
        if self.p is None:
            return sigmoid(a[name])
        return sigmoid(a[name] + (self.p[self._gates.index(name)] * c).unflatten(-1, (-1, self.block_size)).sum(-1))

    def _spread(self, gate: Tensor) -> Tensor:
        """One gate for each cell of a block."""
        return gate if self.block_size == 1 else gate.repeat_interleave(self.block_size, -1)

    def kernel(self) -> WholeSequence | None:
        every_gate = self.input_gate and self.output_gate and self.forget == "gate" and self.block_size == 1
        squashed = self.input_activation == self.output_activation == "tanh"
        more = self.layer_norm or self.peephole or self.gate_recurrence != "none"
        return OnDevice(gpu=self._run_torch) if every_gate and squashed and not more else None

    def _run_torch(self, packed: PackedSequence, state: State, reverse: bool) -> tuple[Tensor, State]:
        y, h, c = run_torch("lstm", packed, reverse, state, self.W, self.R, self.b, torch.zeros_like(self.b))
        return y, LSTMState(h, c)
