"""
Choose how much past a forecaster sees, and its cell
====================================================

A forecaster has a row for each time step, so scikit-learn's own search
looks for the number of lags and the cell, with folds in the order of time.
A column with the time stands for X: it tells the forecaster which steps
are asked for.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit

from skrnn import RNNForecaster
from skrnn.datasets import make_mackey_glass

y = make_mackey_glass(600, random_state=0)[:, 0]
time = np.arange(600)[:, None]
train, test = slice(0, 588), slice(588, 600)

# %%
search = GridSearchCV(
    RNNForecaster(
        horizon=12,
        time_column=0,
        objective="absolute",
        max_epochs=8,
        random_state=0,
    ),
    {"n_lags": [3, 12, 30], "cell": ["elman", "gru"]},
    scoring="neg_mean_absolute_error",
    cv=TimeSeriesSplit(n_splits=2, test_size=12),
)
search.fit(time[train], y[train])
error = np.abs(search.predict(time[test]) - y[test]).mean()
print(f"best: {search.best_params_}")
print(f"mean error of the twelve steps kept back {error:.4f}")

# %%
figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
results = search.cv_results_
for cell in ["elman", "gru"]:
    rows = results["param_cell"] == cell
    ax.plot(
        np.asarray(results["param_n_lags"][rows], dtype=int),
        -results["mean_test_score"][rows],
        "o-",
        label=cell,
    )
ax.set(
    xlabel="n_lags",
    ylabel="mean absolute error, 12 steps ahead",
    title="Mackey–Glass series, two folds",
)
ax.legend()
figure.savefig("forecast_search.png", dpi=120)
