"""The network of a language model."""

from __future__ import annotations

from typing import Any

import torch

from ...cells import resolve
from ...frontends import TokenVectors
from ...networks import AdaptiveNextToken, LanguageNetwork, Next, NextFrame, NextToken, Recurrent, cutoffs_for

_MANY = 20_000  # tokens, of which most are rare


def language_network(model: Any, bias: torch.Tensor, generator: torch.Generator) -> LanguageNetwork:
    """Vectors of tokens, layers, and what tells the next token, as an estimator's parameters describe them."""
    n_outputs, of_frames = len(bias), model.level == "binary"
    size = n_outputs if of_frames else model.embedding_size or model.hidden_size
    vectors = None if of_frames else TokenVectors(n_outputs + 1, size, generator)
    if vectors is not None and model.tie_weights:
        with torch.no_grad():
            vectors.W.mul_(size**-0.5)  # what is told begins near the shares of the tokens
    layers = Recurrent(resolve(model.cell), size, model.hidden_size, n_layers=model.n_layers, dropout=model.dropout, generator=generator)
    return LanguageNetwork(
        layers,
        _head(model, layers.output_size, bias, generator),
        vectors,
        tied=model.tie_weights,
        dropout=model.dropout,
        embedding_dropout=model.embedding_dropout,
    )


def _head(model: Any, size: int, bias: torch.Tensor, generator: torch.Generator) -> Next:
    if model.level == "binary":
        return NextFrame(size, bias)
    n_tokens = len(bias)
    wanted = model.softmax == "adaptive" or (model.softmax == "auto" and n_tokens > _MANY and not model.tie_weights)
    if wanted and (cutoffs := cutoffs_for(n_tokens)):
        return AdaptiveNextToken(size, bias, cutoffs, generator)
    return NextToken(size, bias, tied=model.tie_weights)
