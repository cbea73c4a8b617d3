"""What notebooks show: the diagrams of scikit-learn, with cells and frontends as blocks of their own."""

from __future__ import annotations

from typing import Any

from sklearn.utils._repr_html.estimator import _VisualBlock


def visual_block(owner: Any) -> Any:
    """The block of an estimator, a cell or a frontend in a diagram: around the blocks of what it holds, with their own tables of parameters.

    scikit-learn itself has blocks inside only for what has ``fit``; in the table of the owner each parameter of a cell would
    stand as one that the user has set.
    """
    held = {name: value for name, value in owner.get_params(deep=False).items() if _has_block(value)}
    if not held:
        return _VisualBlock("single", owner, names=type(owner).__name__, name_details=str(owner))
    names = [f"{name}: {type(value).__name__}" for name, value in held.items()]
    return _VisualBlock("parallel", [*held.values()], names=names, name_details=[str(value) for value in held.values()])


def _has_block(value: Any) -> bool:
    shown = getattr(value, "fit", None) or getattr(value, "_sk_visual_block_", None)
    return callable(getattr(value, "get_params", None)) and shown is not None and not isinstance(value, type)
