"""A progress bar of epochs on standard error."""

from __future__ import annotations

import sys
import time

from ...training import History

_WIDTH = 30
_PAUSE = 0.1  # seconds between two looks


class Progress:
    """One line that is written over: share done, epoch, losses of training and held-out set, time left.

    The first epoch does not count for the time left where others are done: in it cells are compiled.
    """

    def __init__(self, n_epochs: int) -> None:
        self._n_epochs, self._start, self._shown = n_epochs, time.monotonic(), 0.0
        self._skipped = 0

    def show(self, history: History) -> None:
        """Write the line, unless it was written a moment ago."""
        now, done = time.monotonic(), len(history.losses)
        seconds = (now - self._start) / (done - self._skipped)
        if self._skipped == 0:
            self._start, self._skipped = now, 1
        if now - self._shown < _PAUSE and done < self._n_epochs:
            return
        self._shown = now
        filled = _WIDTH * done // self._n_epochs
        held = f"  held-out loss {-history.scores[-1]:.4g}" if history.scores else ""
        told = f"epoch {done}/{self._n_epochs}  loss {history.losses[-1]:.4g}{held}  {seconds * (self._n_epochs - done):.0f} s left "
        line = f"\r[{'=' * filled}{' ' * (_WIDTH - filled)}] {told}"
        print(line, end="", file=sys.stderr, flush=True)

    def compiling(self) -> None:
        """Say why nothing is to be seen yet."""
        print("\rcompiling (once)", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """End the line."""
        print(file=sys.stderr, flush=True)
