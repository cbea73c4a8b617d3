"""One class, or one set of labels, for each sequence."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from scipy.special import expit, log_expit
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import _check_y, column_or_1d

from ..training import BinaryCrossEntropy
from ._parameters import parameters
from ._targets import Encoded, class_weights, encode_classes, likeliest, log_probabilities, probabilities, told_classes
from ._whole import BaseWholeSequence


@parameters
class RNNClassifier(ClassifierMixin, BaseWholeSequence):
    """Classify whole sequences with a recurrent network.

    Two classes, several, or several labels at once. Sequences may differ in length; nothing is padded. The defaults are chosen over several
    kinds of data (see the user guide); ``cell``, ``hidden_size`` and ``max_epochs`` are the first things to search.

    Parameters
    ----------
    <shared parameters>
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes; "balanced" gives every class the same total.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels; for multi-label targets the label numbers 0, 1, …
    multilabel_ : bool
        Whether the targets are label sets (a 0/1 column for each label).
    network_ : skrnn.networks.SequenceNetwork
        The trained torch module.
    loss_curve_ : list of float
        Mean training loss of each epoch (nats).
    <shared attributes>

    Notes
    -----
    ::

        y(t) = layers of cells (forward, backward) over x(1), x(2), …
        p = softmax(V pool(y(1), y(2), …) + d)

    V starts at zero and d at the log shares of the classes, so that training starts from the best constant answer. A fit costs about
    ``n_iter_`` × n_steps_total × n_layers × (cost of a step of the cell) × 3.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import RNNClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=(n, 2)) for n in rng.integers(3, 12, size=200)]
    >>> y = np.array(["up" if x[:, 0].max() > x[:, 1].max() else "down" for x in X])
    >>> model = RNNClassifier(hidden_size=16, max_epochs=20, random_state=0).fit(X[:150], y[:150])
    >>> model.score(X[150:], y[150:]) > 0.8
    True
    """

    class_weight: dict[Any, float] | str | None = None

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = BaseWholeSequence._parameter_constraints | {
        "class_weight": [dict, StrOptions({"balanced"}), None]
    }

    @_fit_context(prefer_skip_nested_validation=False)
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train for one pass over some sequences, at the constant learning rate.

        Parameters
        ----------
        X, y, sample_weight : as in ``fit``
        classes : array-like of shape (n_classes,), default=None
            All classes that will ever come; needed in the first call.

        Returns
        -------
        self
        """
        known = self.classes_ if self.__sklearn_is_fitted__() else None
        return self._one_pass(X, y, sample_weight, told_classes(classes, known))

    def _encode(self, y: Any, weight: NDArray[np.float64] | None, *, reset: bool, classes: Any = None) -> Encoded:
        kind = type_of_target(y, input_name="y", raise_unknown=True)
        check_classification_targets(y)
        if kind == "multiclass-multioutput":
            raise ValueError("Unknown label type: multiclass-multioutput. y needs one class for each sequence, or a column of 0 and 1 for each label")
        if reset:
            self.multilabel_ = kind == "multilabel-indicator"
        elif self.multilabel_ != (kind == "multilabel-indicator"):
            raise ValueError(f"y is {kind}, but the estimator was fitted on {'multi-label' if self.multilabel_ else 'single-label'} targets")
        if self.multilabel_:
            return self._encode_labels(y.toarray() if issparse(y) else np.asarray(y), reset=reset)
        y = _check_y(column_or_1d(y, warn=True), estimator=self)
        if reset:
            self.classes_ = np.unique(y) if classes is None else classes
        return encode_classes(y, self.classes_, self.dtype)

    def _encode_labels(self, y: NDArray[Any], *, reset: bool) -> Encoded:
        if reset:
            self.classes_ = np.arange(y.shape[1])
        if y.shape[1] != len(self.classes_):
            raise ValueError(f"y has {y.shape[1]} labels (columns), expected {len(self.classes_)}")
        return Encoded(y.astype(self.dtype), BinaryCrossEntropy())

    def _strata(self, target: NDArray[Any]) -> NDArray[Any] | None:
        return target.ravel() if target.ndim == 1 or target.shape[1] == 1 else None

    def _weigh(self, y: Any, weight: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
        if self.class_weight is None:
            return weight
        of_class = class_weights(self.class_weight, y)
        return of_class if weight is None else weight * of_class

    def _decode(self, outputs: NDArray[np.float64]) -> NDArray[Any]:
        if self.multilabel_:
            return (outputs > 0).astype(int)
        return likeliest(outputs, self.classes_)

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Log odds of the second of two classes and of each label, or unnormalised log probabilities of several classes.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        ndarray of shape (n_sequences,) or (n_sequences, n_classes)
        """
        outputs = self._outputs(X)
        return outputs[:, 0] if outputs.shape[1] == 1 and not self.multilabel_ else outputs

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probabilities of the classes, or of each label.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        ndarray of shape (n_sequences, n_classes)
            In the order of ``classes_``; rows sum to 1 unless the targets are multi-label.
        """
        outputs = self._outputs(X)
        return expit(outputs) if self.multilabel_ else probabilities(outputs, len(self.classes_))

    def predict_log_proba(self, X: Any) -> NDArray[np.float64]:
        """Logarithms of :meth:`predict_proba`, exact where the probabilities underflow.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        ndarray of shape (n_sequences, n_classes)
        """
        outputs = self._outputs(X)
        return log_expit(outputs) if self.multilabel_ else log_probabilities(outputs, len(self.classes_))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
