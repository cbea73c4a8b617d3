"""Reservoirs: recurrences that nobody trains."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from numbers import Real
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from torch import Generator, Tensor
from torch.nn.utils.rnn import PackedSequence

from .. import kernels
from ..kernels import Layout
from ._base import Cell, choice
from ._kernel import OnDevice, WholeSequence
from ._rows import linear, product, sigmoid
from ._state import State
from ._topology import TOPOLOGIES, WEIGHTS, Wiring, draw, recurrent

_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "sigmoid": sigmoid,
    "identity": lambda a: a,
}
_DENSE = 500  # units up to which R is kept with its zeros: the product of an eager step is then faster
_SMALL, _FULL = 100, 0.1  # units below which, and share of connections above which, a product with R is faster with its zeros
_USUAL_FAN_IN = 10


class Reservoir(Cell):
    """Reservoir of an echo state network: a fixed random recurrent network of leaky units (Jaeger, 2001).

    Choose it for a model that is fitted in a second: nothing in it is trained, so that a linear readout of its states is all there is to learn.
    Strong on time series and dynamic systems; for symbols and gaps of hundreds of steps take a trained cell. The leaky form of Lukoševičius (2012),
    (1 − a) h + a f, whose states stay in the range of f; ``topology="cycle"`` with ``weights="sign"`` is the simple cycle reservoir of Rodan & Tiňo.

    Parameters
    ----------
    activation : {"tanh", "relu", "sigmoid", "identity"} or callable, default="tanh"
        The function f; a callable maps a tensor to one of the same shape, and runs step by step.
    spectral_radius : float, default=0.9
        Largest modulus of an eigenvalue of R, at least 0, exact to rounding. Larger remembers longer; above about 1 the state may no longer forget
        where it began. A delay line has no eigenvalue but 0: there it is the weight of every connection.
    leak_rate : float or array-like of shape (hidden_size,), default=1.0
        The share a of the new state, in (0, 1]: for all units, or one each. Smaller is slower: a unit averages over about 1 / a steps.
    input_scaling : float or array-like of shape (input_size,), default=0.3
        Scale of the columns of W, at least 0. Larger is less linear, and drowns the memory.
    bias_scaling : float, default=0.2
        Scale of b, at least 0. At 0, a tanh reservoir can only compute odd functions of its input.
    fan_in : int or None, default=None
        Recurrent inputs of each unit, from 1 to hidden_size; a step costs so many multiplications for each unit. ``None``: 10, or all of fewer units.
    density : float or None, default=None
        The same as a share of all units, in (0, 1]; replaces ``fan_in``.
    topology : {"random", "cycle", "cycle_jumps", "delay_line", "orthogonal", "small_world"}, default="random"
        What a unit is connected to. "random": any ``fan_in`` units. "cycle": the unit before, in a ring. "cycle_jumps": besides, two-way jumps of
        ``jump_length`` along the ring, all of one weight. "delay_line": a cycle that is cut. "orthogonal": all units, by an orthogonal matrix times
        the spectral radius. "small_world": the ``fan_in`` nearest units on a ring, a tenth of them replaced by any other.
    jump_length : int or None, default=None
        Units that a jump of "cycle_jumps" leads on, from 2 to hidden_size − 1; ``None`` is about the square root of hidden_size.
    weights : {"uniform", "normal", "sign"}, default="uniform"
        How W, b and the R of "random" and "small_world" are drawn before they are scaled: in [−1, 1], standard normal, or −1 and 1.
    noise : float, default=0.0
        Standard deviation of the noise inside f while training, at least 0; more makes a readout that feeds itself more stable, and less exact.
    recurrent_weights : array-like or scipy sparse array of shape (hidden_size, hidden_size) or None, default=None
        R as it is, in place of all settings above that shape it.
    input_weights : array-like of shape (hidden_size, input_size) or None, default=None
        W as it is.
    bias : array-like of shape (hidden_size,) or None, default=None
        b as it is.

    Raises
    ------
    ValueError
        By ``build``, if a parameter is out of its range or does not fit the sizes.

    Notes
    -----
    ::

        h(t) = (1 − a) h(t-1) + a f(W x(t) + b + R h(t-1) + noise)

    W is (H, F), R is (H, H), b is (H,): all fixed, drawn in float64 and not among ``parameters()``. O(H · fan_in + H F) a step. The state is h, the
    output too. Scales multiply what was drawn: the same seed with other scales, leak rates or spectral radii is the same reservoir.

    Differs from Jaeger et al. (2007), h(t) = (1 − a γ) h(t-1) + γ f(…): their states reach 1 / a; with γ = a = 1 both are the same, and with γ = 1
    theirs are ours divided by a, if R is multiplied by a and W and b stay. How long units remember follows the radius of a R + (1 − a) I, see
    :func:`spectral_radius`. Differs from Rodan & Tiňo (2012) in that jumps weigh as much as the cycle, and that both are scaled.

    On a CPU, compiled kernels run whole batches, without connections that are not there; a gradient in the input or in the first state is that of
    a network with them. Above 500 units R is kept without its zeros.

    References
    ----------
    H. Jaeger, "The 'echo state' approach to analysing and training recurrent neural networks", GMD report 148, 2001.
    H. Jaeger et al., "Optimization and applications of echo state networks with leaky-integrator neurons", Neural Networks 20(3), 2007.
    M. Lukoševičius, "A practical guide to applying echo state networks", in: Neural networks: tricks of the trade, Springer, 2012.
    A. Rodan, P. Tiňo, "Minimum complexity echo state network", IEEE Transactions on Neural Networks 22(1), 2011.
    A. Rodan, P. Tiňo, "Simple deterministically constructed cycle reservoirs with regular jumps", Neural Computation 24(7), 2012.

    Examples
    --------
    >>> import torch
    >>> from skrnn.cells import Reservoir, spectral_radius
    >>> cell = Reservoir(spectral_radius=0.8).build(
    ...     1, 100, torch.Generator().manual_seed(0)
    ... )
    >>> round(spectral_radius(cell.recurrent_matrix()), 12)
    0.8
    """

    W: Tensor
    b: Tensor
    a: Tensor | None
    R: Tensor | None
    values: Tensor
    rows: Tensor
    columns: Tensor

    def __init__(
        self,
        activation: str | Callable[[Tensor], Tensor] = "tanh",
        spectral_radius: float = 0.9,
        leak_rate: float | ArrayLike = 1.0,
        input_scaling: float | ArrayLike = 0.3,
        bias_scaling: float = 0.2,
        fan_in: int | None = None,
        density: float | None = None,
        topology: str = "random",
        jump_length: int | None = None,
        weights: str = "uniform",
        noise: float = 0.0,
        recurrent_weights: Any = None,
        input_weights: ArrayLike | None = None,
        bias: ArrayLike | None = None,
    ) -> None:
        super().__init__()
        self.activation = activation
        self.spectral_radius = spectral_radius
        self.leak_rate = leak_rate
        self.input_scaling = input_scaling
        self.bias_scaling = bias_scaling
        self.fan_in = fan_in
        self.density = density
        self.topology = topology
        self.jump_length = jump_length
        self.weights = weights
        self.noise = noise
        self.recurrent_weights = recurrent_weights
        self.input_weights = input_weights
        self.bias = bias

    def _build(self, generator: Generator | None) -> None:
        self._check_names()
        F, H = self.input_size, self.hidden_size
        seed = int(torch.randint(2**62, (), generator=generator))
        for_W, for_b, for_R = np.random.default_rng(seed).spawn(3)  # W does not depend on how much R draws
        W, b = draw(self.weights, (H, F), for_W), draw(self.weights, (H,), for_b)
        W, b = W * _scales(self, "input_scaling"), b * _scales(self, "bias_scaling")
        W = W if self.input_weights is None else _given(self, "input_weights", (H, F))
        b = b if self.bias is None else _given(self, "bias", (H,))
        self.register_buffer("W", torch.from_numpy(W))
        self.register_buffer("b", torch.from_numpy(b))
        self.register_buffer("a", _rates(self))
        self._keep(self._drawn(for_R) if self.recurrent_weights is None else _given(self, "recurrent_weights", (H, H)))

    def rescaled(
        self,
        *,
        spectral_radius: float | None = None,
        leak_rate: float | ArrayLike | None = None,
        input_scaling: float | ArrayLike | None = None,
        bias_scaling: float | None = None,
    ) -> Self:
        """A built copy with other scales, of what was drawn for this one: nothing is drawn anew.

        Parameters
        ----------
        spectral_radius, leak_rate, input_scaling, bias_scaling : as of the class, default=None
            ``None`` stays as it is. Weights that were given, not drawn, stay too.

        Returns
        -------
        Reservoir
            What ``build`` makes of these scales and the seed of this one, but for rounding; to the bit if the scales of this one are 1.

        Raises
        ------
        ValueError
            If a scale is out of its range, or was 0, so that nothing is left to be scaled.
        """
        new = copy.deepcopy(self).draw_from(self.generator)
        scales = {"spectral_radius": spectral_radius, "leak_rate": leak_rate, "input_scaling": input_scaling, "bias_scaling": bias_scaling}
        new.set_params(**{name: value for name, value in scales.items() if value is not None})
        rates = _rates(new)
        new.a = None if rates is None else rates.to(self.W)
        if self.input_weights is None:
            new.W = self.W * _ratio("input_scaling", new, self)
        if self.bias is None:
            new.b = self.b * _ratio("bias_scaling", new, self)
        if self.recurrent_weights is None:
            factor = _ratio("spectral_radius", new, self)
            if self.R is None:
                new.values = self.values * factor
            else:
                new.R = self.R * factor
        return new

    def _drawn(self, rng: np.random.Generator) -> Any:
        wiring = Wiring(self.hidden_size, self._inputs(), self._jump(), self.weights)
        return recurrent(self.topology, wiring, float(_scales(self, "spectral_radius")), rng)

    def _keep(self, R: Any) -> None:
        entries, H = sparse.coo_array(sparse.csr_array(R)), self.hidden_size
        full = H <= _DENSE or entries.nnz > _FULL * H**2
        self.register_buffer("R", torch.from_numpy(entries.toarray()) if full else None)
        parts = (entries.data, *(index.astype(np.int32) for index in entries.coords))
        for name, part in zip(("values", "rows", "columns"), parts, strict=True):
            self.register_buffer(name, None if full else torch.from_numpy(part))

    def _check_names(self) -> None:
        if isinstance(self.activation, str) or not callable(self.activation):
            choice(self, "activation", tuple(_ACTIVATIONS))
        choice(self, "topology", tuple(TOPOLOGIES))
        choice(self, "weights", WEIGHTS)
        _scales(self, "noise")

    def _inputs(self) -> int:
        H = self.hidden_size
        if self.density is not None:
            if not isinstance(self.density, Real) or not 0 < float(self.density) <= 1:
                raise ValueError(f"The 'density' parameter of Reservoir must be None or a share in (0, 1]; got {self.density!r}")
            return max(1, round(float(self.density) * H))
        if self.fan_in is None:
            return min(_USUAL_FAN_IN, H)
        if not isinstance(self.fan_in, int | np.integer) or not 1 <= self.fan_in <= H:
            raise ValueError(f"The 'fan_in' parameter of Reservoir must be None or from 1 to {H} (hidden_size); got {self.fan_in!r}")
        return int(self.fan_in)

    def _jump(self) -> int | None:
        if self.jump_length is None:
            return None
        if not isinstance(self.jump_length, int | np.integer) or not 2 <= self.jump_length < self.hidden_size:
            last = self.hidden_size - 1
            raise ValueError(f"The 'jump_length' parameter of Reservoir must be None or from 2 to {last} (hidden_size - 1); got {self.jump_length!r}")
        return int(self.jump_length)

    def recurrent_matrix(self) -> Any:
        """R: a numpy array, or above 500 units with few connections a scipy sparse array, of shape (hidden_size, hidden_size)."""
        if self.R is not None:
            return self.R.cpu().numpy()
        values, rows, columns = (part.cpu().numpy() for part in (self.values, self.rows, self.columns))
        return sparse.csr_array((values, (rows, columns)), shape=(self.hidden_size, self.hidden_size))

    def project(self, x: Tensor) -> Tensor:
        u = linear(x, self.W.to(x.dtype), self.b.to(x.dtype))
        if not self._noisy():
            return u
        return u + self.noise * torch.empty(u.shape, dtype=torch.float32).normal_(generator=self.generator).to(u)

    def step(self, u: Tensor, state: State) -> tuple[Tensor, State]:
        f = _ACTIVATIONS[self.activation] if isinstance(self.activation, str) else self.activation
        h = f(u + self._product(state))
        if self.a is not None:
            h = state + self.a.to(h.dtype) * (h - state)
        return h, h

    def _product(self, h: Tensor) -> Tensor:
        """R h of every sequence."""
        if self.R is not None:
            return product(h, self.R.to(h.dtype))
        products = h.index_select(1, self.columns) * self.values.to(h.dtype)
        return torch.zeros_like(h).index_add(1, self.rows, products)

    def kernel(self) -> WholeSequence | None:
        return OnDevice(cpu=partial(self._run, self.activation)) if isinstance(self.activation, str) else None

    def _run(self, name: str, packed: PackedSequence, state: State, reverse: bool) -> tuple[Tensor, State] | None:
        x = packed.data
        a = None if self.a is None else self.a.to(x.dtype)
        if not torch.is_grad_enabled() or not (x.requires_grad or state.requires_grad):
            return self._states(kernels.reservoir[name], packed, state, reverse, a)
        return None

    def _states(self, kernel: Any, packed: PackedSequence, state: Tensor, reverse: bool, a: Tensor | None) -> tuple[Tensor, Tensor]:
        """Without a gradient; the outputs take the place of the projected input."""
        u, layout = self.project(packed.data).numpy(), Layout.of(packed.batch_sizes.numpy())
        R = self._connections(u)
        y, h = kernel(layout, reverse, u, R, state.detach().numpy(), None if a is None else a.numpy())
        return torch.from_numpy(y), torch.from_numpy(h)

    def _connections(self, u: NDArray[Any]) -> NDArray[Any] | kernels.Sparse:
        """R for the kernel of states ``u``: without its zeros if it is sparse, and if there are enough of them to be worth leaving the zeros out."""
        if self.R is None:
            values, rows, columns = (part.numpy() for part in (self.values, self.rows, self.columns))
            return kernels.Sparse.of(values.astype(u.dtype), rows, columns, self.hidden_size)
        R = self.R.numpy().astype(u.dtype, copy=False)
        worth = len(R) >= _SMALL and kernels.count_entries(R) <= _FULL * R.size  # however few states there are: the bits of each would tell
        return kernels.Sparse.compress(R) if worth else R

    def _noisy(self) -> bool:
        return self.training and self.noise > 0


def _scales(cell: Reservoir, name: str) -> NDArray[np.float64]:
    """A parameter that is one number, or where there may be many, one each of the channels of the input or of the units."""
    size, of = {"input_scaling": (cell.input_size, "input_size"), "leak_rate": (cell.hidden_size, "hidden_size")}.get(name, (0, ""))
    given = cell.get_params(deep=False)[name]
    values = np.asarray(given)
    shapes = ((), (size,)) if size else ((),)
    if values.dtype.kind not in "iuf" or values.shape not in shapes or not (np.isfinite(values) & (values >= 0)).all():
        expected = f"one finite number of at least 0, or {size} ({of})" if size else "a finite number of at least 0"
        raise ValueError(f"The {name!r} parameter of Reservoir must be {expected}; got {given!r}")
    return values.astype(np.float64)


def _rates(cell: Reservoir) -> Tensor | None:
    """The leak rate of each unit; ``None`` where all are 1."""
    a = _scales(cell, "leak_rate")
    if not ((a > 0) & (a <= 1)).all():
        raise ValueError(f"The 'leak_rate' parameter of Reservoir must be in (0, 1]; got {cell.leak_rate!r}")
    return None if (a == 1).all() else torch.from_numpy(np.broadcast_to(a, cell.hidden_size).copy())


def _ratio(name: str, new: Reservoir, old: Reservoir) -> Tensor:
    """By what weights that were drawn are multiplied for another scale."""
    wanted, given = np.broadcast_arrays(_scales(new, name), _scales(old, name))
    if (wanted[given == 0] > 0).any():
        raise ValueError(f"{name}={old.get_params(deep=False)[name]!r} has left nothing of the weights that could be scaled to {wanted!r}")
    return torch.from_numpy(np.where(given == 0, 1.0, wanted / np.where(given == 0, 1.0, given))).to(old.W)


def _given(cell: Reservoir, name: str, shape: tuple[int, ...]) -> Any:
    """Weights as the user gave them, checked."""
    value = cell.get_params(deep=False)[name]
    array = sparse.csr_array(value) if sparse.issparse(value) else np.asarray(value)
    if array.shape != shape or array.dtype.kind not in "iuf":
        raise ValueError(f"The {name!r} parameter of Reservoir must be numbers of shape {shape}; got {array.dtype} of shape {array.shape}")
    numbers = array.data if sparse.issparse(array) else array
    if not np.isfinite(numbers).all():
        raise ValueError(f"The {name!r} parameter of Reservoir must be finite; got NaN or infinity")
    return array.astype(np.float64)
