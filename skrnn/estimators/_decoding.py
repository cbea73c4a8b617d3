"""The faces of networks that write a sequence: encoder, decoder, and what training and prediction share."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import KW_ONLY
from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import _fit_context
from sklearn.utils import check_consistent_length
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_sample_weight

from ..cells import Cell, resolve
from ..data import ROWS, Sequences, check_sequences_and_layout
from ..engine import TEACHINGS, Rule, TeacherForcing, limit_threads, resolve_teaching
from ..networks import ATTENTIONS, CONTEXTS, Encoder, Feedback, Seq2Seq, Vector
from ..training import Batches, Data, Pairs
from ._base import BaseRecurrent
from ._guards import device_of, require_target
from ._held_out import Part
from ._parameters import TrainedParameters, parameters
from ._windowed import BaseWindowed

_DESCRIPTIONS = """
    decoder_cell : str, Cell or None, default=None
        What happens in one step of the decoder; ``None`` is ``cell``.
    attention : {None, "bahdanau", "dot", "general"}, default=<attention>
        How each step of the decoder looks at the steps of the source: not at all, so that all must pass through one vector, which is fast and
        enough for short sequences; by an additive score before the step (Bahdanau); by a product, or one with learned weights, after it (Luong).
    context : {"init", "every", "both"}, default=<context>
        Where the vector that stands for the source goes: into the decoder's first state, beside each of its inputs, or both.
    input_feeding : bool, default=True
        Whether a step sees what the last one looked at, with "dot" and "general".
    coverage : bool, default=False
        Whether the score sees how much each step has been looked at, with "bahdanau".
    reverse_source : bool, default=False
        Read the source from its end, which brings its beginning near to that of the target; for one direction without attention.
    teacher_forcing : float, {"linear", "exponential", "inverse_sigmoid"} or schedule, default=1.0
        How probable it is that a step is told the truth about the one before while training, drawn for each sequence and step: a number, or a
        schedule of :mod:`skrnn.engine` over the updates. At 1 whole sequences run through compiled kernels, if there is no attention."""


_RULE = """\
    rule : {"bptt", "guessing"} or Rule, default="bptt"
        How the network learns: a name, or :class:`skrnn.engine.BPTT` or :class:`skrnn.engine.Guessing` with its own settings."""


@parameters
class BaseDecoding(BaseRecurrent, ABC):
    """fit, and outputs, for one sequence to be written for each row of X."""

    _: KW_ONLY
    decoder_cell: str | Cell | None = None
    attention: str | None = None
    context: str = "init"
    input_feeding: bool = True
    coverage: bool = False
    reverse_source: bool = False
    teacher_forcing: float | str | TeacherForcing = 1.0

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = TrainedParameters._parameter_constraints | {
        "decoder_cell": [str, Cell, None],
        "attention": [StrOptions(set(ATTENTIONS)), None],
        "context": [StrOptions(set(CONTEXTS))],
        "input_feeding": ["boolean"],
        "coverage": ["boolean"],
        "reverse_source": ["boolean"],
        "teacher_forcing": [Interval(Real, 0, 1, closed="both"), StrOptions(set(TEACHINGS)), TeacherForcing],
        "rule": [StrOptions({"bptt", "guessing"}), Rule],
    }
    _descriptions = re.sub(r"(?s)    rule : .*?(?=\n    \w)", _RULE, TrainedParameters._descriptions) + _DESCRIPTIONS
    _built_from: ClassVar[tuple[str, ...]] = (*BaseRecurrent._built_from, "attention", "context", "input_feeding", "coverage", "reverse_source")

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, sample_weight: Any = None, X_val: Any = None, y_val: Any = None) -> Self:
        """Train on pairs of what is read and what should be written.

        Parameters
        ----------
        X : container of n_sequences rows
            What is read, as the class describes it.
        y : container of n_sequences rows
            What should be written, as the class describes it.
        sample_weight : array-like of shape (n_sequences,), default=None
            How much each pair counts.
        X_val, y_val : as X and y, default=None
            Pairs for early stopping.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X, y or a parameter is not as described; the message names it, and the estimator is unchanged.
        TypeError
            If X or y is no container of what is described.
        skrnn.training.DivergenceError
            If the loss becomes infinite or NaN again and again.
        """
        return self._fit(X, y, sample_weight, (X_val, y_val))

    @_fit_context(prefer_skip_nested_validation=False)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train for one pass over some pairs, at the constant learning rate; the first call fixes scales and vocabularies.

        Parameters
        ----------
        X, y, sample_weight : as in ``fit``

        Returns
        -------
        self
        """
        return self._one_pass(X, y, sample_weight)

    @abstractmethod
    def _targets(self, y: Any, *, reset: bool) -> Sequences:
        """Targets as rows of numbers, checked."""

    @abstractmethod
    def _encoder(self, generator: torch.Generator) -> Encoder | Vector:
        """What reads the source."""

    @abstractmethod
    def _feedback(self, encoder: Encoder | Vector, generator: torch.Generator) -> Feedback | None:
        """What the decoder sees of its output."""

    @abstractmethod
    def _first(self, n: int) -> torch.Tensor:
        """What stands for the output before the first step of n sequences."""

    def _check(self, X: Any, y: Any, sample_weight: Any, *, reset: bool) -> tuple[Sequences, Sequences, NDArray[np.float64] | None]:
        require_target(self, y)
        sequences = self._read(X, reset=reset)
        targets = self._targets(y, reset=reset)
        check_consistent_length(sequences, targets)
        if sample_weight is None:
            return sequences, targets, None
        return sequences, targets, _check_sample_weight(sample_weight, sequences, dtype=np.float64, ensure_non_negative=True)

    def _data(self, part: Part) -> Data:
        """Steps of targets with their weights, and the targets as teachers."""
        dtype, device = getattr(torch, self.dtype), device_of(self)
        values = torch.from_numpy(part.target.values).to(device)
        weight, total = None, None
        if part.weight is not None:
            rows = np.repeat(part.weight, np.diff(part.target.offsets))
            weight, total = torch.from_numpy(rows / rows.mean()).to(device, dtype), float(rows.sum())
        pairs = self._pairs(part.sequences, part.target.offsets, values.reshape(len(values), -1).to(dtype))
        return Data(pairs, values.to(dtype) if values.is_floating_point() else values, weight, per_step=True, total_weight=total)

    def _pairs(self, sequences: Sequences, offsets: NDArray[np.int64], teacher: torch.Tensor | None = None) -> Pairs:
        """Sources, and steps to be written of which nothing is known but where they begin and end."""
        dtype, device = getattr(torch, self.dtype), device_of(self)
        known = torch.empty(int(offsets[-1]), 0, dtype=dtype, device=device)
        source = Batches(sequences, self.mean_, self.scale_, dtype, device)
        return Pairs(source, offsets, known, self._first(len(sequences)).to(device, dtype), teacher)

    def _assemble(self, bias: torch.Tensor, generator: torch.Generator) -> Seq2Seq:
        encoder = self._encoder(generator)
        return Seq2Seq(
            encoder,
            resolve(self.cell if self.decoder_cell is None else self.decoder_cell),
            self.hidden_size,
            bias,
            n_layers=self.n_layers,
            dropout=self.dropout,
            feedback=self._feedback(encoder, generator),
            context=self.context,
            attention=self.attention,
            input_feeding=self.input_feeding,
            coverage=self.coverage,
            teacher_forcing=self.teacher_forcing,
            generator=generator,
        )

    def _check_same_network(self) -> None:
        super()._check_same_network()
        self.network_.teaching = resolve_teaching(self.teacher_forcing)

    def _settings(self) -> dict[str, Any]:
        decoder = None if self.decoder_cell is None else repr(resolve(self.decoder_cell))
        return super()._settings() | {"decoder_cell": decoder}

    def _attended(self, sequences: Sequences, offsets: NDArray[np.int64], teacher: torch.Tensor | None = None) -> list[NDArray[np.float64]]:
        """For each sequence: weights (n_target_steps, n_source_steps)."""
        if self.attention is None:
            raise ValueError(f"{type(self).__name__}(attention=None) looks at no steps; fit with attention='bahdanau', 'dot' or 'general'")
        network: Any = self.network_
        lengths, parts = np.diff(offsets), [np.empty((0, 0))] * len(sequences)
        with limit_threads(self.n_threads), torch.inference_mode():
            pairs = self._pairs(sequences, offsets, teacher)
            for index in pairs.chunks():
                pair = pairs.packed(index)
                order = index if pair.steps.sorted_indices is None else index[pair.steps.sorted_indices.cpu().numpy()]
                steps = [weights.double().cpu().numpy() for weights in network.attention_weights(pair)]
                for k, i in enumerate(order.tolist()):
                    parts[i] = np.stack([step[k, : sequences.lengths[i]] for step in steps[: lengths[i]]])
        return parts


