"""
Search over cells in a pipeline
===============================

A cell is a parameter like any other: give a name, or an object whose own
settings can be searched with ``cell__…``. Transformers for tables work on
the steps of sequences through ``PerStep``.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer

from skrnn import RNNClassifier
from skrnn.cells import LSTM
from skrnn.preprocessing import PerStep

rng = np.random.default_rng(0)
y = rng.integers(0, 2, size=400)
X = [rng.normal(size=(rng.integers(15, 40), 2)) for _ in y]
for x, first in zip(
    X, y, strict=True
):  # two marks, one in each channel: which comes first?
    early, late = np.sort(rng.choice(len(x), size=2, replace=False))
    x[early, first] += 4
    x[late, 1 - first] += 4
X = [np.exp(x) for x in X]  # an unfriendly scale

# %%
pipeline = make_pipeline(
    PerStep(
        QuantileTransformer(n_quantiles=100, output_distribution="normal")
    ),
    RNNClassifier(hidden_size=16, max_epochs=40, random_state=0),
)
search = GridSearchCV(
    pipeline,
    [
        {"rnnclassifier__cell": ["elman", "gru"]},
        {
            "rnnclassifier__cell": [LSTM()],
            "rnnclassifier__cell__peephole": [False, True],
        },
    ],
    cv=3,
)
search.fit(X, y)
print(f"best: {search.best_params_}, accuracy {search.best_score_:.3f}")

# %%
names = [
    str(p["rnnclassifier__cell"]).lower().removesuffix("()")
    + (" with peepholes" if p.get("rnnclassifier__cell__peephole") else "")
    for p in search.cv_results_["params"]
]
figure, ax = plt.subplots(figsize=(7, 3), layout="constrained")
ax.barh(
    names,
    search.cv_results_["mean_test_score"],
    xerr=search.cv_results_["std_test_score"],
    color="0.6",
)
ax.set(
    xlabel="accuracy, mean of 3 folds",
    xlim=(0.4, 1),
    title="Which mark comes first?",
)
figure.savefig("grid_search.png", dpi=120)
