"""Evidence for the defaults: each changed alone, on twelve tasks of several kinds.

``python -m benchmarks.defaults`` prints the test score (accuracy or R², mean over seeds) and CPU seconds of a fit for each setting and task.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from skrnn import RNNClassifier, RNNRegressor

from ._tasks import tasks

CHANGES: dict[str, dict[str, object]] = {
    "defaults": {},
    "pooling='last'": {"pooling": "last"},
    "pooling='mean'": {"pooling": "mean"},
    "pooling='attention'": {"pooling": "attention"},
    "bidirectional=False": {"bidirectional": False},
    "bidirectional=False, pooling='last'": {"bidirectional": False, "pooling": "last"},
    "cell='elman'": {"cell": "elman"},
    "cell='lstm'": {"cell": "lstm"},
    "hidden_size=32": {"hidden_size": 32},
    "hidden_size=128": {"hidden_size": 128},
    "n_layers=2": {"n_layers": 2},
    "learning_rate=0.003": {"learning_rate": 0.003},
    "learning_rate=0.03": {"learning_rate": 0.03},
    "schedule='constant', learning_rate=0.003": {"schedule": "constant", "learning_rate": 0.003},
    "schedule='cosine'": {"schedule": "cosine"},
    "max_epochs=50": {"max_epochs": 50},
    "max_epochs=200": {"max_epochs": 200},
    "batch_size=16": {"batch_size": 16},
    "batch_size=64": {"batch_size": 64},
    "clip_norm=None": {"clip_norm": None},
    "standardize=False": {"standardize": False},
}


def score(task: tuple, settings: dict[str, object], n_seeds: int) -> tuple[float, float]:
    """Mean test score and CPU seconds of a fit."""
    X_train, X_test, y_train, y_test = task
    estimator = RNNRegressor if np.asarray(y_train).dtype.kind == "f" else RNNClassifier
    scores, start = [], time.process_time()
    for seed in range(n_seeds):
        model = estimator(random_state=seed, n_threads=1, **settings).fit(X_train, y_train)
        scores.append(model.score(X_test, y_test))
    return float(np.mean(scores)), (time.process_time() - start) / n_seeds


def main(argv: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--only", nargs="*", default=list(CHANGES), help="names of changes")
    parser.add_argument("--skip", nargs="*", default=[], help="names of tasks to leave out")
    options = parser.parse_args(argv)
    chosen = {name: task for name, task in tasks().items() if name not in options.skip}
    print(f"| changed | {' | '.join(chosen)} | mean | least | CPU s |\n|---|{'---|' * (len(chosen) + 3)}")
    for name in options.only:
        found = [score(task, CHANGES[name], options.seeds) for task in chosen.values()]
        scores, seconds = zip(*found, strict=True)
        print(f"| {name} | {' | '.join(f'{s:.3f}' for s in scores)} | {np.mean(scores):.3f} | {min(scores):.3f} | {sum(seconds):.0f} |", flush=True)


if __name__ == "__main__":
    main()
