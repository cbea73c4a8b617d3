"""
Tell rhythms apart without labels
=================================

Pulses come every third or every sixth step, and are low or high: four
kinds of sequences, and nobody says which is which. A network learns two
questions, to be answered with yes or no, that tell the most about them.
"""

# %%
# The kinds are known here, but used afterwards only, to see what was
# found.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import normalized_mutual_info_score

from skrnn import BingoCluster
from skrnn.datasets import make_pulse_trains
from skrnn.inspection import CodesDisplay

X, factors = make_pulse_trains(300, random_state=0)
model = BingoCluster(n_bits=2, n_init=2, max_epochs=60, random_state=0)
clusters = model.fit_predict(X)
kinds = factors @ [2, 1]
agreement = normalized_mutual_info_score(kinds, clusters)
print(f"mutual information of clusters and kinds: {agreement:.2f}")

# %%
# A cluster in each row: its code, and three of its sequences. On the right
# the probabilities of the two bits, for all sequences, in the colour of
# their kind.
figure = plt.figure(figsize=(9, 5), layout="constrained")
grid = figure.add_gridspec(len(model.codes_), 2, width_ratios=[3, 2])
for row, code in enumerate(model.codes_):
    axes = figure.add_subplot(grid[row, 0])
    for x in X[clusters == row][:3, :, 0]:
        axes.plot(x, ".-", linewidth=0.8, markersize=3)
    axes.set(ylim=(-0.5, 1.6), ylabel="".join(map(str, code)))
    axes.tick_params(labelbottom=row == len(model.codes_) - 1)
axes.set(xlabel="time step")
axes = figure.add_subplot(grid[:, 1])
names = [
    f"every {period}, height {amplitude}"
    for period in (3, 6)
    for amplitude in (0.6, 1.2)
]
CodesDisplay.from_estimator(model, X, np.array(names)[kinds], ax=axes)
axes.set(xlabel="bit 0", ylabel="bit 1")
axes.legend(loc="center")
figure.savefig("rhythms.png", dpi=120)
