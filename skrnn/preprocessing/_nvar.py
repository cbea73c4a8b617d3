"""NVARTransformer: delays and their products, in place of a reservoir."""

from __future__ import annotations

from itertools import chain, combinations_with_replacement
from numbers import Integral
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from ..data._checks import check_sequences_and_layout
from ..data._reading import ROWS
from ..data._sequences import Sequences
from ._containers import give_back, names_in

EDGES = ("repeat", "zero")


class NVARTransformer(TransformerMixin, BaseEstimator, auto_wrap_output_keys=None):
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
    or its future.

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

    def __init__(
        self, n_delays: int = 2, stride: int = 1, degree: int | tuple[int, ...] = 2, include_bias: bool = True, edge: str = "repeat"
    ) -> None:
        self.n_delays = n_delays
        self.stride = stride
        self.degree = degree
        self.include_bias = include_bias
        self.edge = edge

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def fit(self, X: Any, y: Any = None) -> Self:
        """Count the channels and list the features.

        Parameters
        ----------
        X : Sequences, array (n_sequences, n_steps, n_features), list of arrays (n_steps, n_features), or array (n_steps, n_features)
            The sequences; a 2-D array is one sequence, whose rows are the time steps.
        y : None
            Not looked at.

        Returns
        -------
        self : NVARTransformer
            The fitted transformer.
        """
        degrees = self.degree if isinstance(self.degree, tuple) else (self.degree,)
        for parameter, values in (("n_delays", (self.n_delays,)), ("stride", (self.stride,)), ("degree", degrees)):
            if not values or not all(isinstance(value, Integral) and not isinstance(value, bool) and value >= 1 for value in values):
                expected = "an int of at least 1" + (", or a tuple of such" if parameter == "degree" else "")
                raise ValueError(f"The {parameter!r} parameter of NVARTransformer must be {expected}; got {vars(self)[parameter]!r}")
        if self.edge not in EDGES:
            raise ValueError(f"The 'edge' parameter of NVARTransformer must be 'repeat' or 'zero'; got {self.edge!r}")
        sequences, _ = check_sequences_and_layout(self, X, reset=True, rows_are_steps=True)
        places = range(sequences.n_features * self.n_delays)
        products = chain.from_iterable(combinations_with_replacement(places, p) for p in sorted({1, *degrees}))
        self.monomials_ = [()] * bool(self.include_bias) + list(products)
        self.n_warmup_ = (self.n_delays - 1) * self.stride
        return self

    def transform(self, X: Any) -> Any:
        """Make the features of each time step.

        Parameters
        ----------
        X : Sequences, array (n_sequences, n_steps, n_features), list of arrays (n_steps, n_features), or array (n_steps, n_features)
            The sequences; their lengths need not be those of ``fit``.

        Returns
        -------
        Xt : same container as X
            The sequences with one channel for each feature.
        """
        check_is_fitted(self)
        sequences, layout = check_sequences_and_layout(self, X, reset=False, rows_are_steps=True)
        linear = self._linear(sequences)
        values = np.ones((len(linear), len(self.monomials_)), dtype=linear.dtype)
        for feature, factors in enumerate(self.monomials_):
            for place in factors:
                values[:, feature] *= linear[:, place]
        return values if layout == ROWS else give_back(sequences.with_values(values), layout)

    def get_feature_names_out(self, input_features: npt.ArrayLike | None = None) -> npt.NDArray[Any]:
        """Name the features: "1", "x0", "x0[t-1]", "x0^2", "x0 x0[t-1]" …

        Parameters
        ----------
        input_features : array-like of str of shape (n_features,), default=None
            Names of the channels that go in; None makes names as scikit-learn does.

        Returns
        -------
        names : ndarray of str
            The names.
        """
        channels = names_in(self, input_features)
        linear = [f"{name}[t-{lag}]" if lag else str(name) for lag in range(0, self.n_warmup_ + 1, self.stride) for name in channels]
        powers = [[(linear[place], factors.count(place)) for place in dict.fromkeys(factors)] for factors in self.monomials_]
        names = [" ".join(name if power == 1 else f"{name}^{power}" for name, power in of_feature) or "1" for of_feature in powers]
        return np.array(names, dtype=object)

    def _linear(self, sequences: Sequences) -> npt.NDArray[Any]:
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
