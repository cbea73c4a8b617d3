"""
Classify sequences of different lengths
=======================================

A list of arrays, each with its own number of steps, is all that is needed:
no padding, no mask. Here each sequence is a noisy sine of 20 to 80 steps,
and the class is its frequency.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import train_test_split

from skrnn import RNNClassifier

rng = np.random.default_rng(0)
names = np.array(["slow", "medium", "fast"])
kinds = rng.integers(0, 3, size=600)
X = []
for kind in kinds:
    steps = np.arange(rng.integers(20, 81))
    wave = np.sin(
        2 * np.pi * (0.04, 0.07, 0.10)[kind] * steps
        + rng.uniform(0, 2 * np.pi)
    )
    X.append((wave + rng.normal(scale=0.8, size=len(steps)))[:, None])
X_train, X_test, y_train, y_test = train_test_split(
    X, names[kinds], random_state=0
)

# %%
model = RNNClassifier(hidden_size=32, max_epochs=20, random_state=0).fit(
    X_train, y_train
)
print(f"accuracy {model.score(X_test, y_test):.3f}")

# %%
# The pooled hidden states are features: two of their principal components
# separate the classes.
states = model.transform(X_test)
_, _, axes = np.linalg.svd(states - states.mean(0), full_matrices=False)
points = (states - states.mean(0)) @ axes[:2].T

figure, (left, right) = plt.subplots(
    1, 2, figsize=(11, 4), layout="constrained"
)
for k, name in enumerate(names):
    x = X_test[list(y_test).index(name)]
    left.plot(x + 6 * k, label=f"{name}, {len(x)} steps")
    right.scatter(*points[y_test == name].T, s=12, label=name)
left.set(xlabel="step", yticks=[], title="One sequence of each class")
right.set(
    xlabel="first component",
    ylabel="second component",
    title="Hidden states of the test sequences",
)
left.legend()
right.legend()
figure.savefig("ragged.png", dpi=120)
