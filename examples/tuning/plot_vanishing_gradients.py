"""
Look at vanishing gradients, and what keeps them
================================================

A network learns from what happened 200 steps ago only if the gradient gets
there. How much of it does depends on the cell, and on the weights it
starts with: nothing is trained here.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np

from skrnn.cells import GRU, LSTM, Elman
from skrnn.inspection import GradientFlowDisplay

X = np.random.default_rng(0).normal(size=(20, 200, 1))

# %%
# Elman's network squashes its state at every step, and the gradient with
# it; with rectified units and the identity as recurrent weights, a unit
# passes it on unchanged as long as it is active. The gates of the LSTM
# start by keeping three quarters of the state in a step, those of the GRU
# half of it. With ``chrono`` they start by keeping some of it for up to
# 200 steps. The LSTM's lines begin with a drop, since h(t) reaches the
# cell only through the gates; from there it is kept.
cells = {
    "Elman": Elman(),
    "Elman, rectified, from the identity": Elman(
        "relu", recurrent_init="identity"
    ),
    "LSTM": LSTM(),
    "LSTM, chrono=200": LSTM(chrono=200),
    "GRU": GRU(),
    "GRU, chrono=200": GRU(chrono=200),
}
figure, ax = plt.subplots(figsize=(10, 4.5), layout="constrained")
display = GradientFlowDisplay.from_cells(cells, X, random_state=0, ax=ax)

# %%
# Colours for the cells, dashes for the starts that were made for long
# memory.
for line, color in zip(
    ax.lines, ["C0", "C0", "C1", "C1", "C2", "C2"], strict=True
):
    line.set(
        color=color, linestyle="--" if "," in line.get_label() else "-"
    )
ax.set(
    ylim=(1e-12, 10),
    xlim=(1, 200),
    title="What is left of the gradient of the last state",
)
ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
for name, norm in display.norms.items():
    print(f"{name:36} after 100 steps {norm[-101]:.0e}, 199 {norm[0]:.0e}")
figure.savefig("vanishing_gradients.png", dpi=120)
