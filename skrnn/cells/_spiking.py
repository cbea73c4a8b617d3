"""Spiking neurons: the column of a liquid state machine."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Generator, Tensor
from torch.nn.utils.rnn import PackedSequence

from .. import kernels
from ..kernels import Layout
from ._base import Cell
from ._column import chosen, connect, static
from ._kernel import OnDevice, WholeSequence
from ._rows import linear
from ._state import State

_THRESHOLD = 1.5  # mV above the potential after a spike
_INPUT = (18.0, 9.0)  # nA, to excitatory and to inhibitory neurons


class SpikingState(NamedTuple):
    """Filtered spikes; potentials; excitatory and inhibitory currents; currents on the way; use and resources of synapses; counters of steps."""

    h: Tensor
    v: Tensor
    e: Tensor
    i: Tensor
    on_way: Tensor
    p: Tensor
    r: Tensor
    rest: Tensor
    since: Tensor


class _Shares(NamedTuple):
    """What a time step does: the potential is a sum of the three first shares, currents and filtered spikes fade to the three last."""

    keep_v: float
    from_e: float
    from_i: float
    keep_e: float
    keep_i: float
    keep_h: float


class Spiking(Cell):
    """Column of spiking neurons, the liquid of a liquid state machine (Maass, Natschläger & Markram, 2002).

    For input that is spikes, and as a fixed random memory for a linear readout: nothing is trained, and the output of a step are the low-pass
    filtered spikes of the neurons, which tell what happened in the last few hundred milliseconds. Integrate-and-fire neurons, a fifth of them
    inhibitory, stand in a column and are connected to near ones by synapses that tire and recover; the constants are those of the paper. Of
    numbers that are not spikes, an encoder of :mod:`skrnn.preprocessing` makes some; an echo state network is cheaper for them.

    Parameters
    ----------
    column : tuple of two int, default=(3, 3)
        Width and depth of the column, which ``hidden_size`` neurons fill layer by layer; the paper has 3 · 3 · 15 = 135.
    connection_length : float, default=2.0
        λ: how far connections reach, in distances of neighbours. Longer means more synapses and activity that lasts longer, in the end chaos;
        0 is no connections.
    inhibitory_fraction : float, default=0.2
        Share of inhibitory neurons; with fewer the column is more active.
    dynamic_synapses : bool, default=True
        Synapses tire and recover (Markram, Wang & Tsodyks, 1998). ``False`` fixes each at the strength to which regular spikes at 20 Hz bring it.
    recurrent_scaling : float, default=1.0
        Factor of the amplitudes of all synapses within the column.
    input_scaling : float, default=1.0
        Factor of the current of an input spike; an input of 2 is two spikes in one step.
    input_fraction : float, default=0.3
        Share of the neurons that get the spikes of an input channel, drawn for each channel; at least one.
    dt : float, default=0.5
        Length of a time step in ms; shorter steps are more exact and cost more for the same time.
    membrane_time : float, default=30.0
        τ_m, ms in which a potential falls to 1 / e.
    synapse_times : tuple of two float, default=(3.0, 6.0)
        τ_E and τ_I, ms in which excitatory and inhibitory currents fall to 1 / e; input spikes excite.
    refractory_times : tuple of two float, default=(3.0, 2.0)
        How long an excitatory and an inhibitory neuron rests after a spike, in ms.
    filter_time : float, default=30.0
        τ_h, ms in which the trace of a spike in the output falls to 1 / e; longer traces are smoother and see further back.

    Notes
    -----
    Potentials v are in mV above 13.5 mV, which is the potential after a spike and also that at rest, as a background current of 13.5 nA flows
    through the 1 MΩ of each membrane; currents e, i are in nA. Of each neuron, with Δ = dt::

        e(t) = exp(−Δ/τ_E) e(t-1) + W x(t) + excitatory spikes that arrive
        i(t) = exp(−Δ/τ_I) i(t-1) + inhibitory spikes that arrive
        v(t) = exp(−Δ/τ_m) v(t-1) + κ_E e(t) + κ_I i(t)        while it rests: 0
        s(t) = 1 if v(t) ≥ 1.5 else 0                          after a spike: v(t) = 0
        h(t) = exp(−Δ/τ_h) h(t-1) + s(t)

    κ_E = (exp(−Δ/τ_E) − exp(−Δ/τ_m)) / (1 − τ_m/τ_E), and κ_I likewise, is the exact solution over a step (its limit, where both times are
    equal). Spike k of a neuron, which comes δ after its spike k − 1, sends the current A p_k r_k over each of its synapses::

        p_k = U + (1 − U) p_{k-1} exp(−δ/F)                    p_0 = 0
        r_k = 1 + (r_{k-1} − p_{k-1} r_{k-1} − 1) exp(−δ/D)      r_0 = 1

    From E to E, E to I, I to E and I to I the chance C exp(−(distance/λ)²) of a synapse has C = 0.3, 0.2, 0.4, 0.1; the mean of A is 30, 60, −19,
    −19 nA, of U 0.5, 0.05, 0.25, 0.32, of D 1100, 125, 700, 144 ms, of F 50, 1200, 20, 60 ms; the delay is 1.5, 0.8, 0.8, 0.8 ms, rounded to
    whole steps, at least one. W is 18 nA for excitatory and 9 nA for inhibitory neurons. Potentials start between 0 and 1.5 mV, drawn once. No
    weights; O(H (F + 1)) a step and O(1) for each synapse of a neuron that spikes, about 640 synapses in all with 135 neurons.

    Outputs do not change with small changes of the input: where autograd asks, their gradient is 0, and what little passes through the state is
    followed step by step, without the compiled kernel. The state is (h, v, e, i, on_way, p, r, rest, since): currents on the way are (B, L, 2 H),
    those of the next step first, p and r belong to the S synapses, and the last two count steps, those left to rest and those since the last
    spike.

    A is gamma distributed with a standard deviation of its mean, that is, exponentially; U, D and F normally with one of half their means. Letters
    of the papers: p and r are u and R there. Differs from the paper: values of U, D, F outside 0 … twice their mean, not only negative ones, are
    drawn again uniformly within; input spikes have no delay, and no neuron has a synapse to itself.

    References
    ----------
    W. Maass, T. Natschläger, H. Markram, "Real-time computing without stable states: a new framework for neural computation based on perturbations",
    Neural Computation 14(11), 2002.
    H. Markram, Y. Wang, M. Tsodyks, "Differential signaling via the same axon of neocortical pyramidal neurons", PNAS 95(9), 1998.

    Examples
    --------
    >>> import torch
    >>> from skrnn.cells import Spiking
    >>> cell = Spiking().build(1, 135, torch.Generator().manual_seed(0))
    >>> state = cell.initial_state(2, like=torch.ones(1))
    >>> y, state = cell.step(cell.project(torch.tensor([[0.0], [3.0]])), state)
    >>> y.sum(-1)
    tensor([ 0., 19.])
    """

    W: Tensor
    v0: Tensor
    A: Tensor
    U: Tensor
    D: Tensor
    F: Tensor
    _pre: Tensor
    _target: Tensor
    _delay: Tensor
    _refractory: Tensor

    def __init__(
        self,
        column: tuple[int, int] = (3, 3),
        connection_length: float = 2.0,
        inhibitory_fraction: float = 0.2,
        dynamic_synapses: bool = True,
        recurrent_scaling: float = 1.0,
        input_scaling: float = 1.0,
        input_fraction: float = 0.3,
        dt: float = 0.5,
        membrane_time: float = 30.0,
        synapse_times: tuple[float, float] = (3.0, 6.0),
        refractory_times: tuple[float, float] = (3.0, 2.0),
        filter_time: float = 30.0,
    ) -> None:
        super().__init__()
        self.column = column
        self.connection_length = connection_length
        self.inhibitory_fraction = inhibitory_fraction
        self.dynamic_synapses = dynamic_synapses
        self.recurrent_scaling = recurrent_scaling
        self.input_scaling = input_scaling
        self.input_fraction = input_fraction
        self.dt = dt
        self.membrane_time = membrane_time
        self.synapse_times = synapse_times
        self.refractory_times = refractory_times
        self.filter_time = filter_time

    def _build(self, generator: Generator | None) -> None:
        self._check()
        H, n_input = self.hidden_size, max(round(self.input_fraction * self.hidden_size), 1)
        inhibits = chosen(H, round(self.inhibitory_fraction * H), generator)
        synapses = connect(self.column, self.connection_length, inhibits, generator)
        if not self.dynamic_synapses:
            synapses = static(synapses)
        reached = torch.stack([chosen(H, n_input, generator) for _ in range(self.input_size)], 1)
        self._keep("W", self.input_scaling * reached * torch.tensor(_INPUT)[inhibits.long()][:, None])
        self._keep("v0", torch.empty(H, dtype=torch.float32).uniform_(0, _THRESHOLD, generator=generator))
        self._keep("A", self.recurrent_scaling * synapses.A)
        for name in ("U", "D", "F"):
            self._keep(name, synapses._asdict()[name])
        self.register_buffer("_pre", synapses.pre)
        self.register_buffer("_target", synapses.post + H * synapses.inhibits)
        self.register_buffer("_delay", self._steps(synapses.delay).clamp(min=1))
        self.register_buffer("_refractory", self._steps(torch.tensor(self.refractory_times))[inhibits.long()])
        self._shares = self._find_shares()

    def _keep(self, name: str, weights: Tensor) -> None:
        self.register_buffer(name, weights.to(torch.get_default_dtype()))

    def _steps(self, times: Tensor) -> Tensor:
        return torch.round(times / self.dt).long()

    def _find_shares(self) -> _Shares:
        tau_m, (tau_e, tau_i) = self.membrane_time, self.synapse_times
        keep_v, keep_e, keep_i, keep_h = (math.exp(-self.dt / tau) for tau in (tau_m, tau_e, tau_i, self.filter_time))
        return _Shares(keep_v, _passed(self.dt, tau_m, tau_e), _passed(self.dt, tau_m, tau_i), keep_e, keep_i, keep_h)

    def _check(self) -> None:
        at_least_0, share, positive = "a number of at least 0", "a number from 0 to 1", "a positive number of ms"
        numbers = {
            "column": (all(isinstance(a, Integral) and _number(a) >= 1 for a in _pair(self.column)), "two whole numbers of at least 1"),
            "connection_length": (_number(self.connection_length) >= 0, at_least_0),
            "inhibitory_fraction": (0 <= _number(self.inhibitory_fraction) <= 1, share),
            "recurrent_scaling": (_number(self.recurrent_scaling) >= 0, at_least_0),
            "input_scaling": (_number(self.input_scaling) >= 0, at_least_0),
            "input_fraction": (0 <= _number(self.input_fraction) <= 1, share),
            "dt": (_number(self.dt) > 0, positive),
            "membrane_time": (_number(self.membrane_time) > 0, positive),
            "synapse_times": (all(a > 0 for a in _pair(self.synapse_times)), "two positive numbers of ms"),
            "refractory_times": (all(a >= 0 for a in _pair(self.refractory_times)), "two numbers of ms of at least 0"),
            "filter_time": (_number(self.filter_time) > 0, positive),
        }
        for name, (holds, wanted) in numbers.items():
            if not holds:
                raise ValueError(f"The {name!r} parameter of Spiking must be {wanted}; got {self.get_params()[name]!r}")

    def project(self, x: Tensor) -> Tensor:
        return linear(x, self.W, None)

    def initial_state(self, batch_size: int, *, like: Tensor) -> State:
        h = super().initial_state(batch_size, like=like)
        v = self.v0.to(h).expand(batch_size, -1)
        on_way = like.new_zeros(batch_size, int(self._delay.max()), 2 * self.hidden_size)
        p, r = like.new_zeros(batch_size, len(self.A)), like.new_ones(batch_size, len(self.A))
        count = torch.zeros(batch_size, self.hidden_size, dtype=torch.int64, device=like.device)
        return SpikingState(h, v, h, h, on_way, p, r, count, count)

    def step(self, u: Tensor, state: State) -> tuple[Tensor, State]:
        h, v, e, i, on_way, p, r, rest, since = state
        a, since = self._shares, since + 1
        e_in, i_in = on_way[:, 0].chunk(2, -1)
        e = a.keep_e * e + e_in + u
        i = a.keep_i * i + i_in
        v = torch.where(rest > 0, 0.0, a.keep_v * v + a.from_e * e + a.from_i * i)
        s = v >= _THRESHOLD
        h = a.keep_h * h + s
        p, r, sent = self._transmit(s, p, r, since)
        rest = torch.where(s, self._refractory, (rest - 1).clamp(min=0))
        state = SpikingState(h, torch.where(s, 0.0, v), e, i, self._send(sent, on_way), p, r, rest, torch.where(s, 0, since))
        return h, state

    def _transmit(self, s: Tensor, p: Tensor, r: Tensor, since: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Use and resources of the synapses after a step, and the current that each sends."""
        s, passed = s[:, self._pre], since[:, self._pre].to(p.dtype)
        free = 1 + (r - p * r - 1) * torch.exp(-self.dt / self.D * passed)
        used = self.U + (1 - self.U) * p * torch.exp(-self.dt / self.F * passed)
        return torch.where(s, used, p), torch.where(s, free, r), torch.where(s, self.A * used * free, 0.0)

    def _send(self, sent: Tensor, on_way: Tensor) -> Tensor:
        """The currents on the way at the next step."""
        later = torch.cat([on_way[:, 1:], torch.zeros_like(on_way[:, :1])], 1)
        place = ((self._delay - 1) * on_way.shape[2] + self._target).expand_as(sent)
        return later.flatten(1).scatter_add(1, place, sent).view_as(on_way)

    def kernel(self) -> WholeSequence | None:
        return OnDevice(cpu=self._run)

    def _run(self, packed: PackedSequence, state: State, reverse: bool) -> tuple[Tensor, State] | None:
        x = packed.data
        if torch.is_grad_enabled() and any(s.requires_grad for s in (x, *state)):
            return None
        with torch.no_grad():
            cells = torch.tensor([*self._shares, _THRESHOLD], dtype=x.dtype)
            edges = torch.searchsorted(self._pre, torch.arange(self.hidden_size + 1))
            tables = cells, self._refractory, edges, self._target, self._delay, self.A, self.U, self.dt / self.D, self.dt / self.F
            arrays = (np.ascontiguousarray(a.numpy()) for a in (*tables, *state))
            y, last = kernels.spiking(Layout.of(packed.batch_sizes.numpy()), reverse, self.project(x).numpy(), *arrays)
        return torch.from_numpy(y), SpikingState(*map(torch.from_numpy, last))


def _passed(dt: float, tau_m: float, tau_s: float) -> float:
    """Which part of a current that fades with ``tau_s`` is in the potential after a step; it fades with ``tau_m`` there."""
    x = dt / tau_m - dt / tau_s
    return dt / tau_m * math.exp(-dt / tau_m) * (math.expm1(x) / x if x else 1.0)


def _number(value: Any) -> float:
    """The value, or NaN, which compares false, where it is no finite number."""
    return float(value) if isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value) else math.nan


def _pair(values: Any) -> tuple[Any, ...]:
    """Both values, or NaN where they are not two numbers."""
    two = isinstance(values, tuple | list) and len(values) == 2
    return tuple(a if math.isfinite(_number(a)) else math.nan for a in values) if two else (math.nan,)
