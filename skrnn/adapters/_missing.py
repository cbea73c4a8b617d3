"""What stands in for the classes of a library that is not installed."""

from __future__ import annotations

from typing import Any


def stand_in(library: str) -> Any:
    """A base class that can be inherited from, and says at the first use what to install."""

    class Missing:
        def __init__(self) -> None:
            raise ImportError(f"{type(self).__name__} needs {library}: pip install {library}")

    return Missing
