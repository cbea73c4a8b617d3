"""
Compare cells by the adding problem
===================================

Two numbers of a long sequence are marked, and their sum is asked for.
Nothing helps but to keep the first number until the second comes.
Predicting the mean has a squared error of 1/6; a cell that falls below has
learnt to remember.
"""

# %%
import matplotlib.pyplot as plt

from skrnn import RNNRegressor
from skrnn.cells import GRU, LSTM, Elman, MinGRU
from skrnn.datasets import make_adding
from skrnn.inspection import LossCurveDisplay

X, y = make_adding(2000, 30, random_state=0)
X_test, y_test = make_adding(500, 30, random_state=1)

# %%
# All cells get the same 32 units and read their answer off the last step,
# forward only: so they have to remember.
cells = {
    "Elman": Elman(),
    "GRU": GRU(),
    "LSTM, coupled gates": LSTM(forget="coupled"),
    "MinGRU": MinGRU(),
}
models = {
    name: RNNRegressor(
        cell,
        hidden_size=32,
        bidirectional=False,
        pooling="last",
        max_epochs=15,
        batch_size=50,
        random_state=0,
    ).fit(X, y)
    for name, cell in cells.items()
}
errors = {
    name: ((model.predict(X_test) - y_test) ** 2).mean()
    for name, model in models.items()
}

# %%
# Losses are those of standardised targets: 1 is the mean's.
figure, ax = plt.subplots(figsize=(8, 4.5), layout="constrained")
LossCurveDisplay.from_estimators(models, ax=ax)
ax.axhline(1, color="0.7", linestyle=":", zorder=0)
ax.set(yscale="log", title="Learning to add two marked numbers among 30")
for name, error in errors.items():
    print(
        f"{name:20} squared error {error:.4f}   (of the mean: {1 / 6:.4f})"
    )
figure.savefig("adding_problem.png", dpi=120)
