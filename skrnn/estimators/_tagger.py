"""A class for each time step."""

from __future__ import annotations

from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.metrics import accuracy_score
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d

from ..data import give_steps
from ._every_step import BaseEveryStep
from ._parameters import parameters
from ._targets import Encoded, class_weights, encode_classes, likeliest, probabilities, told_classes


@parameters
class RNNTagger(ClassifierMixin, BaseEveryStep):
    """Classify every time step of a sequence with a recurrent network.

    For tags of words, states of a machine, phases of a recording. Runs forward in time by default, so that a prediction never looks ahead and
    streams can be followed step by step; ``bidirectional=True`` is better where the whole sequence is there.

    Parameters
    ----------
    <shared parameters>
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes; "balanced" gives every class the same total.
    missing_label : int, str or None, default=-1
        The label of steps that have no target; NaN and None always mean that. Such steps are seen, but neither trained on nor scored.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    network_ : skrnn.networks.StepNetwork
        The trained torch module.
    loss_curve_ : list of float
        Mean training loss of each epoch (nats per step).
    <shared attributes>

    Notes
    -----
    ::

        y(t) = layers of cells over x(1), …, x(t)
        p(t) = softmax(V y(t) + d)

    V starts at zero and d at the log shares of the classes. A 2-D ``X`` is one sequence whose rows are the time steps.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import RNNTagger
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=(n, 1)) for n in rng.integers(5, 15, size=100)]
    >>> y = [np.where(np.cumsum(x) > 0, "above", "below") for x in X]
    >>> model = RNNTagger(hidden_size=16, max_epochs=20, random_state=0).fit(X[:80], y[:80])
    >>> model.score(X[80:], y[80:]) > 0.9
    True
    """

    class_weight: dict[Any, float] | str | None = None
    missing_label: int | str | None = -1

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = BaseEveryStep._parameter_constraints | {
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "missing_label": [Integral, str, None],
    }

    @_fit_context(prefer_skip_nested_validation=False)
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None, *, continue_stream: bool = False) -> Self:
        """Train for one pass over some sequences, at the constant learning rate.

        Parameters
        ----------
        X, y, sample_weight : as in ``fit``
        classes : array-like of shape (n_classes,), default=None
            All classes that will ever come; needed in the first call.
        continue_stream : bool, default=False
            Whether the sequences go on from where those of the last such call ended, all of them as one batch: learning online, one step at a
            time if you like. The gradient does not reach back into earlier calls, unless ``rule`` is "rtrl".

        Returns
        -------
        self
        """
        known = self.classes_ if self.__sklearn_is_fitted__() else None
        return self._one_pass(X, y, sample_weight, told_classes(classes, known), stream=self._going_stream(continue_stream))

    def _targets(self, rows: NDArray[Any]) -> NDArray[Any]:
        return column_or_1d(rows, warn=True)

    def _present(self, y: NDArray[Any]) -> NDArray[np.bool_]:
        if y.dtype.kind == "O":
            return np.array([label is not None and label == label and label != self.missing_label for label in y], dtype=bool)
        present = ~np.isnan(y) if y.dtype.kind == "f" else np.ones(len(y), dtype=bool)
        comparable = self.missing_label is not None and isinstance(self.missing_label, str) == (y.dtype.kind in "US")
        return present & (y != self.missing_label) if comparable else present

    def _encode(self, y: NDArray[Any], weight: NDArray[np.float64] | None, *, reset: bool, classes: Any = None) -> Encoded:
        present = self._present(y)
        labels = y[present] if y.dtype.kind != "O" else np.array(y[present].tolist())
        check_classification_targets(labels)
        if reset:
            self.classes_ = np.unique(labels) if classes is None else classes
        encoded = encode_classes(labels, self.classes_, self.dtype)
        target = np.zeros((len(y), *encoded.target.shape[1:]), encoded.target.dtype)
        target[present] = encoded.target
        return Encoded(target, encoded.objective)

    def _weigh(self, y: NDArray[Any], weight: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
        if self.class_weight is None:
            return super()._weigh(y, weight)
        present = self._present(y)
        of_class = np.zeros(len(y))
        of_class[present] = class_weights(self.class_weight, y[present])
        return of_class if weight is None else weight * of_class

    def _decode(self, outputs: NDArray[np.float64]) -> NDArray[Any]:
        return likeliest(outputs, self.classes_)

    def predict_proba(self, X: Any) -> Any:
        """Probabilities of the classes at each time step.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        ndarray (n_steps, n_classes) for a 2-D X, (n_sequences, n_steps, n_classes) for a 3-D X, else list of ndarray (n_steps, n_classes)
            In the order of ``classes_``.
        """
        check_is_fitted(self)
        sequences, layout = self._sequences(X, reset=False)
        return give_steps(probabilities(self._rows(sequences), len(self.classes_)), sequences, layout)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Share of the steps with a target whose class is predicted.

        Parameters
        ----------
        X, y, sample_weight : as in ``fit``

        Returns
        -------
        float
        """
        labels, predicted, weight = self._compared(X, y, sample_weight)
        return float(accuracy_score(labels.astype(self.classes_.dtype), predicted, sample_weight=weight))
