"""
Classify images, row by row
===========================

The digits that ship with scikit-learn are read as sequences of 8 steps
(rows) with 8 channels (pixels). A recurrent network with default settings
is compared with logistic regression and a multi-layer perceptron, which
see all 64 pixels at once.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import RNNClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)


def as_rows(X: np.ndarray) -> np.ndarray:
    """64 pixels to 8 steps of 8 channels."""
    return X.reshape(-1, 8, 8)


# %%
# The network takes the 3-D array as it is and scales the channels itself.
model = RNNClassifier(random_state=0).fit(as_rows(X_train), y_train)
accuracy = {
    "RNNClassifier, row by row": model.score(as_rows(X_test), y_test)
}

# %%
# The two baselines see flat images.
for name, baseline in {
    "logistic regression": LogisticRegression(max_iter=1000),
    "multi-layer perceptron": MLPClassifier(random_state=0, max_iter=500),
}.items():
    accuracy[name] = (
        make_pipeline(StandardScaler(), baseline)
        .fit(X_train, y_train)
        .score(X_test, y_test)
    )
for name, value in accuracy.items():
    print(f"{name:26} accuracy {value:.3f}")

# %%
# The loss falls over the epochs; few digits are confused.
figure, (left, right) = plt.subplots(
    1, 2, figsize=(11, 4.5), layout="constrained"
)
left.semilogy(range(1, model.n_iter_ + 1), model.loss_curve_)
left.set(
    xlabel="epoch", ylabel="mean training loss (nats)", title="Training"
)
ConfusionMatrixDisplay.from_predictions(
    y_test, model.predict(as_rows(X_test)), ax=right, colorbar=False
)
right.set_title(
    f"Test digits: accuracy {accuracy['RNNClassifier, row by row']:.3f}"
)
figure.savefig("digits.png", dpi=120)
print("picture written to digits.png")
