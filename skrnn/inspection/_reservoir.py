"""What a reservoir remembers, and how it forgets where it began."""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.pipeline import Pipeline
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted
from torch import Generator, Tensor
from torch.nn.utils.rnn import PackedSequence

from ..cells import Cell, State, flat, map_state, resolve
from ..data._sequences import Array
from ..engine import TimeSlices, limit_threads
from ..estimators.face import infinite_states, seed_of
from ..estimators.reservoirs import EchoState
from ..networks import Reservoirs
from ..training import svd_path

_DISTURBANCE = 1e-8  # distance of the disturbed run, of states above 1 relative: its square is below rounding, its own rounding is not seen
_N_DISTURBED = 10


class DrivenReservoirs(NamedTuple):
    """A network in double precision, and one series as it gets it, (n_steps, n_inputs)."""

    network: Reservoirs
    x: Tensor

    def states(self) -> Array:
        """Of all units at every step, (n_steps, n_units)."""
        packed = PackedSequence(self.x, torch.ones(len(self.x), dtype=torch.int64))
        features = torch.cat([part for part, _ in self.network.blocks(packed, self.network.start(1))])
        return np.asarray(features[:, self.x.shape[1] * self.network.include_input :].numpy())

    def copies(self, n: int) -> PackedSequence:
        """The series ``n`` times, side by side."""
        return PackedSequence(self.x.repeat_interleave(n, 0), torch.full((len(self.x),), n))


def memory_capacity(reservoir: Any, *, hidden_size: int = 100, max_delay: int | None = None, n_steps: int = 4000, random_state: Any = None) -> Array:
    """How much of its past input a linear readout recovers from a reservoir, delay for delay (Jaeger, 2002).

    Their sum is the memory capacity: at most the number of units, and near it for linear units and small spectral radii. Larger inputs and smaller
    leak rates leave less.

    Parameters
    ----------
    reservoir : Reservoir or another cell, str, or fitted echo state estimator
        A cell, or its name, is built with ``hidden_size`` units and one input; an estimator of one channel is taken as it is, without its
        standardisation and its readout.
    hidden_size : int, default=100
        Units of a cell.
    max_delay : int or None, default=None
        The longest delay, in time steps; ``None`` is twice the number of units.
    n_steps : int, default=4000
        Steps of the input: the readouts learn from the first half, and the other half is held out.
    random_state : int, RandomState instance or None, default=None
        Source of the input and of the weights of a cell.

    Returns
    -------
    capacities : ndarray of shape (max_delay,)
        For the delays 1, 2, …: between 0 and 1. What cannot be recovered at all gets about 2 / n_steps in place of 0.

    Raises
    ------
    TypeError
        If ``reservoir`` is none of these.
    ValueError
        If it has several inputs, or there are fewer than 4 steps for each unit.

    Notes
    -----
    The input u is uniform in [−0.5, 0.5]. For each delay k, a least-squares readout y of the states learns u(t − k); its capacity is the squared
    correlation on the held-out steps, which come after as many steps as ``max_delay`` that count for nothing ::

        C(k) = cov(u(t − k), y(t))² / (var u var y)

    All in double precision. O(n_steps (N² + N max_delay)) for N units.

    References
    ----------
    H. Jaeger, "Short term memory in echo state networks", GMD report 152, 2002.

    Examples
    --------
    >>> from skrnn.cells import Reservoir
    >>> from skrnn.inspection import memory_capacity
    >>> line = Reservoir("identity", topology="delay_line", bias_scaling=0.0)
    >>> round(
    ...     float(
    ...         memory_capacity(
    ...             line, hidden_size=20, n_steps=1000, random_state=0
    ...         ).sum()
    ...     )
    ... )
    19
    """
    random = check_random_state(seed_of(random_state))
    n_units = _n_units(reservoir, hidden_size)
    longest = 2 * n_units if max_delay is None else max_delay
    if longest < 1 or n_steps < 4 * n_units:
        raise ValueError(f"max_delay must be at least 1, and n_steps at least 4 for each of {n_units} units; got {max_delay!r} and {n_steps!r}")
    u = random.uniform(-0.5, 0.5, longest + n_steps)
    with limit_threads(1), torch.inference_mode():
        driven = drive(reservoir, u[:, None], hidden_size, random, standardized=False)
        Z = driven.states()[longest:]
    Y = np.lib.stride_tricks.sliding_window_view(u, longest)[:-1, ::-1]  # in row t: u(t-1), u(t-2), …
    half = n_steps // 2
    coef, _ = svd_path(Z[:half], Y[:half], [0.0])
    return _squared_correlation(Z[half:] @ coef[0].T, Y[half:])


