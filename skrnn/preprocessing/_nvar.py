"""NVARTransformer: delays and their products, in place of a reservoir."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, combinations_with_replacement
from typing import Any

import numpy as np
from sklearn.utils._param_validation import StrOptions

from .._constraints import COUNT, SequenceOf
from ..data._sequences import Array, Sequences
from ._containers import give_back, read_series
from ._transformer import SequenceTransformer


class NVARTransformer(SequenceTransformer):
    """Next-generation reservoir: the last steps and the products of their values (Gauthier, Bollt, Griffith & Barbosa, 2021).

    Nonlinear vector autoregression without random weights: choose it in front of a ridge regression for smooth dynamics with short memory,
    where it does with a few hundred steps what a reservoir needs thousands for. It cannot replace long memory: the number of features
    grows with the power `degree` of channels times delays.

    Parameters
    ----------
    n_delays : int, default=2
        How many steps of a sequence are seen at once, the present one among them. Growing it gives more memory and many more features.
    stride : int, default=1
        Time steps from one of them to the next; growing it reaches further back with the same number of features.
    degree : int or tuple of int, default=2
        Which products are features: all with this many factors, among the channels of all seen steps. Several degrees give several kinds; 1
        adds none to the values themselves.
    include_bias : bool, default=True
        Whether the first feature is 1, for regressions without an intercept.
    edge : {"repeat", "zero"}, default="repeat"
        What is seen before the first step of a sequence: that step again, or zeros. The first ``n_warmup_`` steps of each sequence are
        concerned, and may be left out by who trains on the output.

    Attributes
    ----------
    n_warmup_ : int
        ``(n_delays − 1) * stride``: steps at the beginning of a sequence that do not see as far back as the others. A free-running forecast
        transforms this many steps and the present one, and takes the last row.
    monomials_ : list of tuple of int
        For each feature its factors, as places among the values of all seen steps (channels of the present step first); () is the bias.
    n_features_in_ : int
        Number of channels.
    feature_names_in_ : ndarray of str of shape (n_features,)
        Names of the columns of a 2-D frame; not there for other data.

    Raises
    ------
    ValueError, TypeError
        A parameter other than those above, and what `as_sequences` refuses (NaN among it).

    Notes
    -----
    Features of step t, of k delays, stride s and degree p::

        linear(t) = x(t), x(t − s), ..., x(t − (k − 1) s)
        output(t) = 1, linear(t), every product of p entries of linear(t), each once

    Of d channels these are ``1 + d k + C(d k + p − 1, p)`` features: 28 for the Lorenz system with the defaults. What comes back is in the
    container that came (see `PerStep`), but a 2-D `X` is one sequence, whose rows are time steps, and stays 2-D. No step sees another sequence,
    or its future. The features are called "1", "x0", "x0[t-1]", "x0^2", "x0 x0[t-1]" …

    A forecast that runs freely needs a penalty that fits the noise: on exact values of the Lorenz system the paper's 2.5e-6 lets a spurious
    mode of the delays grow at once, 0.1 holds it down for some four Lyapunov times.

    References
    ----------
    D. J. Gauthier, E. Bollt, A. Griffith, W. A. S. Barbosa, "Next generation reservoir computing", Nature Communications 12, 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.preprocessing import NVARTransformer
    >>> NVARTransformer().fit_transform(np.array([[2.0], [3.0], [5.0]]))
    array([[ 1.,  2.,  2.,  4.,  4.,  4.],
           [ 1.,  3.,  2.,  9.,  6.,  4.],
           [ 1.,  5.,  3., 25., 15.,  9.]])
    """

    _parameter_constraints = {
        "n_delays": [COUNT],
        "stride": [COUNT],
        "degree": [COUNT, SequenceOf(COUNT)],
        "include_bias": ["boolean"],
        "edge": [StrOptions({"repeat", "zero"})],
    }

    def __init__(
        self, n_delays: int = 2, stride: int = 1, degree: int | tuple[int, ...] = 2, include_bias: bool = True, edge: str = "repeat"
    ) -> None:
        self.n_delays = n_delays
        self.stride = stride
        self.degree = degree
        self.include_bias = include_bias
        self.edge = edge

    _read = read_series

    def _learn(self, sequences: Sequences, y: Any) -> None:
        places = range(sequences.n_features * self.n_delays)
        degrees = {1, *(self.degree if isinstance(self.degree, Sequence) else [self.degree])}
        products = chain.from_iterable(combinations_with_replacement(places, p) for p in sorted(degrees))
        self.monomials_ = [()] * bool(self.include_bias) + list(products)
        self.n_warmup_ = (self.n_delays - 1) * self.stride

    def _change(self, sequences: Sequences, layout: str) -> Any:
        linear = self._linear(sequences)
        values = np.ones((len(linear), len(self.monomials_)), dtype=linear.dtype)
        for feature, factors in enumerate(self.monomials_):
            for place in factors:
                values[:, feature] *= linear[:, place]
        return give_back(sequences.with_values(values), layout)

    def _names(self, names: Array) -> list[str]:
        linear = [f"{name}[t-{lag}]" if lag else str(name) for lag in range(0, self.n_warmup_ + 1, self.stride) for name in names]
        powers = [[(linear[place], factors.count(place)) for place in dict.fromkeys(factors)] for factors in self.monomials_]
        return [" ".join(name if power == 1 else f"{name}^{power}" for name, power in of_feature) or "1" for of_feature in powers]

    def _linear(self, sequences: Sequences) -> Array:
        """The values of all seen steps side by side, present ones first."""
        first = np.repeat(sequences.offsets[:-1], sequences.lengths)
        seen = []
        for lag in range(0, self.n_warmup_ + 1, self.stride):
            row = np.arange(sequences.n_steps_total) - lag
            values = sequences.values[np.maximum(row, first)]
            if self.edge == "zero":
                values[row < first] = 0
            seen.append(values)
        return np.hstack(seen)
