"""
Write down sounds that nobody has cut apart
===========================================

In a recording sounds follow each other, some with silence between them,
and its transcript says which, but not when. A transcriber learns from
such pairs (connectionist temporal classification): at each moment its
network says a label, or nothing, and all ways to say the transcript
count. The picture shows that it has found the moments by itself.
"""

# %%
# Energies in eight bands, 100 moments a second say. Each two sounds begin
# alike, so that which one it is, is heard at its end.
import matplotlib.pyplot as plt

from skrnn import SequenceTranscriber
from skrnn.datasets import make_phonemes
from skrnn.frontends import Conv1d
from skrnn.inspection import AlignmentDisplay
from skrnn.metrics import label_error_rate

X, y = make_phonemes(400, random_state=0)
X_train, X_test, y_train, y_test = X[:300], X[300:], y[:300], y[300:]
print(X[0].shape, y[0])

# %%
# Filters along time look at five moments, and make one frame of two;
# layers in both directions see what comes before and after.
model = SequenceTranscriber(
    "lstm",
    hidden_size=32,
    frontend=Conv1d(32, kernel_size=5, stride=2),
    max_epochs=15,
    random_state=0,
).fit(X_train, y_train)
written = model.predict(X_test)
print(f"label error rate {label_error_rate(y_test, written):.3f}")

# %%
# Labels are peaks among blanks. A frame is two moments.
figure, (above, below) = plt.subplots(
    2, figsize=(9, 5), layout="constrained"
)
above.imshow(X_test[0].T, aspect="auto", origin="lower", cmap="Greys")
above.set(xlabel="moment", ylabel="band")
AlignmentDisplay.from_estimator(model, X_test, y_test, ax=below)
figure.savefig("phonemes.png", dpi=120)
