"""
Save and load a model, and learn on
===================================

A fitted estimator pickles like any other of scikit-learn, and its weights
are numpy arrays: what was fitted on a GPU loads on a machine without one.
"""

# %%
import tempfile
from pathlib import Path

import joblib
import matplotlib.pyplot as plt
import numpy as np

from skrnn import RNNRegressor

rng = np.random.default_rng(0)
X = [
    np.cumsum(rng.normal(size=(rng.integers(10, 40), 1)), axis=0)
    for _ in range(400)
]
y = np.array([np.abs(x).max() for x in X])
model = RNNRegressor(
    hidden_size=16, max_epochs=3, learning_rate=0.005, random_state=0
).fit(X[:300], y[:300])

# %%
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "model.joblib"
    joblib.dump(model, path)
    loaded = joblib.load(path)
    size = path.stat().st_size
same = np.array_equal(loaded.predict(X[300:]), model.predict(X[300:]))
r2 = loaded.score(X[300:], y[300:])
print(f"{size / 1000:.0f} kB on disk, bit-equal: {same}, R² {r2:.3f}")

# %%
# Training can go on where it stopped, here with new data and one pass at a
# time.
scores = [loaded.score(X[300:], y[300:])]
for _ in range(10):
    loaded.partial_fit(X[:300], y[:300])
    scores.append(loaded.score(X[300:], y[300:]))
print(f"R² after ten more passes {scores[-1]:.3f}")

figure, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
ax.plot(scores, marker="o")
ax.set(
    xlabel="calls of partial_fit after loading",
    ylabel="R² on the last 100 sequences",
    title="Largest excursion of a random walk",
)
figure.savefig("save_load.png", dpi=120)
