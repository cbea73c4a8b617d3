"""How far a gradient gets through time."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from ..cells import Cell, hidden, resolve
from ..data import as_sequences
from ..engine import limit_threads
from ..estimators.face import seed_of
from ..networks import Recurrent
from ..networks._watched import Watched, watch
from ._axes import count_in_whole_numbers, new_or_given
from ._fitted import NetworkView, fitted, in_double, one_stack, seen

_LABELS = {"loss": "‖∂L / ∂h(t)‖", "state": "‖∂h(T) / ∂h(t)‖ / √H"}


class GradientFlowDisplay:
    """Norm of the gradient that reaches each time step: the picture of vanishing and exploding gradients (Hochreiter, 1991; Bengio et al., 1994).

    Make it with :meth:`from_estimator` or :meth:`from_estimators` for trained networks, with :meth:`from_cells` for cells as they start. A line
    that falls by a factor every step says over how many steps the network can learn, one that rises asks for a bound of the gradient
    (``clip_norm``).

    Parameters
    ----------
    norms : dict of str to array-like of shape (n_steps,)
        Norm at each step for each name, mean over the sequences that have the step.
    of : {"loss", "state"}, default="state"
        The gradient of what: of a sequence's loss, or of the last hidden state.

    Attributes
    ----------
    norms : dict of str to ndarray of shape (n_steps,)
        What is drawn.
    of : str
        As given.
    ax_ : matplotlib Axes
        Where it was drawn last.
    figure_ : matplotlib Figure
        The figure of ``ax_``.

    Notes
    -----
    ::

        "loss":     ‖dL/dh(t)‖                      L: the loss of a sequence, a sum over its steps if each has a target
        "state":    ‖dh(T)/dh(t)‖_F / sqrt(H)       T: the last step that the cell makes; 1 where nothing fades or grows

    The gradient takes every path from h(t), the hidden part of the state, to L or h(T); in the LSTM also the one that enters the cell c after t. It
    is the whole gradient, whatever the learning rule truncates or clips. The Jacobian's norm is exact if there are at least H projections,
    else estimated from the products with so many random orthogonal vectors. Networks are copied, evaluated without dropout and in double
    precision, where gradients underflow below 1e-300 only. Costs one run step by step, and one backward pass or one for each projection.

    References
    ----------
    S. Hochreiter, "Untersuchungen zu dynamischen neuronalen Netzen", diploma thesis, TU München, 1991.
    Y. Bengio, P. Simard, P. Frasconi, "Learning long-term dependencies with gradient descent is difficult", IEEE TNN 5(2), 1994.
    R. Pascanu, T. Mikolov, Y. Bengio, "On the difficulty of training recurrent neural networks", ICML 2013.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.inspection import GradientFlowDisplay
    >>> X = np.random.default_rng(0).normal(size=(5, 50, 1))
    >>> display = GradientFlowDisplay.from_cells(
    ...     {"fades": "gru"}, X, hidden_size=8, random_state=0
    ... )
    >>> bool(display.norms["fades"][0] < 1e-6 < display.norms["fades"][-1])
    True
    """

    def __init__(self, norms: Mapping[str, ArrayLike], of: str = "state") -> None:
        if of not in _LABELS:
            raise ValueError(f"of must be one of {list(_LABELS)}; got {of!r}")
        self.norms = {name: np.asarray(line, dtype=float) for name, line in norms.items()}
        self.of = of

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any = None,
        *,
        name: str | None = None,
        layer: int = 0,
        direction: int = 0,
        n_projections: int = 32,
        random_state: Any = None,
        ax: Any = None,
    ) -> Self:
        """Draw how the gradient flows through a trained network.

        Parameters
        ----------
        estimator : estimator or Pipeline
            Fitted.
        X : as in ``predict``
        y : as in ``score``, default=None
            With targets, the gradient of the estimator's own loss; without, that of the last hidden state.
        name : str, default=None
            What the legend says; ``None`` is the estimator's class.
        layer, direction : int, default=0
            Whose hidden state: layers from below; 0 runs forward, 1 backward.
        n_projections : int, default=32
            Random vectors that the Jacobian is multiplied by; more are more exact, and ``hidden_size`` of them are exact. Not used with y.
        random_state : int, RandomState instance or None, default=None
            Source of the vectors.
        ax : matplotlib Axes, default=None
            Where to draw; ``None`` makes a new figure.

        Returns
        -------
        GradientFlowDisplay
        """
        place = _Place(layer, direction, n_projections)
        return cls._of_networks({name or type(fitted(estimator)).__name__: estimator}, X, y, place, random_state).plot(ax)

    @classmethod
    def from_estimators(
        cls,
        estimators: Mapping[str, Any],
        X: Any,
        y: Any = None,
        *,
        layer: int = 0,
        direction: int = 0,
        n_projections: int = 32,
        random_state: Any = None,
        ax: Any = None,
    ) -> Self:
        """Draw how the gradient flows through several trained networks.

        Parameters
        ----------
        estimators : dict of str to estimator or Pipeline
            Fitted, with the names for the legend.
        X, y, layer, direction, n_projections, random_state, ax : as in :meth:`from_estimator`

        Returns
        -------
        GradientFlowDisplay
        """
        return cls._of_networks(estimators, X, y, _Place(layer, direction, n_projections), random_state).plot(ax)

    @classmethod
    def from_cells(
        cls,
        cells: Mapping[str, str | Cell],
        X: Any,
        *,
        hidden_size: int = 32,
        n_projections: int = 32,
        random_state: Any = None,
        ax: Any = None,
    ) -> Self:
        """Draw how the gradient of the last hidden state flows through cells with their starting weights.

        Parameters
        ----------
        cells : dict of str to str or Cell
            Cells or their names, with the names for the legend.
        X : Sequences, or what :func:`skrnn.as_sequences` takes
            What the cells see, as it is.
        hidden_size : int, default=32
            Units of each cell.
        n_projections, ax : as in :meth:`from_estimator`
        random_state : int, RandomState instance or None, default=None
            Source of the weights, the same for every cell, and of the vectors.

        Returns
        -------
        GradientFlowDisplay
        """
        sequences, seed = as_sequences(X), seed_of(random_state)
        norms = {}
        for name, cell in cells.items():
            generator = torch.Generator().manual_seed(seed)
            recurrent = Recurrent(resolve(cell), sequences.n_features, hidden_size, generator=generator)
            norms[name] = _mean_norms(recurrent, recurrent, NetworkView(in_double(sequences)), _Place(0, 0, n_projections), seed)
        return cls(norms, "state").plot(ax)

    @classmethod
    def _of_networks(cls, estimators: Mapping[str, Any], X: Any, y: Any, place: _Place, random_state: Any) -> Self:
        norms, seed = {}, seed_of(random_state)
        for name, estimator in estimators.items():
            network: Any = copy.deepcopy(one_stack(estimator).network_)
            norms[name] = _mean_norms(network, network.recurrent, seen(estimator, X, y), place, seed)
        return cls(norms, "state" if y is None else "loss")

    def plot(self, ax: Any = None, *, yscale: str = "log") -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; ``None`` makes a new figure.
        yscale : str, default="log"
            Scale of the norm as matplotlib names it.

        Returns
        -------
        self
        """
        ax = new_or_given(self, ax)
        for name, line in self.norms.items():
            ax.plot(np.arange(1, len(line) + 1), line, label=name)
        ax.set(xlabel="time step t", ylabel=_LABELS[self.of])
        ax.set_yscale(yscale, **({"nonpositive": "mask"} if yscale == "log" else {}))
        count_in_whole_numbers(ax.xaxis)
        ax.legend()
        self.ax_, self.figure_ = ax, ax.figure
        return self


