"""
Weigh sequences and rare classes, and stop early
================================================

One sequence in ten holds a faint burst. ``class_weight="balanced"`` lets
the rare class count as much as the other, and training stops when the
held-out loss has not fallen for a while; the best weights are kept.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import recall_score
from sklearn.model_selection import train_test_split

from skrnn import RNNClassifier

rng = np.random.default_rng(0)
y = (rng.uniform(size=1000) < 0.1).astype(int)
X = [rng.normal(size=(rng.integers(20, 60), 1)) for _ in y]
for x, rare in zip(X, y, strict=True):
    if rare:
        start = rng.integers(0, len(x) - 8)
        x[start : start + 8] += 1.0
X_rest, X_test, y_rest, y_test = train_test_split(
    X, y, stratify=y, random_state=0
)
X_train, X_val, y_train, y_val = train_test_split(
    X_rest, y_rest, stratify=y_rest, random_state=0
)

# %%
recall = {}
for class_weight in (None, "balanced"):
    model = RNNClassifier(
        hidden_size=16,
        max_epochs=60,
        class_weight=class_weight,
        schedule="constant",
        random_state=0,
    )
    model.fit(X_train, y_train, X_val=X_val, y_val=y_val)
    recall[class_weight] = recall_score(y_test, model.predict(X_test))
    print(
        f"class_weight={class_weight!r}: {model.n_iter_} epochs, "
        f"recall of the rare class {recall[class_weight]:.2f}"
    )

# %%
# A weight of 2 counts like the same sequence twice; here late sequences
# count more.
late = np.linspace(0.5, 1.5, len(X_train))
weighted = RNNClassifier(
    hidden_size=16, max_epochs=10, random_state=0
).fit(X_train, y_train, sample_weight=late)
print(f"accuracy with sample weights {weighted.score(X_test, y_test):.3f}")

# %%
figure, ax = plt.subplots(figsize=(7, 3.5), layout="constrained")
epochs = range(1, model.n_iter_ + 1)
ax.plot(epochs, model.loss_curve_, label="training")
ax.plot(epochs, -np.array(model.validation_scores_), label="held out")
best = int(np.argmax(model.validation_scores_)) + 1
ax.axvline(best, color="0.7", label=f"kept: epoch {best}")
ax.set(
    xlabel="epoch",
    ylabel="mean loss (nats)",
    title="Early stopping with balanced classes",
)
ax.legend()
figure.savefig("early_stopping.png", dpi=120)
