"""
Forecast a series with intervals
================================

Monthly demand that grows, with a season that grows with it. A forecaster
is told nothing about either: it learns quantiles of the next twelve
months, relative to the last value of each window. How good the intervals
are is seen from many origins at once.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np

from skrnn import EchoStateForecaster, RNNForecaster, backtest
from skrnn.inspection import ForecastDisplay
from skrnn.metrics import coverage, mase

rng = np.random.default_rng(0)
month = np.arange(240)
season = (
    1
    + 0.2 * np.sin(2 * np.pi * month / 12)
    + 0.1 * np.cos(4 * np.pi * month / 12)
)
demand = (100 + month) * season * np.exp(0.05 * rng.normal(size=240))

# %%
# The last year is kept back.
model = RNNForecaster(horizon=12, random_state=0).fit(None, demand[:-12])
ahead = model.predict()
error = mase(demand[-12:], ahead, y_train=demand[:-12], seasonality=12)
print(f"MASE of the last year: {error:.2f}")

# %%
# Reservoirs, of which only a readout is solved for, do the same by the
# same methods, in a moment.
quick = EchoStateForecaster(horizon=12, random_state=0)
quick.fit(None, demand[:-12])
error = mase(
    demand[-12:], quick.predict(), y_train=demand[:-12], seasonality=12
)
print(f"MASE of the last year, by reservoirs: {error:.2f}")

# %%
# A backtest learns from the first 15 years and forecasts from every month
# after them, in one batch.
past = backtest(
    model, demand, initial_window=180, coverage=0.9, as_frame=False
)
share = coverage(past["y_true"], past["lower"], past["upper"])
print(
    f"intervals of 90 % cover {share:.0%} of {len(past['y_true'])} values"
)

# %%
figure, ax = plt.subplots(figsize=(9, 4), layout="constrained")
ForecastDisplay.from_estimator(
    model, demand[:-12], actual=demand[-12:], n_history=60, ax=ax
)
ax.set(xlabel="month", ylabel="demand")
figure.savefig("forecast_intervals.png", dpi=120)
