"""
Learn while the output is fed back (FORCE)
==========================================

A chaotic reservoir is tamed by its own output (Sussillo & Abbott, 2009):
recursive least squares changes the readout at every step, quickly enough
that the error is small from the beginning, while the output goes back into
the reservoir. When learning stops, the network keeps on drawing the
pattern by itself. The input is a constant, which says nothing.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np

from skrnn import EchoStateRegressor
from skrnn.metrics import nrmse

n_train, n_free = 6000, 2000
t = np.arange(n_train + n_free)
phase = 2 * np.pi * t / 120
pattern = (
    1.3 * np.sin(phase)
    + 0.65 * np.sin(2 * phase)
    + 0.22 * np.sin(3 * phase)
    + 0.43 * np.sin(4 * phase)
)
nothing = np.zeros((len(t), 1))

# %%
# A spectral radius of 1.5 makes the reservoir chaotic as long as nothing
# is learned; "force" learns one step after the other, so nothing is chosen
# by cross-validation, and alpha, the learning rate of the beginning, is
# given.
model = EchoStateRegressor(
    hidden_size=300,
    spectral_radius=1.5,
    leak_rate=0.1,
    input_scaling=0.0,
    feedback=True,
    include_input=False,
    readout="force",
    alpha=1.0,
    washout=0,
    dtype="float64",
    standardize=False,
    random_state=0,
)
change = []
for begin in range(0, n_train, 60):
    model.partial_fit(
        nothing[begin : begin + 60],
        pattern[begin : begin + 60],
        continue_stream=True,
    )
    change.append(model.coef_[0].copy())
free = model.predict(nothing[n_train:], state=model.state_)
print(
    f"NRMSE of {n_free} free steps: {nrmse(pattern[n_train:], free):.3f}"
)

# %%
figure, (top, bottom) = plt.subplots(
    2, 1, figsize=(9, 5), layout="constrained"
)
top.plot(
    t[n_train - 600 :],
    pattern[n_train - 600 :],
    color="0.6",
    label="pattern",
)
top.plot(t[n_train:], free, "--", label="free run")
top.axvline(n_train, color="0.3", lw=1)
top.set(
    xlabel="step",
    xlim=(n_train - 600, n_train + n_free),
    title="The network draws the pattern by itself",
)
top.legend(loc="upper left")
bottom.semilogy(
    np.arange(2, len(change) + 1) * 60,
    np.linalg.norm(np.diff(change, axis=0), axis=1),
)
bottom.set(
    xlabel="step",
    ylabel="change of the readout in 60 steps",
    title="Learning settles",
)
figure.savefig("force.png", dpi=120)
