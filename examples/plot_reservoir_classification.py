"""
Who is speaking? Reservoirs for short ragged sequences
======================================================

In the manner of the Japanese Vowels data: nine speakers, twelve channels, 7 to 29 steps, thirty training sequences of each speaker. A reservoir runs
over each sequence and a linear readout tells the class; a single one is fitted in well under a second, and a few with other seeds vote.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import ConfusionMatrixDisplay

from skrnn import EchoStateClassifier

N_SPEAKERS, N_CHANNELS = 9, 12
rng = np.random.default_rng(0)
start, way = rng.normal(size=(2, N_SPEAKERS, N_CHANNELS))  # each speaker glides from one sound to another, in a curve of their own
bend = rng.normal(size=(N_SPEAKERS, N_CHANNELS))


def record(speaker):
    t = np.linspace(0, 1, rng.integers(7, 30))[:, None]
    clean = start[speaker] + way[speaker] * t + bend[speaker] * np.sin(np.pi * t)
    return clean + 1.2 * rng.normal(size=N_CHANNELS) + 1.2 * rng.normal(size=clean.shape)


y, y_test = np.repeat(np.arange(N_SPEAKERS), 30), np.repeat(np.arange(N_SPEAKERS), 40)
X, X_test = [record(k) for k in y], [record(k) for k in y_test]

# %%
models = [EchoStateClassifier(hidden_size=100, leak_rate=0.2, pooling="last", random_state=seed).fit(X, y) for seed in range(10)]
alone = [model.score(X_test, y_test) for model in models]
together = np.mean([model.predict_proba(X_test) for model in models], axis=0).argmax(axis=1)
print(f"accuracy alone {np.mean(alone):.3f}, together {np.mean(together == y_test):.3f}")

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.5), layout="constrained")
for speaker in range(3):
    left.plot(X[30 * speaker][:, :3] + 6 * speaker, color=f"C{speaker}")
left.set(xlabel="step", yticks=[], title="Three channels of three speakers")
ConfusionMatrixDisplay.from_predictions(y_test, together, ax=right, colorbar=False, cmap="Blues")
right.set(xlabel="predicted speaker", ylabel="true speaker", title=f"Ten reservoirs: {np.mean(together == y_test):.1%} right")
figure.savefig("reservoir_classification.png", dpi=120)
