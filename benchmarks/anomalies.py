"""Detectors of anomalies: average precision for each point, without point adjustment, and anomalies hit at a threshold that saw no labels.

Two tasks: a noisy sine with injected points, and the taxi rides of New York (10,320 half-hours with five labelled windows, from the Numenta Anomaly
Benchmark). Of the taxi data 8 weeks are learned from, 4 give the Gaussian of the errors and the threshold, the rest is the test. The settings were
chosen on these 12 weeks: by days of the 4 weeks that were replaced by days of another kind, and, among horizons that find these about as well (16 and
24), by the error one step ahead. The seasonal naive detector stands beside them.
"""

from __future__ import annotations

import argparse
import csv
import json
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
from sklearn.metrics import average_precision_score

from skrnn import RNNAnomalyDetector, SeasonalNaiveDetector

from ._tasks import DATA
from ._timing import machine, table

DAY, WEEK = 48, 336
N_TRAIN, N_KNOWN = 8 * WEEK, 12 * WEEK
ON_TAXI = {"hidden_size": 128, "horizon": 16, "window": 2 * DAY, "calibration_fraction": 1 / 3, "shrinkage": "auto", "outlier_rate": 0.0}


class Series(NamedTuple):
    """What is learned from, what is tested on, and which steps of that are anomalous, in all and one by one."""

    train: np.ndarray
    test: np.ndarray
    labels: np.ndarray
    events: list[np.ndarray]


def sine(seed: int) -> Series:
    """1,500 steps without and 1,500 with anomalies: 10 points off by 0.8 to 1.5, and 10 that have the value of half a period later."""
    rng = np.random.default_rng(seed)
    values = np.sin(2 * np.pi / 40 * np.arange(3000) + rng.uniform(0, 2 * np.pi)) + 0.05 * rng.normal(size=3000)
    test, labels = values[1500:].copy(), np.zeros(1500, dtype=bool)
    places = 60 + 70 * np.arange(20) + rng.integers(0, 30, size=20)
    points, contextual = places[::2], places[1::2]
    test[points] += rng.choice([-1, 1], size=10) * rng.uniform(0.8, 1.5, size=10)
    steep = [window + np.argmax(np.abs(test[window : window + 20])) for window in contextual]  # where half a period makes a difference
    test[steep] *= -1
    labels[points] = labels[steep] = True
    return Series(values[:1500, None], test[:, None], labels, [np.flatnonzero(labels)[k : k + 1] for k in range(20)])


def taxi() -> Series | None:
    """Rides, and the time of day and the day of the week as sines and cosines; the test begins where the known weeks begin, for the context."""
    path = DATA / "nab_nyc_taxi.csv"
    if not path.exists():
        return None
    rows = list(csv.reader(path.open()))[1:]
    times = np.array([datetime.fromisoformat(time) for time, _ in rows])
    hours, days = np.array([time.hour + time.minute / 60 for time in times]) / 24, np.array([time.weekday() for time in times]) / 7
    calendar = [f(2 * np.pi * phase) for phase in (hours, days) for f in (np.sin, np.cos)]
    X = np.column_stack([[float(rides) for _, rides in rows], *calendar])
    windows = json.loads((DATA / "nab_combined_windows.json").read_text())["realKnownCause/nyc_taxi.csv"]
    ends = [[datetime.fromisoformat(end.partition(".")[0]) for end in window] for window in windows]
    events = [np.flatnonzero((times >= first) & (times <= last)) for first, last in ends]
    labels = np.zeros(len(X), dtype=bool)
    labels[np.concatenate(events)] = True
    return Series(X[:N_KNOWN], X, labels, events)


def judged(detector: Any, series: Series, first: int = 0) -> dict[str, Any]:
    """Average precision over the steps from ``first`` on, events hit, and the share of normal steps that are called anomalous."""
    scores, verdict = detector.score_samples(series.test), detector.predict(series.test)
    normal = ~series.labels[first:]
    return {
        "AP": float(average_precision_score(series.labels[first:], -scores[first:])),
        "hit": sum(bool((verdict[event] == -1).any()) for event in series.events),
        "of": len(series.events),
        "false alarms": float((verdict[first:][normal] == -1).mean()),
    }


def on_sine(seed: int, **settings: Any) -> dict[str, Any]:
    """The recurrent detector as it is."""
    series = sine(seed)
    return judged(RNNAnomalyDetector(random_state=seed, **settings).fit(series.train), series)


def naive_on_taxi(series: Series) -> dict[str, Any]:
    """The week before."""
    return judged(SeasonalNaiveDetector(WEEK, covariates=range(1, 5), calibration_fraction=1 / 3).fit(series.train), series, N_KNOWN)


def on_taxi(series: Series, seed: int, **settings: Any) -> dict[str, Any]:
    """The recurrent detector, which sees the calendar; and its error one step ahead, in units of persistence's."""
    detector = RNNAnomalyDetector(covariates=range(1, 5), random_state=seed, **ON_TAXI | settings).fit(series.train)
    errors, moves = detector.errors(series.test)[N_KNOWN:, 0, 0], np.diff(series.test[N_KNOWN - 1 :, 0])
    return judged(detector, series, N_KNOWN) | {"RMSE / persistence": float(np.sqrt(np.mean(errors**2) / np.mean(moves**2)))}


def main(argv: list[str] | None = None) -> None:
    """Print a row for each detector and seed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.anomalies", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="one seed, one epoch: does it run?")
    asked = parser.parse_args(argv)
    fast: dict[str, Any] = {"max_epochs": 1} if asked.quick else {}
    seeds = range(1 if asked.quick else asked.seeds)
    print(machine() + "\n\nAverage precision for each point, events hit at the threshold that the held-out part gave.\n")
    print(table([{"sine": f"RNNAnomalyDetector, seed {seed}"} | on_sine(seed, **fast) for seed in seeds]))
    if (series := taxi()) is not None:
        rows = [{"taxi": f"RNNAnomalyDetector, seed {seed}"} | on_taxi(series, seed, **fast) for seed in seeds]
        print("\n" + table([{"taxi": "SeasonalNaiveDetector"} | naive_on_taxi(series) | {"RMSE / persistence": ""}, *rows]))


if __name__ == "__main__":
    main()
