"""Answers at every step of a network that reads and writes a memory."""

from __future__ import annotations

import copy
import warnings
from dataclasses import field
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray

from ..._bases import ClassifierMixin, _fit_context
from ...cells import Cell, Tape, resolve, tapes
from ...data import offsets_of
from ...networks import Recurrent, StepNetwork
from ...networks._watched import watch
from ..face._declared import parameters
from ..face._guards import learning, predicting, require_target
from ..face._held_out import HELD_OUT
from ..face._predictor import Predictor
from ..face._readers import Steps
from ..face._settings import Decayed, Recurrence, Stacked, Standardized
from ..face._state import ClassState
from ..face._targets import Classes, told_classes
from ..face._trained import Trained


class MemoryTrace(NamedTuple):
    """What the heads of a neural Turing machine did: of each step, for every sequence.

    Attributes
    ----------
    read_weights : ndarray (n_steps, n_read, n_slots)
        How much each reading head looks at each slot; sums to 1 over the slots.
    write_weights : ndarray (n_steps, n_write, n_slots)
        The same of the writing heads.
    memory : ndarray (n_steps, n_slots, slot_size)
        The slots after the step.
    """

    read_weights: Any
    write_weights: Any
    memory: Any


@parameters
class NeuralTuringMachine(ClassifierMixin, Decayed, Trained, Standardized, Stacked, Recurrence, ClassState):
    """Answer at every step with a network that reads and writes a memory (Graves, Wayne & Danihelka, 2014).

    For algorithms: copying, repeating, looking up, sorting. The targets of a step are several labels, 0 or 1 each, or one class; steps whose target
    is NaN are seen, but neither trained on nor scored. ``cell="lstm"`` is the baseline of the paper, with everything else alike. What
    :class:`RNNTagger` does beside that (both directions, tokens, streams) it does with ``cell="ntm"`` too.

    Notes
    -----
    ::

        y(t) = layers of cells over x(1), …, x(t)
        p(t) = σ(V y(t) + d)                    of each label; or softmax(V y(t) + d), of classes

    V starts at zero and d at the log odds of the labels. The settings of the memory are those of the cell: ``cell=NTM(n_slots=40)`` or
    ``cell__n_slots=40``. It learns late and at once: expect the loss to stay where it is for some thousands of sequences. ``max_epochs`` times the
    sequences should be about 30,000 for tasks of the size of a copy of six items; the more of them differ, the longer are those that it masters.

    A warning tells that the memory has fewer slots than a sequence has steps without a target, which are those to be kept: heads that move on
    come round to the first slot and write over it.

    References
    ----------
    A. Graves, G. Wayne, I. Danihelka, "Neural Turing machines", arXiv:1410.5401, 2014.

    Examples
    --------
    >>> from skrnn import NeuralTuringMachine
    >>> from skrnn.datasets import make_copy_memory
    >>> X, y, scored = make_copy_memory(20, random_state=0)
    >>> model = NeuralTuringMachine(max_epochs=1, random_state=0).fit(X, y)
    >>> trace = model.trace(X[:1])
    >>> trace.read_weights[0].shape == (len(X[0]), 1, 20)
    True
    """

    cell: str | Cell = field(default="ntm", kw_only=False)
    hidden_size: int = 32
    max_epochs: int = 30
    batch_size: int | None = 16
    clip_norm: float | None = 10.0

    __metadata_request__fit = HELD_OUT

    def _reader(self) -> Steps:
        return Steps(self.dtype, self.standardize)

    def _target(self) -> Classes:
        return Classes(self, self.dtype, per_step=True)

    def _assemble(self, bias: torch.Tensor, generator: torch.Generator) -> StepNetwork:
        layers = Recurrent(resolve(self.cell), len(self.mean_), self.hidden_size, n_layers=self.n_layers, dropout=self.dropout, generator=generator)
        return StepNetwork(layers, bias)

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, sample_weight: Any = None, X_val: Any = None, y_val: Any = None) -> Self:
        """Train on sequences with a target for every time step.

        Parameters
        ----------
        X : Sequences, array (n_sequences, n_steps, n_features), list of arrays (n_steps, n_features), or array (n_steps, n_features)
            Sequences of any lengths; a 2-D array is one sequence, whose rows are the time steps. So is a long pandas frame, with an (instance, time)
            index, of many.
        y : list of arrays, array or Sequences
            One target for each step, in the shape of X without its last axis, or with one of n_outputs; a row for each row of a table.
        sample_weight : array-like of shape (n_sequences,), or in the shape of y, default=None
            How much each sequence, or each step, counts.
        X_val, y_val : as X and y, default=None
            Sequences and targets for early stopping.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X, y or a parameter is not as described; the message names it, and the estimator is unchanged.
        TypeError
            If X is no container of sequences.
        skrnn.training.DivergenceError
            If the loss becomes infinite or NaN again and again.
        """
        with learning(self):
            lesson = self._prepare(X, y, sample_weight, (X_val, y_val), going_on=self.warm_start and self.__sklearn_is_fitted__())
            _warn_of_few_slots(resolve(self.cell), lesson.data)
            self._train(lesson, self._trainer(lesson, self.alpha))
        return self

    @_fit_context(prefer_skip_nested_validation=False)
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train for one pass over some sequences, at the constant learning rate.

        Parameters
        ----------
        X, y, sample_weight : as in ``fit``
        classes : array-like of shape (n_classes,), default=None
            All classes that will ever come, or 0, 1, … for so many labels; needed in the first call.

        Returns
        -------
        self
        """
        known = told_classes(classes, self.classes_ if self.__sklearn_is_fitted__() else None)
        return self._one_pass(X, y, sample_weight, known)

    def predict(self, X: Any) -> Any:
        """The labels, or the class, of each time step; of all steps, those without a target too.

        Parameters
        ----------
        X : as in ``fit``
            With the channels seen in ``fit``.

        Returns
        -------
        ndarray (n_steps, n_labels) for a 2-D X or a long frame, (n_sequences, n_steps, n_labels) for a 3-D X, else list of ndarray
            Without the last axis for classes.
        """
        return self._predictor().answers(X)

    def predict_proba(self, X: Any) -> Any:
        """Probabilities at each time step: that a label is 1, or of each class.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        ndarray (n_steps, n_classes) for a 2-D X, (n_sequences, n_steps, n_classes) for a 3-D X, else list of ndarray (n_steps, n_classes)
            In the order of ``classes_``.
        """
        return self._predictor().answers(X, Classes.probabilities)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Log-likelihood of the targets of a sequence in bits, mean over the sequences that have any: 0 is perfect.

        Parameters
        ----------
        X, y, sample_weight : as in ``fit``

        Returns
        -------
        float
            −(bits per sequence), as the papers count them: the cross entropy of all labels of all steps that have a target.
        """
        require_target(self, y)
        predictor = self._predictor()
        given, rows, weight = predictor.compared(X, y, sample_weight)
        present = predictor.target.present(rows)
        weight = present.astype(float) if weight is None else weight * present
        told = _log_likelihoods(predictor, predictor.outputs(given), predictor.target.encode(rows))
        starts = given.sequences.offsets[:-1]
        of_sequences = np.add.reduceat(weight, starts) / np.maximum(np.add.reduceat(present, starts, dtype=float), 1)
        return float(weight @ told / np.log(2) / of_sequences.sum())

    def trace(self, X: Any, *, layer: int = 0) -> MemoryTrace:
        """What the heads do at every step, and what is in the memory after it.

        Parameters
        ----------
        X : as in ``fit``
        layer : int, default=0
            Whose memory: layers from below.

        Returns
        -------
        MemoryTrace
            Each of its parts in the container of ``predict``.

        Raises
        ------
        ValueError
            If the cell has no memory that heads read and write.
        """
        predictor = self._predictor()
        given, network = predictor.read(X), copy.deepcopy(self.network_)
        watched, source = watch(network.recurrent, layer, 0), predictor.source(given.sequences)
        if not next(tapes(watched.initial_state(1, like=network.head.b)), None):
            raise ValueError(f"A trace needs a cell that reads and writes a memory, as 'ntm'; got {self.cell!r}")
        kept: list[tuple[NDArray[np.int64], list[Tape]]] = []
        with predicting(self):
            for index in source.chunks():
                watched.steps.clear()
                network.answer(source.packed(index))
                kept.append((source.rows(index), [next(tapes(step.after)) for step in watched.steps]))
        memory, weightings = (_by_rows(kept, part) for part in ("memory", "weightings"))
        n_read = kept[0][1][0].read.shape[1] // memory.shape[2]
        return MemoryTrace(*(predictor.reader.give(part, given) for part in (weightings[:, :n_read], weightings[:, n_read:], memory)))