@parameters
class ReadsSequences(BaseWindowed, BaseDecoding, ABC):
    """What is read is a sequence of numbers."""

    def _encoder(self, generator: torch.Generator) -> Encoder:
        return Encoder(self._recurrent(len(self.mean_), generator), reverse=self.reverse_source)


@parameters
class ReadsVectors(BaseDecoding, ABC):
    """What is read is a vector: there is no encoder, and nothing to look at."""

    _: KW_ONLY
    context: str = "both"
    bidirectional: ClassVar[bool] = False  # type: ignore[misc]
    decoder_cell: ClassVar[None] = None  # type: ignore[misc]
    attention: ClassVar[None] = None  # type: ignore[misc]
    input_feeding: ClassVar[bool] = False  # type: ignore[misc]
    coverage: ClassVar[bool] = False  # type: ignore[misc]
    reverse_source: ClassVar[bool] = False  # type: ignore[misc]

    def _read(self, X: Any, *, reset: bool) -> Sequences:
        table, layout = check_sequences_and_layout(self, X, reset=reset, compute_dtype=self.dtype, rows_are_steps=True)
        if layout != ROWS:
            raise ValueError(f"X must be 2-D (n_samples, n_features), a vector to start from in each row; got {len(table)} sequences")
        return Sequences(table.values, np.arange(len(table.values) + 1))

    def _encoder(self, generator: torch.Generator) -> Vector:
        return Vector(len(self.mean_))
