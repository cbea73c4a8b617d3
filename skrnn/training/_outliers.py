"""Outliers in the inputs while training: a network that has seen them is not led astray by them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from .._constraints import NOT_NEGATIVE, SHARE
from ..engine import Rule, Runnable, Stream
from ..networks import LanguageNetwork, Network, Pair, Retelling, Seq2Seq
from ._penalties import Penalty


class AdditiveOutliers(Penalty):
    """Outliers in some steps of the inputs while training; what should come out stays as it is (Fox, 1972; Vincent et al., 2008).

    Choose it where single values may be wrong, above all in the search for anomalies: a network that learned from clean series only follows every
    value, and blames the steps after an anomaly for it.

    Parameters
    ----------
    rate : float, default=0.1
        Share of the values that are outliers, in [0, 1]. 0 is none.
    size : float, default=2.0
        Standard deviation of what is added to them, in standard deviations of the channel.
    columns : sequence of int or None, default=None
        The channels that may have outliers; ``None`` is all.

    Notes
    -----
    ::

        x~(t) = x(t) + size · b(t) ε(t)         b: 1 with probability rate, else 0; ε: standard normal; drawn anew for every batch

    ``predict`` and held-out scores see x alone. Costs no more than drawing the numbers. Of an encoder and a decoder, the source has the outliers.

    References
    ----------
    A. J. Fox, "Outliers in time series", Journal of the Royal Statistical Society B 34(3), 1972.
    P. Vincent, H. Larochelle, Y. Bengio, P.-A. Manzagol, "Extracting and composing robust features with denoising autoencoders", ICML 2008.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import RNNRegressor
    >>> from skrnn.training import AdditiveOutliers
    >>> X = np.random.default_rng(0).normal(size=(40, 6, 1))
    >>> model = RNNRegressor(
    ...     max_epochs=5, penalties=AdditiveOutliers(0.05), random_state=0
    ... ).fit(X, X.mean(1)[:, 0])
    >>> bool((model.predict(X) == model.predict(X)).all())
    True
    """

    _parameter_constraints = {"rate": [SHARE], "size": [NOT_NEGATIVE], "columns": ["array-like", None]}

    def __init__(self, rate: float = 0.1, size: float = 2.0, columns: Sequence[int] | None = None) -> None:
        self.rate = rate
        self.size = size
        self.columns = columns

    def check(self, rule: Rule) -> None:
        """Any rule will do."""

    def fits(self, network: Runnable) -> bool:
        """Whatever reads numbers; an id with something added is another id, or none, and so is a one or a zero."""
        if isinstance(network, LanguageNetwork):
            return False
        frontend = network.frontend if isinstance(network, Network | Seq2Seq) else None
        return frontend is None or not frontend.looks_up

    def around(self, rule: Rule) -> Rule:
        """The gradient of ``rule`` for inputs with outliers."""
        return rule if self.rate == 0 or self.size == 0 else _Spoilt(rule, float(self.rate), float(self.size), self.columns)


@dataclass(frozen=True)
class _Spoilt(Rule):
    rule: Rule
    rate: float
    size: float
    columns: Sequence[int] | None

    def gradient(self, network: Any, packed: Any, loss: Any, stream: Stream | None = None) -> Tensor:
        """Add the gradient for inputs with outliers; the loss there, detached."""
        if isinstance(packed, Pair | Retelling):
            packed = packed._replace(source=self._spoil(packed.source, network.generator))
        else:
            packed = self._spoil(packed, network.generator)
        return self.rule.gradient(network, packed, loss, stream)

    def _spoil(self, packed: PackedSequence, generator: torch.Generator | None) -> PackedSequence:
        data = packed.data.clone()
        columns = list(range(data.shape[1])) if self.columns is None else list(self.columns)
        shape = (len(data), len(columns))
        outliers = torch.empty(shape).normal_(0, self.size, generator=generator) * torch.empty(shape).bernoulli_(self.rate, generator=generator)
        data[:, columns] += outliers.to(data)
        return packed._replace(data=data)
