"""Sequences without the steps that can be told from those before them."""

from __future__ import annotations

import copy
import inspect
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from ..._bases import BaseEstimator, TransformerMixin, _fit_context
from ...cells import Cell, visual_block
from ...data import ROWS, Categories, Sequences, as_sequences, give_steps, holds_texts
from ..face._declared import parameters
from ..face._guards import seed_of, unchanged_on_error, with_named_cell
from ..face._noted import as_fitted, note_parameters
from ..face._readers import Given, Rows
from ..face._settings import Computation, Decayed, Recurrence, Spoken, Stacked, Standardized, Training
from ..face._state import ReadState, pickled
from ._events import passed_up
from ._history_settings import Compression, HistoryState, warn_of_little
from ._levels import Level


@parameters
class HistoryCompressor(
    TransformerMixin,
    Compression,
    Decayed,
    Training,
    Spoken,
    Computation,
    Standardized,
    Stacked,
    Recurrence,
    BaseEstimator,
    ReadState,
    HistoryState,
    auto_wrap_output_keys=None,
):
    """Leave out of sequences what can be told from what came before, level by level (Schmidhuber, 1992).

    A network learns to predict each step. What it expected is left out: it would say nothing new. What is left, each step with the number of steps
    since the last, is a short sequence for whatever comes behind, and nothing of symbols is lost. For long sequences that are regular for the most
    part, in which what counts lies far back: logs, protocols, music. Behind it, ``RNNClassifier`` sees a few steps where there were a thousand; a
    sequence that is all noise gets no shorter.

    Raises
    ------
    ValueError
        From ``fit``, if a parameter or X is not as described, or a step has symbols in several channels, or beside numbers.

    Notes
    -----
    ::

        p(t) = P(x(t) | x(1), …, x(t-1)) by layers of cells over e(x(0)), …, e(x(t-1)), and a softmax       x(0) is the begin
        x(t) is left out if p(t) ≥ threshold, and no other symbol is as likely
        [x(t); t - t'] goes up otherwise, with t' the last step before that did, and is what the next level predicts
        distill: loss + mean of (U y(t) + a - y'(t))², with y'(t) the output of the layers of the level above after what it has seen before t

    Of numbers, p(t) is the mass that normal distributions, a mean and a deviation from the network for each channel, have within ``tolerance`` of
    x(t). The last step of each sequence always goes up, expected or not, and tells where it ends; the first one need not. A level learns to its end
    before the next begins, and is not changed by it: by any ``rule``, ``TruncatedBPTT(3)`` too, since gaps are as long as the level makes them. Upper
    levels know the 1,024 most frequent pairs of a symbol and its gaps apart; others are always surprises.

    With one sequence alone its beginning and end are learned by heart, and with constant ones there is nothing to tell apart: both warn. Reduced
    sequences have a channel for each symbol, 1 where it is there, or for each channel of numbers, and behind them the gaps, one for each level.

    Differs from the paper in that a step must have been as probable as ``threshold``, without which a network that guesses at a coin hides how it
    fell; in that a begin is seen before the first step; and in that levels learn one after the other.

    References
    ----------
    J. Schmidhuber, "Learning complex, extended sequences using the principle of history compression", Neural Computation 4(2), 1992.
    J. Schmidhuber, M. C. Mozer, D. Prelinger, "Continuous history compression", 1993, for numbers.

    Examples
    --------
    >>> from skrnn import HistoryCompressor
    >>> X = ["a" + "bcde" * 5, "x" + "bcde" * 5] * 20
    >>> model = HistoryCompressor(
    ...     hidden_size=16, max_epochs=60, random_state=0
    ... ).fit(X)
    >>> model.transform(X[:1]).lengths, model.compression_ratio_
    (array([2]), 10.5)
    >>> model.inverse_transform(model.transform(X)) == X
    True
    """

    cell: str | Cell = "gru"

    _sk_visual_block_ = visual_block
    __metadata_request__fit: ClassVar[dict[str, bool]] = {"X_val": True}

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None, X_val: Any = None) -> Self:
        """Learn to predict steps, level by level.

        Parameters
        ----------
        X : list of texts, or of lists of tokens; or Sequences, array (n_sequences, n_steps, n_features), list of arrays, array (n_sequences, n_steps)
            Sequences of any lengths, of symbols or of numbers; the rows of a 2-D array are univariate sequences.
        y : None
            Ignored.
        X_val : as X, default=None
            Sequences for early stopping, of each level.

        Returns
        -------
        self
        """
        if self.distill and self.n_levels < 2:
            raise ValueError(f"distill=True learns what a level above knows: it needs n_levels of 2 or more; got n_levels={self.n_levels}")
        going_on = self.warm_start and self.__sklearn_is_fitted__()
        with unchanged_on_error(self):
            if not going_on:
                vars(self).pop("levels_", None)
                self._encoding, self._of_texts = self._new_encoding(X), holds_texts(X)
            elif len(self.levels_) != self.n_levels:
                raise ValueError(f"Training goes on with n_levels={len(self.levels_)}, but n_levels is now {self.n_levels}; use warm_start=False")
            note_parameters(self)
            events = self._read(X, reset=not going_on).sequences
            warn_of_little(events)
            held = None if X_val is None else self._read(X_val, reset=False).sequences
            before = events.n_steps_total
            self.levels_ = self._made(events.n_features, copy.deepcopy(self.levels_) if going_on else None)
            reduced = self._climb(events, held)
            self.compression_ratio_ = before / reduced.n_steps_total
        return self

    def _climb(self, events: Sequences, held: Sequences | None) -> Sequences:
        """Let each level learn from what the one below passes up; what is left in the end."""
        below = None
        for level in self.levels_:
            level.fit(events, held)
            if self.distill and below is not None:
                lower, seen, held_seen = below
                passed = lower.passed(seen)
                known = level.knows(events)[np.cumsum(passed) - passed]
                lower.set_params(warm_start=True).fit(seen, held_seen, known)
                events, held = lower.reduce(seen), None if held_seen is None else lower.reduce(held_seen)
                level.set_params(warm_start=True).fit(events, held)
            below = level, events, held
            events, held = level.reduce(events), None if held is None else level.reduce(held)
        return events

    def _made(self, n_channels: int, before: list[Level] | None) -> list[Level]:
        """Levels that have learned nothing, or go on."""
        given = self.get_params(deep=False)
        shared = {name: given[name] for name in inspect.signature(Level).parameters if name in given}
        seed = seed_of(self.random_state)
        n_symbols = None if self.symbols_ is None else len(self.symbols_)
        levels = []
        for k in range(self.n_levels):
            n_states = self.hidden_size if self.distill and k + 1 < self.n_levels else 0
            own = {"n_symbols": n_symbols, "n_channels": n_channels, "n_states": n_states, "random_state": (seed + k) % 2**31}
            levels.append((Level() if before is None else before[k]).set_params(**shared | own))
        return levels

    # -- reading -------------------------------------------------------------------------------------------------------------------------------------

    def _new_encoding(self, X: Any) -> Categories:
        of_all = self.symbols is True or (self.symbols == "auto" and holds_texts(X))
        return Categories(None if of_all else "from_dtype", self.handle_unknown)

    def _read(self, X: Any, *, reset: bool) -> Given:
        model = as_fitted(self)
        of_numbers = model.symbols is False or (not reset and self.symbols_ is None)
        encoding = None if of_numbers else self._encoding
        given = Rows(model.dtype, encoding=encoding).read(self, X, reset=reset)
        if reset:
            places = [] if encoding is None else [*encoding.places_]
            if places and given.sequences.n_features > 1:
                raise ValueError(
                    f"Steps are symbols of one channel, or numbers; X has {given.sequences.n_features} channels, {len(places)} of them with symbols"
                )
            self.symbols_ = self._encoding.categories_[0] if places else None
        return given

    def _fitted_levels(self) -> list[Level]:
        check_is_fitted(self)
        return self.levels_

    # -- what is said of sequences -------------------------------------------------------------------------------------------------------------------

    def transform(self, X: Any) -> Sequences:
        """What is left of sequences.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        Sequences of n_symbols + n_levels channels, or n_features + n_levels
            Of each sequence the steps that were not expected, and the last: a channel for each symbol, 1 where it is there, or the numbers; and
            behind them how many steps it came after the last one that is left, on each level.
        """
        levels = self._fitted_levels()
        events = self._read(X, reset=False).sequences
        for level in levels:
            events = level.reduce(events)
        if self.symbols_ is None:
            return events
        symbols, gaps = events.values[:, :1], events.values[:, 1:]
        return events.with_values(np.hstack([(symbols == np.arange(len(self.symbols_))).astype(np.float64), gaps]))

    def kept_steps(self, X: Any) -> list[NDArray[np.int64]]:
        """Which steps are left, to take what belongs to them: the labels of an ``RNNTagger``, say.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        list of ndarray of shape (n_kept,)
            Their places in each sequence, from 0.
        """
        levels = self._fitted_levels()
        events = self._read(X, reset=False).sequences
        place = np.concatenate([np.arange(n) for n in events.lengths])
        for level in levels:
            passed = level.passed(events)
            events, place = passed_up(events, passed), place[passed]
        return np.split(place, events.offsets[1:-1])

    def inverse_transform(self, X: Any) -> Any:
        """Sequences of what is left of them: what was left out is told again.

        Parameters
        ----------
        X : Sequences, or list of arrays (n_kept, n_channels)
            What ``transform`` gives.

        Returns
        -------
        list of str, of lists of tokens, or of ndarrays of shape (n_steps,) or (n_steps, n_features)
            As texts, tokens, whole numbers or numbers were in ``fit``. Of symbols what they were; numbers are told by means, whose errors add up
            from one step that was left out to the next.
        """
        levels = self._fitted_levels()
        events = self._reduced(as_sequences(X))
        for level in levels[::-1]:
            events = level.restore(events)
        parts = np.split(events.values, events.offsets[1:-1])
        if self.symbols_ is None:
            return [part.copy() for part in parts]
        names = np.array([*self.symbols_.tolist(), None], dtype=object)
        words = [names[part[:, 0].astype(np.intp)] for part in parts]
        if any(None in word for word in words) or (self.symbols_.dtype.kind == "O" and not self._of_texts):
            return [word.tolist() for word in words]
        return ["".join(word) for word in words] if self._of_texts else [word.astype(self.symbols_.dtype) for word in words]

    def _reduced(self, X: Sequences) -> Sequences:
        """Reduced sequences as events, checked."""
        n, n_levels = len(self.get_feature_names_out()), len(self.levels_)
        if X.n_features != n:
            raise ValueError(f"X must hold reduced sequences of {n} channels, as transform gives them; got {X.n_features}")
        values, gaps = X.values[:, :-n_levels].astype(np.float64), X.values[:, -n_levels:].astype(np.float64)
        if (gaps != np.rint(gaps)).any() or (gaps < 1).any():
            raise ValueError("X must hold gaps in whole numbers of at least 1 in its last channels, as transform gives them; they cannot be scaled")
        if self.symbols_ is not None:
            if not (np.isin(values, (0, 1)).all() and (values.sum(axis=1) <= 1).all()):
                raise ValueError("X must hold 1 in the channel of the symbol of each step and 0 in the others, as transform gives them")
            values = np.where(values.any(axis=1), values.argmax(axis=1), len(self.symbols_))[:, None]
        return X.with_values(np.hstack([values, gaps]))

    def surprise(self, X: Any) -> Any:
        """How little each step was expected by the first level: minus the natural logarithm of its probability.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        ndarray (n_sequences, n_steps) for an array, else list of ndarray (n_steps,)
            Above ``-log(threshold)`` it goes up.
        """
        levels = self._fitted_levels()
        given = self._read(X, reset=False)
        rows = levels[0].surprises(given.sequences)[0]
        return rows.reshape(len(given.sequences), -1) if given.layout == ROWS else give_steps(rows, *given)

    def score(self, X: Any, y: Any = None) -> float:
        """Mean of the logarithm of the probability of each step: minus the mean surprise, the higher the better.

        Parameters
        ----------
        X : as in ``fit``
        y : None
            Ignored.

        Returns
        -------
        float
        """
        levels = self._fitted_levels()
        return -float(levels[0].surprises(self._read(X, reset=False).sequences)[0].mean())

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Names of the channels of what is left: symbols or channels, and the gaps.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the channels of X.

        Returns
        -------
        ndarray of str
        """
        levels = self._fitted_levels()
        if self.symbols_ is not None:
            names = [f"is_{symbol}" for symbol in self.symbols_]
        elif self._n_columns is None and "feature_names_in_" in vars(self):
            names = [*self.feature_names_in_]
        else:
            names = [f"x{k}" for k in range(self._n_channels)]
        return np.array([*names, *(f"gap{k}" for k in range(len(levels)))], dtype=object)

    # -- what was learned ----------------------------------------------------------------------------------------------------------------------------

    @property
    def loss_curve_(self) -> list[float]:
        """Mean training loss of each epoch, of level after level."""
        return [loss for level in self._fitted_levels() for loss in level.loss_curve_]

    @property
    def n_iter_(self) -> int:
        """Epochs run, of all levels."""
        return sum(level.n_iter_ for level in self._fitted_levels())

    # -- scikit-learn --------------------------------------------------------------------------------------------------------------------------------

    def set_params(self, **params: Any) -> Self:
        """Set parameters, ``cell__…`` too where the cell is a name.

        Parameters
        ----------
        **params : dict
            Names and values.

        Returns
        -------
        self
        """
        return super().set_params(**with_named_cell(self, params))

    def __getstate__(self) -> dict[str, Any]:
        return pickled(self, super().__getstate__())

    def __sklearn_is_fitted__(self) -> bool:
        return "levels_" in vars(self)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.string = True
        return tags
