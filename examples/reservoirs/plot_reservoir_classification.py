"""
Tell speakers apart by a reservoir
==================================

Nine men say the same two vowels: twelve channels, 7 to 29 steps, thirty
sequences of each to learn from (Japanese Vowels, which come with the
package). A reservoir runs over each sequence and a linear readout tells
the class; a single one is fitted in well under a second, and ten with
other seeds vote. The other 370 sequences were recorded at other times.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import ConfusionMatrixDisplay

from skrnn import EchoStateClassifier
from skrnn.datasets import load_japanese_vowels

X, y = load_japanese_vowels(subset="train", return_X_y=True)
X_test, y_test = load_japanese_vowels(subset="test", return_X_y=True)

# %%
models = [
    EchoStateClassifier(
        hidden_size=100,
        spectral_radius=0.9,
        leak_rate=0.2,
        input_scaling=0.3,
        pooling="last",
        random_state=seed,
    ).fit(X, y)
    for seed in range(10)
]
alone = [model.score(X_test, y_test) for model in models]
together = np.mean(
    [model.predict_proba(X_test) for model in models], axis=0
).argmax(axis=1)
share = np.mean(together == y_test)
print(f"accuracy alone {np.mean(alone):.3f}, together {share:.3f}")

# %%
figure, (left, right) = plt.subplots(
    1, 2, figsize=(10, 4.5), layout="constrained"
)
for speaker in range(3):
    left.plot(X[30 * speaker][:, :3] + 6 * speaker, color=f"C{speaker}")
left.set(
    xlabel="step", yticks=[], title="Three channels of three speakers"
)
ConfusionMatrixDisplay.from_predictions(
    y_test, together, ax=right, colorbar=False, cmap="Blues"
)
right.set(
    xlabel="predicted speaker",
    ylabel="true speaker",
    title=f"Ten reservoirs: {share:.1%} right",
)
figure.savefig("reservoir_classification.png", dpi=120)
