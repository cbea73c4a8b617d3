"""A fitted network in some lines."""

from __future__ import annotations

from typing import Any


def summary_of(model: Any) -> str:
    """The parts of the network with their weights, and how it was trained."""
    parts = [(name, _sizes(part), sum(p.numel() for p in part.parameters())) for name, part in model.network_.named_children()]
    rows = [("part", "weights", "parameters"), *((name, sizes, f"{n:,}") for name, sizes, n in parts if n)]
    widths = [max(len(row[k]) for row in rows) for k in range(3)]
    table = [f"  {name:<{widths[0]}}  {sizes:<{widths[1]}}  {n:>{widths[2]}}" for name, sizes, n in rows]
    like = next(model.network_.parameters())
    head = f"{type(model).__name__}: {model.n_parameters_:,} parameters in {str(like.dtype).removeprefix('torch.')} on {like.device}"
    epochs = f"{model.n_iter_} epoch{'s' * (model.n_iter_ != 1)} in {model.fit_time_:.3g} s, loss {model.loss_curve_[-1]:.4g}"
    held = f", held-out loss {-model.validation_scores_[-1]:.4g}" if model.validation_scores_ else ""
    return "\n".join([head, *table, f"{epochs}{held}; weights of epoch {model.best_epoch_}"])


def _sizes(part: Any) -> str:
    """Names and shapes of the first weights of a part."""
    shown = [f"{name.rpartition('.')[2]} {' × '.join(map(str, p.shape))}" for name, p in part.named_parameters()]
    return ", ".join(shown[:4]) + ", …" * (len(shown) > 4)
