"""
Find what counts in hundreds of steps
=====================================

Long sequences are often regular: a machine goes through the same
states again and again, and the few steps that say something lie far
apart. A history compressor learns to predict each step, and leaves out
what it expected. Here letters come in a cycle, and two of the first
sixty are X or Y instead: which, in order, is the class.
"""

# %%
# The letters are symbols; the compressor sees no class.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.pipeline import make_pipeline

from skrnn import HistoryCompressor, RNNClassifier
from skrnn.datasets import make_buried_order
from skrnn.engine import TruncatedBPTT
from skrnn.inspection import SurpriseDisplay

X, y = make_buried_order(150, 600, random_state=0)
train, test = slice(100), slice(100, None)
compressor = HistoryCompressor(
    hidden_size=24,
    max_epochs=6,
    batch_size=8,
    rule=TruncatedBPTT(50),
    random_state=0,
)

# %%
# Behind it a classifier sees some steps of 600: an Elman network
# that answers by its last state, which alone would guess.
network = RNNClassifier(
    "elman",
    hidden_size=16,
    bidirectional=False,
    pooling="last",
    max_epochs=40,
    random_state=0,
)
model = make_pipeline(compressor, network).fit(X[train], y[train])
print(f"steps for each that is left: {compressor.compression_ratio_:.0f}")
print(f"orders that are told right: {model.score(X[test], y[test]):.2f}")

# %%
# Nothing is lost: what was left out is told again.
reduced = compressor.transform(X[test])
assert compressor.inverse_transform(reduced) == X[test]

# %%
# The surprise of each step of the first hundred of one sequence, and
# how much is left of each.
figure, axes = plt.subplots(
    2, figsize=(8, 6), layout="constrained", height_ratios=[2, 1]
)
SurpriseDisplay.from_estimator(
    compressor, [row[:100] for row in X[test]], ax=axes[0]
)
axes[0].set_title(f"class {y[test][0]}")
axes[1].hist(reduced.lengths, np.arange(0.5, reduced.lengths.max() + 1))
axes[1].set(xlabel="steps that are left of 600", ylabel="sequences")
figure.savefig("surprises.png", dpi=120)
