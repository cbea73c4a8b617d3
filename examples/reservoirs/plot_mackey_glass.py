"""
Let a chaotic series run on by itself
=====================================

An echo state network learns to predict the next value of the Mackey–Glass
series from 3,000 values, and then lives on its own predictions. How long
they hold is a matter of the penalty: `alpha="closed_loop"` chooses the one
with which free runs over the last part of the training data stay closest
to the truth.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np

from skrnn import EchoStateRegressor
from skrnn.datasets import make_mackey_glass
from skrnn.metrics import nrmse

x = make_mackey_glass(4001, random_state=0)
train, test = x[:3001], x[3001:, 0]

# %%
# The scales are given; "auto", the default, would choose them for the
# prediction of one step. float64 states keep what float32 would round
# away.
settings = {
    "hidden_size": 500,
    "spectral_radius": 0.9,
    "leak_rate": 0.5,
    "input_scaling": 0.3,
    "dtype": "float64",
}
model = EchoStateRegressor(
    alpha="closed_loop", random_state=0, **settings
).fit(train[:-1], train[1:, 0])
free = model.forecast(len(test))
print(
    f"NRMSE of the first 84 free steps: {nrmse(test[:84], free[:84]):.1e}"
)

# %%
figure, (top, bottom) = plt.subplots(
    2, 1, figsize=(9, 5), sharex=True, layout="constrained"
)
top.plot(test, color="0.7", lw=4, label="true")
top.plot(free, "--", label="free run")
top.set(
    ylabel="x", title="Mackey–Glass, 1,000 steps after the last true value"
)
top.legend(loc="upper right", ncols=2)
bottom.semilogy(np.abs(free - test) / test.std())
bottom.set(
    xlabel="step", ylabel="error / standard deviation", ylim=(1e-7, 1e1)
)
figure.savefig("mackey_glass.png", dpi=120)
