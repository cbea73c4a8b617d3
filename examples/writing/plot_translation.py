"""
Translate dates, and see what the network looks at
==================================================

People write a day in many ways, a computer wants one. Both are strings of
characters, of different lengths and in another order: a network with an
encoder and a decoder learns from pairs. With attention each character that
is written looks at the characters that were read; the picture shows where.
"""

# %%
import matplotlib.pyplot as plt
from sklearn.model_selection import train_test_split

from skrnn import Seq2SeqTranslator
from skrnn.datasets import make_date_strings
from skrnn.inspection import AttentionDisplay

X, y = make_date_strings(1500, random_state=0)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=500, random_state=0
)
print(*zip(X[:4], y[:4], strict=True), sep="\n")

# %%
# A GRU of 32 units in each direction reads, one of 32 units writes.
# ``predict`` is greedy; a wider beam keeps several beginnings.
model = Seq2SeqTranslator(
    "gru", hidden_size=32, max_epochs=20, random_state=0
).fit(X_train, y_train)
for tokens, score in model.set_params(beam_width=3).predict_hypotheses(
    ["friday 1 may 1998"]
)[0]:
    print(f"{tokens}  log probability {score:.2f}")
print(f"exact {model.score(X_test, y_test):.3f}")

# %%
# The year is read from its place, and the month, spelt out, becomes a
# number.
figure, axes = plt.subplots(1, 2, figsize=(12, 4.5), layout="constrained")
for ax, text in zip(
    axes, ["friday 1 may 1998", "December 24, 2031"], strict=True
):
    AttentionDisplay.from_estimator(model, [text], ax=ax)
    ax.set_title(text)
figure.savefig("translation.png", dpi=120)
