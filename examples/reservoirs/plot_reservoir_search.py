"""
Search the scales of a reservoir
================================

Three numbers shape a reservoir: the spectral radius is the length of its
memory, the leak rate its speed, the input scaling how far from linear it
works. What is left at "auto", the default, is chosen before fitting by
small reservoirs that run as one batch. `GridSearchCV` compares what you
want to compare, at full size; here it draws the map on which the automatic
choice is a point.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit

from skrnn import EchoStateRegressor
from skrnn.datasets import make_narma
from skrnn.metrics import nrmse

X, y = make_narma(3000, random_state=0)
X_train, X_test, y_train, y_test = X[:2000], X[2000:], y[:2000], y[2000:]

# %%
auto = EchoStateRegressor(hidden_size=200, random_state=0).fit(
    X_train, y_train
)
print(
    f"chosen: spectral radius {auto.spectral_radius_}, "
    f"leak rate {auto.leak_rate_}, input scaling {auto.input_scaling_}"
)

# %%
radii, scalings = (
    [0.3, 0.5, 0.7, 0.8, 0.9, 1.0, 1.1],
    [0.003, 0.01, 0.03, 0.1, 0.3, 1.0],
)
fixed = EchoStateRegressor(
    hidden_size=200, leak_rate=auto.leak_rate_, random_state=0
)
search = GridSearchCV(
    fixed,
    {"input_scaling": scalings, "spectral_radius": radii},
    cv=TimeSeriesSplit(3),
).fit(X_train, y_train)


def test_error(model):
    return nrmse(y_test, model.predict(X_test, state=model.state_))


print(
    f"test NRMSE: {test_error(auto):.3f} as chosen automatically, "
    f"{test_error(search.best_estimator_):.3f} by the grid search"
)

# %%
unexplained = 1 - search.cv_results_["mean_test_score"].reshape(
    len(scalings), len(radii)
)
figure, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
image = ax.pcolormesh(np.log10(unexplained), cmap="viridis_r")
for radius, scaling, marker, name in (
    (auto.spectral_radius_, auto.input_scaling_, "wo", "auto"),
    (
        search.best_params_["spectral_radius"],
        search.best_params_["input_scaling"],
        "r*",
        "grid search",
    ),
):
    ax.plot(
        radii.index(radius) + 0.5,
        scalings.index(scaling) + 0.5,
        marker,
        ms=10,
        markeredgecolor="black",
        label=name,
    )
ax.set(
    xticks=np.arange(len(radii)) + 0.5,
    xticklabels=radii,
    yticks=np.arange(len(scalings)) + 0.5,
    yticklabels=scalings,
)
ax.set(
    xlabel="spectral radius",
    ylabel="input scaling",
    title="NARMA-10 with 200 units",
)
figure.colorbar(
    image, label="log10 of the unexplained variance, later parts"
)
ax.legend(loc="upper left")
figure.savefig("reservoir_search.png", dpi=120)
