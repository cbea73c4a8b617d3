"""
Predict one number for each sequence
====================================

The adding problem of Hochreiter & Schmidhuber (1997): two of 40 random
numbers are marked, and their sum is wanted. A network without memory can
only guess the mean, which has a mean squared error of 1/6.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import train_test_split

from skrnn import RNNRegressor

rng = np.random.default_rng(0)
X = rng.uniform(size=(1500, 40, 2))
X[:, :, 1] = 0
for x in X:
    x[rng.choice(40, size=2, replace=False), 1] = 1
y = (X[:, :, 0] * X[:, :, 1]).sum(axis=1)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)

# %%
model = RNNRegressor(
    "gru", hidden_size=32, max_epochs=30, random_state=0
).fit(X_train, y_train)
predicted = model.predict(X_test)
error, r2 = np.mean((predicted - y_test) ** 2), model.score(X_test, y_test)
print(
    f"mean squared error {error:.5f} (of the mean: {np.var(y_test):.3f})"
)
print(f"R² {r2:.3f}")

# %%
figure, ax = plt.subplots(figsize=(5, 5), layout="constrained")
ax.plot([0, 2], [0, 2], color="0.7")
ax.scatter(y_test, predicted, s=8)
ax.set(
    xlabel="sum of the marked numbers",
    ylabel="predicted",
    title=f"Adding problem, 40 steps: R² {r2:.3f}",
)
figure.savefig("regression.png", dpi=120)