def largest_lyapunov_exponent(reservoir: Any, X: ArrayLike, *, hidden_size: int = 100, washout: int = 100, random_state: Any = None) -> float:
    """How fast two nearly equal states part under the same input: the natural logarithm of the growth of their distance in a time step.

    Below 0 a reservoir forgets where it began, the faster the lower; above 0 it is chaotic, and no readout of it can be reproduced. Useful
    reservoirs are below 0, those with long memories just below.

    Parameters
    ----------
    reservoir : Reservoir or another cell, str, or fitted echo state estimator
        A cell, or its name, is built with ``hidden_size`` units and gets ``X`` as it is; an estimator, or a ``Pipeline`` that ends in one,
        standardises it.
    X : array-like of shape (n_steps, n_features)
        One series. The exponent is that of the reservoir under this input; a strong input makes it smaller.
    hidden_size : int, default=100
        Units of a cell.
    washout : int, default=100
        Steps at the beginning that do not count: the direction in which states part fastest has to be found.
    random_state : int, RandomState instance or None, default=None
        Source of the first distance and of the weights of a cell.

    Returns
    -------
    float
        Of an infinite number of steps the exponent, of these their mean. −inf where the distance vanishes.

    Raises
    ------
    TypeError
        If ``reservoir`` is none of these.
    ValueError
        If X is no series of the features of the estimator, or has no step after the washout, if the estimator feeds outputs back, or if the states
        become infinite.

    Notes
    -----
    After every step the distance d of a disturbed run h' from the true one h is set back in its direction ::

        λ = mean of ln(‖d(t)‖ / ε(t-1)),   d(t) = h'(t) − h(t),   h'(t) ← h(t) + ε(t) d(t) / ‖d(t)‖,   ε = 1e-8 max(1, ‖h‖)

    In double precision, with all of a cell's state in h. Two runs of the cell, step by step.

    References
    ----------
    G. Benettin, L. Galgani, A. Giorgilli, J.-M. Strelcyn, "Lyapunov characteristic exponents for smooth dynamical systems and for Hamiltonian
    systems: a method for computing all of them", Meccanica 15, 1980.
    J. Boedecker, O. Obst, J. T. Lizier, N. M. Mayer, M. Asada, "Information processing in echo state networks at the edge of chaos", Theory in
    Biosciences 131, 2012.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.cells import Reservoir
    >>> from skrnn.inspection import largest_lyapunov_exponent
    >>> u = np.random.default_rng(0).uniform(-1, 1, (500, 1))
    >>> [
    ...     largest_lyapunov_exponent(
    ...         Reservoir(spectral_radius=r), u, random_state=0
    ...     )
    ...     > 0
    ...     for r in (0.9, 3.0)
    ... ]
    [False, True]
    """
    with limit_threads(1), torch.inference_mode():
        random = check_random_state(seed_of(random_state))
        driven = drive(reservoir, X, hidden_size, random)
        if not 0 <= washout < len(driven.x):
            raise ValueError(f"washout must be at least 0 and less than the {len(driven.x)} steps of X; got {washout!r}")
        states, before = _set_apart(_apart(driven.network.start(2), _generator(random)))
        growth = np.empty(len(driven.x))
        for k, piece in enumerate(TimeSlices(driven.copies(2), 1)):
            states = driven.network(piece, states)[1]
            distance = float(_distances(states)[0])
            growth[k] = distance / before
            if distance == 0:
                return -np.inf
            states, before = _set_apart(states)
        if not np.isfinite(growth).all():
            raise infinite_states()
    return float(np.log(growth[washout:]).mean())


def echo_state_index(reservoir: Any, X: ArrayLike, *, hidden_size: int = 100, washout: int | None = None, random_state: Any = None) -> float:
    """How far the states of a reservoir still depend on where it began: 0 if that is forgotten, about 1 if nothing is (after Gallicchio, 2018).

    The echo state property for one input: with an index above rounding, predictions depend on what came before the data.

    Parameters
    ----------
    reservoir : Reservoir or another cell, str, or fitted echo state estimator
        A cell, or its name, is built with ``hidden_size`` units and gets ``X`` as it is; an estimator, or a ``Pipeline`` that ends in one,
        standardises it.
    X : array-like of shape (n_steps, n_features)
        One series; the longer it is, the smaller the index of a reservoir that forgets at all.
    hidden_size : int, default=100
        Units of a cell.
    washout : int or None, default=None
        Steps that are given for forgetting; ``None`` is half of the series.
    random_state : int, RandomState instance or None, default=None
        Source of the starts and of the weights of a cell.

    Returns
    -------
    float

    Raises
    ------
    TypeError
        If ``reservoir`` is none of these.
    ValueError
        If X is no series of the features of the estimator, or has no step after the washout, or if the estimator feeds outputs back.

    Notes
    -----
    With h₀ the states of the run that begins as usual, and h₁ … h₁₀ those of runs that begin with noise, uniform in [−1, 1], on every unit ::

        mean over k and t > washout of ‖hₖ(t) − h₀(t)‖ / mean over k of ‖hₖ(0) − h₀(0)‖

    Differs from the paper, whose index is the numerator, in that it does not grow with the number of units. In double precision.

    References
    ----------
    C. Gallicchio, "Chasing the echo state property", arXiv:1811.10892, 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.cells import Reservoir
    >>> from skrnn.inspection import echo_state_index
    >>> u = np.random.default_rng(0).uniform(-1, 1, (1000, 1))
    >>> [
    ...     echo_state_index(Reservoir(spectral_radius=r), u, random_state=0)
    ...     > 1e-6
    ...     for r in (0.9, 3.0)
    ... ]
    [False, True]
    """
    with limit_threads(1), torch.inference_mode():
        random = check_random_state(seed_of(random_state))
        driven = drive(reservoir, X, hidden_size, random)
        n_steps = len(driven.x)
        first = n_steps // 2 if washout is None else washout
        if not 0 <= first < n_steps:
            raise ValueError(f"washout must be at least 0 and less than the {n_steps} steps of X; got {washout!r}")
        n = _N_DISTURBED + 1
        states = _apart(driven.network.start(n), _generator(random))
        scale = float(_distances(states).mean())
        features = torch.cat([part for part, _ in driven.network.blocks(driven.copies(n), states)]).view(n_steps, n, -1)
        return float((features[first:, 1:] - features[first:, :1]).norm(dim=2).mean()) / scale