def _log_likelihoods(predictor: Predictor[Classes], outputs: Any, encoded: Any) -> NDArray[np.float64]:
    """Of the targets of each step, in nats."""
    target = torch.from_numpy(encoded)
    target = target.double() if target.is_floating_point() else target
    return -predictor.target.objective.losses(torch.from_numpy(outputs), target).numpy()


def _by_rows(kept: list[tuple[NDArray[np.int64], list[Tape]]], part: str) -> NDArray[Any]:
    """A part of the memories of all steps, in the order of the steps of X."""
    batches = [torch.cat([getattr(tape, part) for tape in steps]).cpu().numpy() for _, steps in kept]
    found = np.empty((sum(map(len, batches)), *batches[0].shape[1:]), batches[0].dtype)
    for (rows, _), batch in zip(kept, batches, strict=True):
        found[rows] = batch
    return found


def _warn_of_few_slots(cell: Cell, data: Any) -> None:
    """Where more has to be kept than there is room for."""
    slots = [value for name, value in cell.get_params().items() if name.rpartition("__")[2] == "n_slots"]
    if not slots or data.weight is None:
        return
    ends = np.cumsum(data.source.lengths)
    untold = offsets_of(data.weight.cpu().numpy() == 0)
    most = int((untold[ends] - untold[ends - data.source.lengths]).max())
    if most > min(slots):
        warnings.warn(
            f"A sequence has {most} steps without a target, and the memory {min(slots)} slots: heads that move on come round and write over the "
            f"first of them. Set cell__n_slots={most} or more, if all of these steps are to be kept.",
            UserWarning,
            stacklevel=3,
        )
