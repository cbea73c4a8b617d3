"""Time of a whole fit and of predict, and the accuracy, against skorch with the same torch.nn layer, epochs, batches and optimiser.

Two sets: the digits row by row (8 steps of 8 pixels), and ragged generated sequences (10 to 60 steps of 3 channels), which skorch gets padded with
zeros, with their lengths; padding them is not timed. "defaults" is RNNClassifier() with the same cell and epochs, for information.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn

from skrnn import RNNClassifier, Sequences, as_sequences

from ._timing import Contender, Times, machine, progress, race, table, torch_threads

_LIMIT = 1 / 1.5


class Split(NamedTuple):
    """Sequences and classes to train on and to test on."""

    X: Sequences
    X_test: Sequences
    y: np.ndarray
    y_test: np.ndarray


def digits() -> Split:
    """Handwritten digits, a row a step: 1,347 images to train on, 450 to test on."""
    X, y = load_digits(return_X_y=True)
    parts = train_test_split(X.reshape(-1, 8, 8).astype(np.float32) / 16, y, random_state=0)
    return Split(as_sequences(parts[0]), as_sequences(parts[1]), *parts[2:])


def ragged() -> Split:
    """Which of three noisy channels has the largest mean: 2,000 sequences to train on, 500 to test on."""
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=2500)
    lengths = rng.integers(10, 61, size=2500)
    X = [rng.normal(size=(n, 3)).astype(np.float32) + 0.4 * np.eye(3, dtype=np.float32)[k] for n, k in zip(lengths, y, strict=True)]
    sequences = as_sequences(X)
    return Split(sequences[:2000], sequences[2000:], y[:2000], y[2000:])


def padded(X: Sequences) -> dict[str, np.ndarray]:
    """Sequences as skorch gets them: padded with zeros, with their lengths."""
    x = np.zeros((len(X), X.lengths.max(), X.n_features), np.float32)
    for row, sequence in zip(x, X, strict=True):
        row[: len(sequence)] = sequence
    return {"x": x, "lengths": X.lengths.astype(np.int64)}


class LastStep(nn.Module):
    """A recurrent layer of torch, its output at the last step of each sequence, and a linear head."""

    def __init__(self, kind: type[nn.Module], n_features: int, hidden_size: int, n_classes: int) -> None:
        super().__init__()
        self.recurrent = kind(n_features, hidden_size, batch_first=True)
        self.head = nn.Linear(hidden_size, n_classes)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        y, _ = self.recurrent(x)
        return self.head(y[torch.arange(len(x)), lengths - 1])


@dataclass
class Task:
    """What all competitors do alike."""

    name: str
    split: Split
    cell: str
    threads: int
    epochs: int
    settings: argparse.Namespace
    models: dict[str, Any] = field(default_factory=dict)

    def ours(self, **options: Any) -> Any:
        """RNNClassifier, as far as ``options`` leave it alone."""
        return RNNClassifier(
            self.cell, max_epochs=self.epochs, batch_size=self.settings.batch_size, n_threads=self.threads, random_state=0, **options
        )

    def same(self) -> Any:
        """RNNClassifier with the very network and training that skorch gets."""
        s = self.settings
        alike = {"bidirectional": False, "pooling": "last", "standardize": False, "schedule": "constant", "clip_norm": None, "optimizer": "adam"}
        return self.ours(hidden_size=s.hidden_size, learning_rate=s.learning_rate, **alike)

    def skorch(self) -> Any:
        """The same network in skorch."""
        from skorch import NeuralNetClassifier

        s, kind = self.settings, {"lstm": nn.LSTM, "gru": nn.GRU}[self.cell]
        sizes = {"n_features": self.split.X.n_features, "hidden_size": s.hidden_size, "n_classes": len(np.unique(self.split.y))}
        torch.manual_seed(0)
        return NeuralNetClassifier(
            partial(LastStep, kind, **sizes), criterion=nn.CrossEntropyLoss, optimizer=torch.optim.Adam, lr=s.learning_rate, max_epochs=self.epochs,
            batch_size=s.batch_size, train_split=None, iterator_train__shuffle=True, verbose=0,
        )  # fmt: skip

    def fit(self, name: str, make: Callable[[], Any], X: Any) -> None:
        """Fit a new model and keep it."""
        self.models[name] = make().fit(X, self.split.y)

    def predict(self, name: str, X: Any) -> np.ndarray:
        """Predict with the model that was kept."""
        return self.models[name].predict(X)


def _compare(task: Task) -> list[dict[str, Any]]:
    """Rows of the table: skorch, the same in skrnn, and the defaults of skrnn."""
    X, X_test, _, y_test = task.split
    tests = {"skorch": padded(X_test), "skrnn": X_test, "skrnn defaults": X_test}
    fits = [("skorch", task.skorch, padded(X)), ("skrnn", task.same, X), ("skrnn defaults", task.ours, X)]
    setting, s = partial(torch_threads, task.threads), task.settings
    fitted = race([Contender(name, partial(task.fit, name, make, data), setting) for name, make, data in fits], seconds=np.inf, most_rounds=s.repeats)
    predicted = race([Contender(name, partial(task.predict, name, data), setting) for name, data in tests.items()], seconds=s.seconds)
    rows = []
    for name in tests:
        accuracy = float((task.predict(name, tests[name]) == y_test).mean())
        rows.append({"data": task.name, "cell": task.cell, "threads": task.threads, "model": name} | _figures(fitted, predicted, name, accuracy))
        progress(rows[-1])
    return rows


def _figures(fitted: dict[str, Times], predicted: dict[str, Times], name: str, accuracy: float) -> dict[str, Any]:
    fit, predict = fitted[name], predicted[name]
    return {
        "fit s": float(np.median(fit.wall)) / 1e3,
        "fit CPU s": float(np.median(fit.cpu)) / 1e3,
        "fit / skorch": fit.ratio(fitted["skorch"]),
        "predict ms": float(np.median(predict.wall)),
        "predict / skorch": predict.ratio(predicted["skorch"]),
        "accuracy": accuracy,
    }


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fit", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", choices=["digits", "ragged"], default=["digits", "ragged"])
    parser.add_argument("--cells", nargs="+", choices=["lstm", "gru"], default=["lstm", "gru"])
    parser.add_argument("--threads", type=int, nargs="+", default=sorted({1, torch.get_num_threads()}), help="one, and torch's default")
    parser.add_argument("--epochs", type=int, nargs=2, default=[30, 10], metavar=("DIGITS", "RAGGED"))
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--hidden-size", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=0.005)
    parser.add_argument("--repeats", type=int, default=3, help="rounds of fits; each comes after one that is not counted")
    parser.add_argument("--seconds", type=float, default=3.0, help="time budget of the rounds of predict")
    parser.add_argument("--quick", action="store_true", help="one epoch, one round, one thread: does it run?")
    arguments = parser.parse_args(argv)
    if arguments.quick:
        arguments.epochs, arguments.repeats, arguments.seconds, arguments.threads = [1, 1], 1, 0.0, [1]
    return arguments


def main(argv: list[str] | None = None) -> None:
    """Print the table and whether the claim holds."""
    asked = _arguments(argv)
    sets, epochs = {"digits": digits, "ragged": ragged}, dict(zip(("digits", "ragged"), asked.epochs, strict=True))
    rows = []
    for name, cell, threads in product(asked.data, asked.cells, asked.threads):
        rows += _compare(Task(name, sets[name](), cell, threads, epochs[name], asked))
    print(machine())
    print(f"\nH = {asked.hidden_size}, batches of {asked.batch_size}, epochs: {epochs}. '/ skorch': time divided by skorch's; below 1 is faster.\n")
    print(table(rows))
    worst = max((row for row in rows if row["model"] == "skrnn"), key=lambda row: row["fit / skorch"])
    where = f"{worst['data']}, {worst['cell']}, threads = {worst['threads']}"
    verdict = {"claim": "fit / skorch ≤ 1/1.5", "worst": worst["fit / skorch"], "where": where, "holds": worst["fit / skorch"] <= _LIMIT}
    print("\n" + table([verdict | {"holds": "yes" if verdict["holds"] else "NO"}]))


if __name__ == "__main__":
    main()
