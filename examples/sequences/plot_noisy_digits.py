"""
Recall noisy digits
===================

Ten pictures of digits, one of each, are stored in networks of Hopfield: a
unit for each pixel, which is ink or not. Asked with pictures in which a
fifth of the pixels are flipped, the network by Hebb's rule answers with a
mixture of all, since digits are alike; that by the pseudo-inverse finds
most of them. A network for real numbers takes the grey pictures as they
are, and finds all.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from skrnn import HopfieldNetwork, ModernHopfield

X, y = load_digits(return_X_y=True)
grey = X[[np.flatnonzero(y == digit)[0] for digit in range(10)]] / 16
digits = grey > 0.5
rng = np.random.default_rng(0)
noisy = digits ^ (rng.random(digits.shape) < 0.2)
noisy_grey = grey + 0.3 * rng.normal(size=grey.shape)

# %%
networks = {
    rule: HopfieldNetwork(rule, random_state=0).fit(digits)
    for rule in ("hebb", "storkey", "pinv")
}
modern = ModernHopfield(beta=4.0).fit(grey)
for rule, network in networks.items():
    print(f"{rule}: overlap {network.score(noisy, digits):.2f}")
print(f"modern: cosine {modern.score(noisy_grey, grey):.2f}")

# %%
rows = {"stored": digits, "20 % flipped": noisy}
rows |= {
    rule: network.predict(noisy) for rule, network in networks.items()
}
rows |= {"grey, noisy": noisy_grey, "modern": modern.predict(noisy_grey)}
figure, axes = plt.subplots(
    len(rows), 10, figsize=(9, 7), layout="constrained"
)
for line, (name, pictures) in zip(axes, rows.items(), strict=True):
    for ax, picture in zip(line, pictures, strict=True):
        ax.imshow(picture.reshape(8, 8), cmap="Greys", vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[])
    line[0].set_ylabel(name, rotation=0, ha="right", va="center")
figure.savefig("noisy_digits.png", dpi=120)