def drive(reservoir: Any, X: ArrayLike, hidden_size: int, random: np.random.RandomState, *, standardized: bool = True) -> DrivenReservoirs:
    """What runs, and on what."""
    if isinstance(reservoir, Pipeline):
        X, reservoir = reservoir[:-1].transform(X) if len(reservoir) > 1 else X, reservoir.steps[-1][1]
    x = check_array(X, dtype=np.float64, input_name="X")
    if isinstance(reservoir, EchoState):
        check_is_fitted(reservoir)
        network = copy.deepcopy(reservoir.network_)
        n_inputs = network.groups[0][0].input_size
        if x.shape[1] != n_inputs or len(reservoir.mean_) != n_inputs:
            found = f"{x.shape[1]} features and a reservoir of {n_inputs} inputs"
            raise ValueError(
                f"X must be one series of the {len(reservoir.mean_)} features of the estimator, which must not feed outputs back; got {found}"
            )
        x = (x - reservoir.mean_) / reservoir.scale_ if standardized else x
    else:
        cell = _cell(reservoir)
        network = Reservoirs([[cell]], x.shape[1], hidden_size, include_input=False, generator=_generator(random))
    return DrivenReservoirs(network.to(torch.device("cpu"), torch.float64), torch.from_numpy(x))


def _cell(reservoir: Any) -> Cell:
    if not isinstance(reservoir, str | Cell):
        expected = "a cell, the name of one, or a fitted echo state estimator"
        raise TypeError(f"reservoir must be {expected}; got {type(reservoir).__name__}")
    return resolve(reservoir)


def _n_units(reservoir: Any, hidden_size: int) -> int:
    """Numbers that a readout sees."""
    if not isinstance(reservoir, EchoState):
        return hidden_size
    check_is_fitted(reservoir)
    return sum(len(layers) for layers in reservoir.network_.groups) * reservoir.hidden_size


def _generator(random: np.random.RandomState) -> Generator:
    return torch.Generator().manual_seed(int(random.randint(2**31 - 1)))


def _apart(state: State, generator: Generator) -> State:
    """The first of the batch as it is, the others with noise; what counts steps stays."""

    def disturbed(s: Tensor) -> Tensor:
        if not s.is_floating_point():
            return s
        noise = torch.empty_like(s).uniform_(-1, 1, generator=generator)
        noise[0] = 0
        return s + noise

    return map_state(disturbed, state)


def _side_by_side(state: State) -> Tensor:
    """The numbers of a state, but not what counts steps, (n_copies, n_numbers)."""
    return torch.cat([part.flatten(1) for part in flat(state) if part.is_floating_point()], 1)


def _distances(states: State) -> Tensor:
    """From the first of the batch."""
    numbers = _side_by_side(states)
    return (numbers[1:] - numbers[:1]).norm(dim=1)


def _set_apart(states: State) -> tuple[State, float]:
    """The second of two states at a tiny distance from the first, in the direction it has; and that distance."""
    norm = float(_side_by_side(states)[0].norm())
    share = _DISTURBANCE * max(1.0, norm) / _distances(states)[0]
    states = map_state(lambda s: torch.stack([s[0], s[0] + share * (s[1] - s[0])]) if s.is_floating_point() else s, states)
    return states, float(_distances(states)[0])


def _squared_correlation(P: Array, Y: Array) -> Array:
    p, y = P - P.mean(axis=0), Y - Y.mean(axis=0)
    squares = (p**2).sum(axis=0) * (y**2).sum(axis=0)
    return np.asarray(np.divide((p * y).sum(axis=0) ** 2, squares, out=np.zeros(len(squares)), where=squares > 0))
