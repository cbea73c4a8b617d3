"""
Find anomalies of a series
==========================

A network learns from a normal series to predict the next ten steps at
every step. How wrong it was on a part of the series that it did not learn
from says what is normal, and where the threshold is: no labels are needed.
The test series has values that are too large, values that would be right
half a period later, and a stretch in which the signal stands still. The
detector sees the load of a machine and the time of day; the time is a
covariate, which is neither predicted nor judged.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import average_precision_score

from skrnn import RNNAnomalyDetector, SeasonalNaiveDetector

rng = np.random.default_rng(0)
steps = np.arange(2600)
phase = 2 * np.pi * steps / 48
load = (
    np.sin(phase)
    + 0.4 * np.sin(3 * phase + 1)
    + 0.08 * rng.normal(size=len(steps))
)
X = np.column_stack([load, np.sin(phase), np.cos(phase)])
train, test = X[:2000], X[2000:].copy()

anomalous = np.zeros(len(test), dtype=bool)
spikes, swapped, still = [90, 310, 505], [170, 410], slice(230, 250)
test[spikes, 0] += [1.2, -1.0, 1.1]
test[swapped, 0] = test[[k + 24 for k in swapped], 0]
test[still, 0] = test[229, 0]
anomalous[[*spikes, *swapped]] = True
anomalous[still] = True

# %%
detector = RNNAnomalyDetector(
    covariates=[1, 2], hidden_size=32, random_state=0
).fit(train)
naive = SeasonalNaiveDetector(48, covariates=[1, 2]).fit(train)
for name, model in (
    ("the same time yesterday", naive),
    ("recurrent network", detector),
):
    precision = average_precision_score(
        anomalous, -model.score_samples(test)
    )
    print(f"average precision, {name}: {precision:.3f}")

# %%
scores, flagged = (
    detector.score_samples(test),
    detector.predict(test) == -1,
)
figure, (top, bottom) = plt.subplots(
    2, 1, figsize=(11, 5), sharex=True, layout="constrained"
)
top.plot(test[:, 0], color="0.5", lw=1, label="load")
top.plot(
    np.flatnonzero(flagged),
    test[flagged, 0],
    "o",
    ms=4,
    color="C3",
    label="flagged",
)
bottom.plot(-scores, lw=1)
bottom.axhline(
    -detector.offset_,
    color="C3",
    lw=1,
    label="threshold, from the held-out part",
)
for axes in (top, bottom):
    edges = np.flatnonzero(np.diff(np.r_[0, anomalous.astype(int), 0]))
    for first, end in zip(edges[::2], edges[1::2], strict=True):
        axes.axvspan(first - 1.5, end + 0.5, color="C1", alpha=0.25, lw=0)
    axes.legend(loc="upper left")
top.set(
    title="What was not expected (shaded: the true anomalies)",
    ylabel="load",
)
bottom.set(xlabel="step", ylabel="− score", yscale="log")
figure.savefig("anomaly_detection.png", dpi=120)
