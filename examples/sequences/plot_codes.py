"""
Learn codes without labels
==========================

An autoencoder reads a sequence and writes it again from what it ends
with, its code. Here digits are read row by row, eight steps of eight
pixels, and nobody says which digit is which.
"""

# %%
# Two numbers are the whole code, so that it can be drawn.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from skrnn import RNNAutoencoder
from skrnn.inspection import CodesDisplay

X, y = load_digits(return_X_y=True)
X = X.reshape(-1, 8, 8)
kept = np.isin(y, [0, 1, 4, 6])
train, test = X[kept][:500], X[kept][500:]
labels = y[kept][500:]
model = RNNAutoencoder(
    hidden_size=48, code_size=2, max_epochs=40, random_state=0
).fit(train)
print(f"share of the variance that is written: {model.score(test):.2f}")

# %%
# Above, some digits and what is written of them; below, the codes of
# digits that were not read before, in the colour of the label that the
# network never saw, and digits that are written of codes on the way from
# one to another.
codes = model.transform(test)
again = model.predict(test[:6])
ends = np.array(
    [np.median(codes[labels == digit], axis=0) for digit in (0, 6)]
)
way = ends[0] + np.linspace(0, 1, 6)[:, None] * (ends[1] - ends[0])
between = model.inverse_transform(way)

figure = plt.figure(figsize=(8, 7), layout="constrained")
rows = figure.add_gridspec(4, 6, height_ratios=[1, 1, 3, 1])
for k in range(6):
    for row, pictures in ((0, test), (1, again), (3, between)):
        axes = figure.add_subplot(rows[row, k])
        axes.imshow(pictures[k], cmap="gray_r", vmin=0, vmax=16)
        axes.set(xticks=[], yticks=[])
axes = figure.add_subplot(rows[2, :])
CodesDisplay.from_codes(codes, labels, ax=axes)
axes.plot(*way.T, "k.-", label="on the way")
axes.legend(ncols=5)
figure.savefig("codes.png", dpi=120)
