"""
Filter a stream by an echo state network in a pipeline
======================================================

The network is asked for the symbols that were sent, from what a channel
with echoes, distortion and noise leaves of them (Jaeger & Haas, 2004). It
is an estimator like any other: a scaler comes before, `TimeSeriesSplit`
splits the rows, which are time steps, and `cross_val_score` scores; the
first steps of each part, in which the reservoir has not yet forgotten
where it began, do not count.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import TimeSeriesSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import RobustScaler

from skrnn import EchoStateRegressor
from skrnn.datasets import make_channel_equalization
from skrnn.metrics import symbol_error_rate

X, y = make_channel_equalization(6000, snr_db=18, random_state=0)

# %%
model = make_pipeline(
    RobustScaler(), EchoStateRegressor(hidden_size=200, random_state=0)
)
scores = cross_val_score(model, X, y, cv=TimeSeriesSplit(4))
print("R² of four later parts:", scores.round(3))

# %%
# After the training data come the next: the reservoir runs on from where
# it was.
model.fit(X[:5000], y[:5000])
scaler, network = model[0], model[-1]
outputs = network.predict(scaler.transform(X[5000:]), state=network.state_)


def errors(outputs):
    symbols = np.clip(2 * np.round((outputs + 3) / 2) - 3, -3, 3)
    return symbol_error_rate(y[5000:], symbols)


# %%
# For comparison, a linear filter of the last ten values.
delayed = np.column_stack([np.roll(X[:, 0], k) for k in range(10)])
linear = (
    LinearRegression()
    .fit(delayed[10:5000], y[10:5000])
    .predict(delayed[5000:])
)
print(f"symbol errors: {errors(outputs):.3f}")
print(f"of a linear filter: {errors(linear):.3f}")

# %%
figure, axes = plt.subplots(
    1, 2, figsize=(9, 4), sharey=True, layout="constrained"
)
for ax, values, name in zip(
    axes,
    (linear, outputs),
    ("Linear filter", "Echo state network"),
    strict=True,
):
    for symbol in (-3, -1, 1, 3):
        ax.hist(
            values[y[5000:] == symbol],
            bins=np.linspace(-5, 5, 81),
            alpha=0.7,
            label=f"sent: {symbol}",
        )
    ax.set(xlabel="output", title=f"{name}: {errors(values):.1%} wrong")
axes[0].set(ylabel="symbols")
axes[0].legend()
figure.savefig("reservoir_pipeline.png", dpi=120)
