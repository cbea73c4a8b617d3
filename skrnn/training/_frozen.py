"""Weights that training leaves as they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from torch import nn


@contextmanager
def frozen(network: nn.Module, names: Sequence[str]) -> Iterator[None]:
    """Let some parts of a network, by the names of its modules and parameters, have no gradient.

    Raises
    ------
    ValueError
        If there is no such part, or no weight is left to learn.
    """
    held = [weight for name in names for weight in _weights_of(network, name) if weight.requires_grad]
    try:
        for weight in held:
            weight.requires_grad_(False)
        if held and not any(weight.requires_grad for weight in network.parameters()):
            raise ValueError(f"frozen={list(names)} leaves no weight to learn")
        yield
    finally:
        for weight in held:
            weight.requires_grad_(True)


def _weights_of(network: nn.Module, name: str) -> list[nn.Parameter]:
    named = dict(network.named_parameters(remove_duplicate=False))
    found = [weight for path, weight in named.items() if path == name or path.startswith(f"{name}.")]
    if not found:
        parts = [part for part, module in network.named_modules() if part.count(".") < 3 and any(True for _ in module.parameters())]
        raise ValueError(f"frozen names {name!r}, which is no part of the network with weights; its parts are {parts[1:]}")
    return found