class _Place(NamedTuple):
    """Whose hidden state is looked at, and with how many vectors."""

    layer: int
    direction: int
    n_projections: int


def _mean_norms(network: nn.Module, recurrent: Recurrent, data: NetworkView, place: _Place, seed: int) -> NDArray[np.float64]:
    """Mean norm of the gradient at each step; the network is used up."""
    watched = watch(recurrent, place.layer, place.direction)
    network.double().eval()
    total, count = np.zeros((2, int(data.lengths.max())))
    with limit_threads(1), torch.inference_mode(False), torch.enable_grad():
        for index in data.batches.chunks():
            packed = data.batches.packed(index)
            outputs: Any = network(packed._replace(data=packed.data.requires_grad_()))
            states = _hidden_states(watched, place.direction)
            if data.losses is None:
                norms = _norms_of_last(states, place, seed)
            else:
                norms = _norms(data.losses(outputs, index).sum(), states)
            for k, of_step in enumerate(norms):
                total[k] += float(of_step.sum())
                count[k] += len(of_step)
    return total / count


def _hidden_states(watched: Watched, direction: int) -> list[Tensor]:
    """Hidden states in the order of time, (n_sequences with that step, H) each; the next run begins with none."""
    states = [hidden(step.after) for step in watched.steps]
    watched.steps.clear()
    return states[::-1] if direction == 1 else states


def _norms(of: Tensor, states: list[Tensor], *, again: bool = False) -> list[Tensor]:
    gradients = torch.autograd.grad(of, states, retain_graph=again, allow_unused=True, materialize_grads=True)
    return [gradient.flatten(1).norm(dim=-1) for gradient in gradients]


def _norms_of_last(states: list[Tensor], place: _Place, seed: int) -> list[Tensor]:
    """Norms of the Jacobian of the last state, from its products with orthogonal vectors."""
    if place.n_projections < 1:
        raise ValueError(f"n_projections must be at least 1; got {place.n_projections}")
    sizes = [len(state) for state in states]
    ends = [state[n:] for state, n in zip(states, [*sizes[1:], 0], strict=True)]
    last = (states[0] if place.direction == 1 else torch.cat(ends[::-1])).flatten(1)
    vectors = _orthonormal(min(place.n_projections, last.shape[1]), last.shape[1], seed).to(last)
    squares = [last.new_zeros(n) for n in sizes]
    for k, vector in enumerate(vectors):
        products = _norms((last @ vector).sum(), states, again=k + 1 < len(vectors))
        squares = [square + product.square() for square, product in zip(squares, products, strict=True)]
    return [(square / len(vectors)).sqrt() for square in squares]


def _orthonormal(n: int, size: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return nn.init.orthogonal_(torch.empty(n, size, dtype=torch.float64), generator=generator)
