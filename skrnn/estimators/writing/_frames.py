"""What a transcriber makes of frames that speak for themselves: their probabilities, the labels that they say, and where these stand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from ... import kernels
from ...data import Sequences, offsets_of
from ...engine import PrefixSearch, longest_first, packed_rows
from ...training import Transcripts
from ..face._guards import predicting
from ..face._predictor import Predictor
from ..face._readers import Given
from ..face._trained import seen_lengths
from ._labels import LabelRows, plain
from ._tokens import Hypothesis

Array = NDArray[np.float64]

_LEAST = np.finfo(float).tiny  # of a language model: a label that it holds for impossible is written when nothing else is heard


def log_frames(predictor: Predictor[LabelRows], given: Given) -> Sequences:
    """Logarithms of the probabilities of the blank and the labels (n_frames, 1 + n_classes) in the frames of each sequence."""
    n_steps = given.sequences.lengths
    n_frames = seen_lengths(predictor.model, n_steps)
    offsets = offsets_of(n_frames)
    outputs = np.empty((int(offsets[-1]), len(predictor.network.head.b)))
    with predicting(predictor.model):
        source = predictor.source(given.sequences)
        for index in source.chunks():
            rows, _, _ = packed_rows(offsets[index], n_frames[index], longest_first(n_steps[index]))
            outputs[rows] = predictor.network.answer(source.packed(index)).double().cpu().numpy()
    return Sequences(log_softmax(outputs, axis=1), offsets)


def greedy(frames: Sequences) -> list[tuple[list[int], float]]:
    """The labels of the likeliest alignment of each sequence, with the logarithm of its probability."""
    said = frames.values.argmax(1)
    score = np.add.reduceat(frames.values.max(1), frames.offsets[:-1])
    new = np.append(True, said[1:] != said[:-1])
    new[frames.offsets[:-1]] = True
    kept = (said > 0) & new
    ends = offsets_of(kept)[frames.offsets]
    rows = np.split(said[kept], ends[1:-1])
    return [(row.tolist(), s) for row, s in zip(rows, score.tolist(), strict=True)]


def frame_hypotheses(predictor: Predictor[LabelRows], given: Given) -> list[list[Hypothesis]]:
    """What might have been said in each sequence, the best first."""
    model = predictor.model
    frames = log_frames(predictor, given)
    if model.beam_width == 1:
        found = [[best] for best in greedy(frames)]
    else:
        found = PrefixSearch(model.beam_width, model.length_bonus)(list(frames), says_of(predictor))
    return [[Hypothesis(predictor.target.decode(labels), score) for labels, score in row] for row in found]


def frame_spans(predictor: Predictor[LabelRows], given: Given, table: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """For each sequence the first frame of each label, and the one after its last, in the likeliest alignment with labels of an encoded table."""
    frames = log_frames(predictor, given)
    return [kernels.align_labels(log_p, row) for log_p, row in zip(frames, Transcripts.rows_of(table), strict=True)]


def check_language_model(model: Any) -> None:
    """Refuse what would be ignored, or fail only in ``predict``."""
    asked = [name for name, off in (("language_model", None), ("length_bonus", 0)) if getattr(model, name) != off]
    if asked and model.beam_width == 1:
        raise ValueError(f"{asked[0]} is for a beam, and beam_width=1 is greedy: set beam_width, to 16 say")
    if isinstance(model.language_model, BaseEstimator):
        try:
            check_is_fitted(model.language_model)
        except NotFittedError as error:
            raise NotFittedError(
                f"language_model must be fitted, but {model.language_model!r} is not. If it was, a copy was made of the transcriber, as searches do: "
                "wrap it in sklearn.frozen.FrozenEstimator, which stays fitted"
            ) from error


def says_of(predictor: Predictor[LabelRows]) -> Callable[[list[tuple[int, ...]]], Array] | None:
    """From beginnings to the weighted log probabilities of each label after them, if there is a language model."""
    language_model, weight, target = predictor.model.language_model, predictor.model.language_weight, predictor.target
    if language_model is None:
        return None
    known = getattr(language_model, "classes_", None)
    columns = {label: k for k, label in enumerate(map(plain, language_model.vocabulary_ if known is None else known))}
    labels = target.classes_.tolist()
    unknown = [label for label in labels if label not in columns]
    if unknown:
        raise ValueError(f"language_model knows no label {unknown[0]!r}: it must know all of them, {labels}")
    taken = np.array([columns[label] for label in labels])

    def says(prefixes: list[tuple[int, ...]]) -> Array:
        begun = [target.decode([*prefix]) for prefix in prefixes]
        try:
            p = np.asarray(language_model.predict_proba(begun), dtype=float)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"language_model.predict_proba must read beginnings of transcripts, as y has them; of {begun[0]!r} it says: {error}"
            ) from error
        if p.ndim != 2 or len(p) != len(prefixes) or p.shape[1] < len(columns) or not ((p >= 0) & (p <= 1 + 1e-6)).all():
            raise ValueError(
                f"language_model.predict_proba must give probabilities of shape (n_prefixes, n_tokens) = {(len(prefixes), len(columns))}, or of more "
                f"than these tokens; got shape {p.shape}" + (f", values from {p.min():g} to {p.max():g}" if p.size else "")
            )
        return weight * np.log(np.maximum(p[:, taken], _LEAST))

    return says
