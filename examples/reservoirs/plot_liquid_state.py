"""
See what a liquid state machine remembers
=========================================

A spike train of a second is played to a column of 135 spiking neurons. It
has four segments of a quarter of a second, and each was made of one of two
templates, whose spikes come a few milliseconds earlier or later every
time. At the end, and from nothing but the last states of the neurons, a
linear readout tells which templates were played. The last segment is easy;
that before it can only be told if its spikes still echo in the column.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import RidgeClassifierCV

from skrnn import LiquidStateClassifier, LiquidStateTransformer
from skrnn.datasets import make_spike_templates

SEEDS = range(4)
N_TRAIN, DT = 600, 0.5  # inputs to learn from, ms in a step

# %%
# The classifier is fitted for one segment. ``encoder=None``, as the input
# is spikes already.
X, y = make_spike_templates(800, dt=DT, random_state=0)
model = LiquidStateClassifier(
    encoder=None, pooling="last", dt=DT, random_state=0
).fit(X[:N_TRAIN], y[:N_TRAIN, 2])
right = model.score(X[N_TRAIN:], y[N_TRAIN:, 2])
print(
    f"third of four segments, one column: {right:.3f} of the inputs right"
)


# %%
# For all four segments the states need to be computed only once: the
# transformer gives them. λ, the length of connections, is what the memory
# hangs on: at 0 the neurons know nothing of each other, and the input's
# last traces are all there is.
def recall(connection_length, seed):
    X, y = make_spike_templates(800, dt=DT, random_state=seed)
    liquid = LiquidStateTransformer(
        encoder=None,
        pooling="last",
        connection_length=connection_length,
        dt=DT,
        random_state=seed,
    )
    states = liquid.fit_transform(X)
    readouts = [
        RidgeClassifierCV(np.logspace(-9, 3, 13)).fit(
            states[:N_TRAIN], labels[:N_TRAIN]
        )
        for labels in y.T
    ]
    return [
        readout.score(states[N_TRAIN:], labels[N_TRAIN:])
        for readout, labels in zip(readouts, y.T, strict=True)
    ]


accuracy = {
    connection_length: np.array(
        [recall(connection_length, seed) for seed in SEEDS]
    )
    for connection_length in (0.0, 2.0)
}

# %%
# A state jumps where its neuron spikes and fades between, so that rising
# states are spikes.
states = LiquidStateTransformer(
    encoder=None, pooling=None, dt=DT, random_state=0
).fit_transform(X[1:2])[0]
step, neuron = np.nonzero(np.diff(states, axis=0, prepend=0) > 0)

figure, (raster, curve) = plt.subplots(
    1, 2, figsize=(10, 4.5), width_ratios=(3, 2), layout="constrained"
)
raster.plot(DT * step, neuron, "|", markersize=3, color="C0")
raster.plot(
    DT * np.flatnonzero(X[1]),
    np.full(int(X[1].sum()), -8),
    "|",
    markersize=9,
    color="black",
)
for boundary in (250, 500, 750):
    raster.axvline(boundary, color="0.7", linestyle=":", zorder=0)
raster.set(
    xlabel="time (ms)",
    ylabel="neuron",
    xlim=(0, 1000),
    ylim=(-16, 135),
    title="Spikes of the column; below them, in black, the input",
)
for (connection_length, shares), color in zip(
    accuracy.items(), ("0.5", "C0"), strict=True
):
    curve.plot(range(1, 5), shares.T, ".", color=color, alpha=0.5)
    curve.plot(
        range(1, 5),
        shares.mean(0),
        color=color,
        label=f"λ = {connection_length:g}",
    )
curve.axhline(0.5, color="0.7", linestyle=":", zorder=0)
curve.set(
    xlabel="segment",
    ylabel="share of inputs told right",
    xticks=range(1, 5),
    title="What the last states tell of each segment",
)
curve.legend()
print(
    f"third of four segments, {len(SEEDS)} columns: "
    f"{accuracy[2.0][:, 2].mean():.3f} with connections, "
    f"{accuracy[0.0][:, 2].mean():.3f} without"
)
figure.savefig("liquid_state.png", dpi=120)
