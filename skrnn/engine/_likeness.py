"""When two cells are alike in all but the numbers in their weights, so that what is known of one is known of the other."""

from __future__ import annotations

from typing import Any

import torch
from torch import Generator

from ..cells import Cell

_PLAIN = (bool, int, float, str, type(None), torch.Size, torch.dtype)
_OWN = frozenset({"_parameters", "_buffers", "_modules", "_non_persistent_buffers_set", "generator"})  # of every module; tensors are compared below


def likeness_of(cell: Cell) -> Any:
    """All that a step of a built cell may depend on but the numbers in its weights; ``None`` where something is not plain.

    That are the classes of all modules with their methods, every plain attribute, and the sizes, types and places of all weights. Buffers count with
    their numbers. A function, an array or another object as an attribute may change without a trace, so there nothing is said.
    """
    found: list[Any] = []
    for name, module in cell.named_modules():
        kind = type(module)
        found.append((name, kind, kind.forward, getattr(kind, "step", None), getattr(kind, "project", None)))
        for key, value in module.__dict__.items():
            if key not in _OWN:
                if not _is_plain(value):
                    return None
                found.append((key, repr(value)))
        if not isinstance(module.__dict__.get("generator"), Generator | None):
            return None
    found += [(name, w.shape, w.dtype, w.requires_grad) for name, w in cell.named_parameters(remove_duplicate=False)]
    found.append(tuple(name for name, _ in cell.named_parameters()))  # without those that are there twice
    found += [(name, b.shape, b.dtype, b.detach().cpu().numpy().tobytes()) for name, b in cell.named_buffers(remove_duplicate=False)]
    return tuple(found)


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(_is_plain(part) for item in value.items() for part in item)
    if isinstance(value, list | tuple | set | frozenset):
        return all(map(_is_plain, value))
    return isinstance(value, _PLAIN)
